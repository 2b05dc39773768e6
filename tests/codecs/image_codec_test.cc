// Round trips of whole pictures: sizes, channels, qualities, and what must not change the bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "io/image_file.h"
#include "models/registry.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

const Tensor<uint8_t>& DemoPicture() {
  static const Tensor<uint8_t>* const picture = [] {
    auto reader = Must(OpenImage(GODWIT_SOURCE_DIR "/testdata/demo.png"));
    const ImageInfo& info = reader->info();
    auto* pixels = new Tensor<uint8_t>(info.height, info.width, info.channels);
    EXPECT_TRUE(reader->ReadRows(pixels->view()).ok());
    return pixels;
  }();
  return *picture;
}

// Encodes at a step of two grey levels and decodes both ways. A rounding error is at most half a
// step a coefficient, and the transform is orthonormal: 40 dB is far below what is met, and far
// above grey (below 15 dB).
void ExpectRoundTrip(ImageEncoder& encoder, int64_t h, int64_t w, int64_t channels, bool network) {
  const Tensor<uint8_t> picture = MakePicture(h, w, channels, static_cast<uint32_t>(h * 64 + w));
  const Bytes file = Must(encoder.Encode(picture.view()));
  const Tensor<uint8_t> decoded =
      DecodePicture(file, TestImageModel(), network ? &TestImageSynthesis() : nullptr);
  ASSERT_EQ(decoded.height(), h);
  ASSERT_EQ(decoded.width(), w);
  ASSERT_EQ(decoded.channels(), channels);
  EXPECT_GT(Psnr(picture, decoded), 40) << w << "x" << h << " channels=" << channels;
  if (channels % 2 == 0) {
    EXPECT_TRUE(SameAlpha(picture, decoded)) << w << "x" << h << " channels=" << channels;
  }
}

TEST(ImageCodecTest, EverySizeTo40ComesBack) {
  ImageEncoder encoder =
      Must(ImageEncoder::Create(TestImageModel(), {.step_index = 64, .tile = 32, .threads = 1}));
  int64_t count = 0;
  for (int64_t h = 1; h <= 40; ++h) {
    for (int64_t w = 1; w <= 40; ++w, ++count) {
      const bool edge = h == 1 || w == 1 || (h >= 31 && h <= 33) || (w >= 31 && w <= 33);
      if (kSanitized && !edge && count % 5 != 0) continue;
      ExpectRoundTrip(encoder, h, w, 1 + count % 4, /*network=*/count % 16 == 0);
      if (HasFailure()) return;
    }
  }
}

// One high frequency, and not in every row of cells: the layers between are empty, so a decoder
// never goes through them.
TEST(ImageCodecTest, LayersAfterEmptyOnesComeBack) {
  Tensor<uint8_t> picture(5 * 32, 96, 1);
  constexpr double kQuarter = 3.14159265358979 / 16;
  for (int64_t y = 0; y < picture.height(); ++y) {
    for (int64_t x = 0; x < picture.width(); ++x) {
      const uint32_t hash = HashOf(static_cast<uint32_t>(x / 8), static_cast<uint32_t>(y / 8), 3);
      const double sign = y / 32 % 2 == 1 || hash % 4 == 0 ? 0 : hash % 3 == 0 ? -1 : 1;
      const double wave = std::cos(7 * (2 * static_cast<double>(y % 8) + 1) * kQuarter);
      *picture.view().At(y, x) = static_cast<uint8_t>(std::lround(180 + sign * 60 * wave));
    }
  }
  ImageEncoder encoder =
      Must(ImageEncoder::Create(TestImageModel(), {.step_index = 150, .threads = 1}));
  const Bytes file = Must(encoder.Encode(picture.view()));
  const ImageStream stream = Must(ParseImageStream(file));
  ASSERT_EQ(stream.layers.size(), 6u);
  for (const size_t l : {2, 3, 4}) EXPECT_TRUE(stream.layers[l][0].empty()) << l;
  EXPECT_GT(Psnr(picture, DecodePicture(file, TestImageModel(), nullptr)), 40);
}

TEST(ImageCodecTest, EverySizeAroundTilesComesBackInEachKindOfPixel) {
  for (const uint32_t tile : {32u, 64u}) {
    ImageEncoder encoder =
        Must(ImageEncoder::Create(TestImageModel(), {.step_index = 64, .tile = tile}));
    for (const int64_t h : {1, 8, 31, 32, 33, 63, 64, 65, 129}) {
      for (const int64_t w : {1, 31, 32, 33, 63, 64, 65, 97}) {
        for (int64_t channels = 1; channels <= 4; ++channels)
          ExpectRoundTrip(encoder, h, w, channels, /*network=*/tile == 32 && channels == h % 4 + 1);
        if (HasFailure()) return;
      }
    }
  }
}

TEST(ImageCodecTest, AlphaIsExactWhateverItLooksLike) {
  ImageEncoder encoder =
      Must(ImageEncoder::Create(TestImageModel(), {.step_index = 288, .tile = 32}));
  for (const int64_t channels : {2, 4}) {
    for (int kind = 0; kind < 5; ++kind) {
      Tensor<uint8_t> picture = MakePicture(45, 70, channels);
      for (int64_t i = channels - 1; i < picture.size(); i += channels) {
        uint8_t& a = picture.data()[i];
        const int64_t pixel = i / channels;
        if (kind == 0) a = 0;
        if (kind == 1) a = 255;
        if (kind == 2) a = pixel % 70 < 35 ? 0 : 255;                                     // hard
        if (kind == 3) a = static_cast<uint8_t>(HashOf(static_cast<uint32_t>(i), 1, 2));  // noise
      }  // 4: soft, as MakePicture() draws it
      const Bytes file = Must(encoder.Encode(picture.view()));
      const Tensor<uint8_t> decoded = DecodePicture(file, TestImageModel(), nullptr);
      EXPECT_TRUE(SameAlpha(picture, decoded)) << "channels=" << channels << " kind=" << kind;
    }
  }
}

TEST(ImageCodecTest, ColourDoesNotDependOnThereBeingAlpha) {
  for (const int64_t channels : {2, 4}) {
    const Tensor<uint8_t> with = MakePicture(70, 90, channels);
    const Tensor<uint8_t> without = MakePicture(70, 90, channels - 1);
    const ImageEncodeOptions options{.step_index = 100, .tile = 64};
    const Bytes file_with = EncodePicture(TestImageModel(), with, options);
    const Bytes file_without = EncodePicture(TestImageModel(), without, options);
    const ImageStream stream = Must(ParseImageStream(file_with));
    const ImageStream plain = Must(ParseImageStream(file_without));
    EXPECT_EQ(stream.alpha.size(), 4u);
    EXPECT_TRUE(plain.alpha.empty());
    ASSERT_EQ(stream.layers.size(), plain.layers.size());
    for (size_t l = 0; l < stream.layers.size(); ++l) {
      for (size_t t = 0; t < 4; ++t) {
        EXPECT_TRUE(std::ranges::equal(stream.layers[l][t], plain.layers[l][t])) << l << " " << t;
      }
    }
  }
}

Tensor<uint8_t> Grey(const Tensor<uint8_t>& like) {
  Tensor<uint8_t> grey = like.Clone();
  std::fill_n(grey.data(), grey.size(), uint8_t{128});
  return grey;
}

struct LadderModel {
  std::string name;
  const ImageModel* stream;
  const ImageSynthesis* synthesis;
};

void ExpectLadder(const LadderModel& m) {
  const Tensor<uint8_t>& picture = DemoPicture();
  ImageEncoder encoder = Must(ImageEncoder::Create(*m.stream));
  double last_psnr = 0;
  size_t last_size = 0;
  for (int quality = 0; quality <= 100; quality += 10) {
    ASSERT_TRUE(encoder.SetStepIndex(StepIndexFromQuality(quality)).ok());
    const Bytes file = Must(encoder.Encode(picture.view()));
    const double psnr = Psnr(picture, DecodePicture(file, *m.stream, m.synthesis));
    std::cout << m.name << " q" << quality << ": " << file.size() << " bytes, " << psnr << " dB\n";
    EXPECT_GT(psnr, last_psnr + 0.5) << m.name << " quality " << quality;
    EXPECT_GT(file.size(), last_size * 5 / 4) << m.name << " quality " << quality;
    if (quality == 0) {
      EXPECT_GT(psnr, 21.5);
      EXPECT_LT(Psnr(picture, Grey(picture)), 17);  // so grey fails
      EXPECT_LT(file.size(), size_t{1000});
    }
    if (quality == 50) {
      EXPECT_GT(psnr, 29.5);
      EXPECT_LT(file.size(), size_t{768} * 512 / 8);  // a bit a pixel
    }
    if (quality == 100) {
      EXPECT_GT(psnr, 50);
    }
    last_psnr = psnr;
    last_size = file.size();
  }
}

TEST(ImageCodecTest, HigherQualityIsLargerAndCloser) {
  ExpectLadder({"test model, plain inverse", &TestImageModel(), nullptr});
}

TEST(ImageCodecTest, HigherQualityIsLargerAndCloserWithShippedModels) {
  ModelRegistry registry;
  const Result<uint64_t> id = registry.DefaultStreamModel("swift");
  if (!id.ok()) FAIL() << "no shipped model";
  const ImageModel stream = Must(ImageModel::Load(Must(registry.FindStreamModel(*id)), *id));
  for (const std::string_view size : kSynthesisSizes) {
    if (kSanitized && size == "huge") continue;  // eight times the work of `large`
    const ImageSynthesis synthesis =
        Must(ImageSynthesis::Load(Must(registry.FindSynthesis("swift", *id, size))));
    ExpectLadder({std::string(size), &stream, &synthesis});
  }
}

TEST(ImageCodecTest, TheFinestStepIsAbove50Decibels) {
  for (int64_t channels = 1; channels <= 4; ++channels) {
    const Tensor<uint8_t> picture = MakePicture(100, 130, channels);
    const Bytes file = EncodePicture(TestImageModel(), picture, {.step_index = 0});
    EXPECT_GT(Psnr(picture, DecodePicture(file, TestImageModel(), nullptr)), 50);
    EXPECT_GT(Psnr(picture, DecodePicture(file, TestImageModel(), &TestImageSynthesis())), 50);
  }
}

TEST(ImageCodecTest, ExtremePixelsSurviveEveryStep) {
  // Black and white pixel by pixel, cell by cell, and one of each: the largest coefficients of all.
  for (const int64_t period : {1, 4, 8, 32, 64}) {
    Tensor<uint8_t> picture(96, 96, 3);
    for (int64_t i = 0; i < picture.size(); ++i) {
      const int64_t x = i / 3 % 96, y = i / 288;
      picture.data()[i] = (x / period + y / period) % 2 != 0 ? 255 : 0;
    }
    for (const int step : {0, 1, 31, 150, 288, 351}) {
      const Bytes file = EncodePicture(TestImageModel(), picture, {.step_index = step});
      const Tensor<uint8_t> decoded = DecodePicture(file, TestImageModel(), &TestImageSynthesis());
      if (step <= 31) {
        EXPECT_GT(Psnr(picture, decoded), 45) << "period " << period << " step " << step;
      }
    }
  }
}

TEST(ImageCodecTest, RowsInOddChunksGiveTheSameBytes) {
  for (const int64_t channels : {1, 4}) {
    const Tensor<uint8_t> picture = MakePicture(150, 101, channels);
    const ImageEncodeOptions options{.step_index = 90, .tile = 64};
    const Bytes want = EncodePicture(TestImageModel(), picture, options);
    ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel(), options));
    for (const std::vector<int64_t>& chunks :
         {std::vector<int64_t>{1}, {7}, {63, 1, 2}, {64}, {65}, {31, 100}, {129}, {150}}) {
      ASSERT_TRUE(encoder.Start({101, 150, static_cast<int>(channels), false}).ok());
      int64_t y = 0;
      for (size_t i = 0; y < 150; ++i) {
        const int64_t n = std::min(chunks[i % chunks.size()], 150 - y);
        ASSERT_TRUE(encoder.AddRows(picture.view().Window(y, 0, n, 101)).ok());
        y += n;
      }
      EXPECT_TRUE(Must(encoder.Finish()) == want) << "chunks of " << chunks[0];
    }
  }
}

TEST(ImageCodecTest, PixelsWithStridesGiveTheSameBytes) {
  const Tensor<uint8_t> rgba = MakePicture(70, 90, 4), rgb = MakePicture(70, 90, 3);
  const ImageEncodeOptions options{.step_index = 90, .tile = 32};
  ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel(), options));
  auto view = rgba.view();
  view.channels = 3;
  EXPECT_TRUE(Must(encoder.Encode(view)) == EncodePicture(TestImageModel(), rgb, options));
  const ImageRegion inner{5, 9, 61, 40};
  EXPECT_TRUE(Must(encoder.Encode(rgb.view().Window(9, 5, 40, 61))) ==
              EncodePicture(TestImageModel(), Crop(rgb, inner), options));
}

TEST(ImageCodecTest, ThreadsAndLevelsGiveTheSameBytes) {
  for (const int64_t channels : {1, 3, 4}) {
    const Tensor<uint8_t> picture = MakePicture(130, 333, channels);
    ImageEncodeOptions options{
        .step_index = 80, .tile = 64, .threads = 1, .simd = SimdLevel::kScalar};
    const Bytes want = EncodePicture(TestImageModel(), picture, options);
    for (const SimdLevel level : SupportedSimdLevels()) {
      for (const int threads : {1, 2, 4}) {
        options.simd = level;
        options.threads = threads;
        EXPECT_TRUE(EncodePicture(TestImageModel(), picture, options) == want)
            << SimdLevelName(level) << " threads=" << threads << " channels=" << channels;
      }
    }
  }
}

TEST(ImageCodecTest, AnEncoderForgetsThePictureBefore) {
  ImageEncoder encoder =
      Must(ImageEncoder::Create(TestImageModel(), {.step_index = 60, .tile = 64, .threads = 2}));
  const std::array<std::array<int64_t, 3>, 7> shapes = {{{200, 150, 3},
                                                         {20, 300, 3},
                                                         {33, 33, 1},
                                                         {130, 70, 4},
                                                         {1, 1, 2},
                                                         {200, 150, 3},
                                                         {70, 70, 1}}};
  for (const auto& [h, w, channels] : shapes) {
    const Tensor<uint8_t> picture = MakePicture(h, w, channels);
    EXPECT_TRUE(Must(encoder.Encode(picture.view())) ==
                EncodePicture(TestImageModel(), picture, {.step_index = 60, .tile = 64}));
  }
  // Nor does a picture that was given up leave traces.
  const Tensor<uint8_t> picture = MakePicture(100, 100, 3);
  ASSERT_TRUE(encoder.Start({100, 100, 3, false}).ok());
  ASSERT_TRUE(encoder.AddRows(picture.view().Window(0, 0, 30, 100)).ok());
  EXPECT_TRUE(Must(encoder.Encode(picture.view())) ==
              EncodePicture(TestImageModel(), picture, {.step_index = 60, .tile = 64}));
}

TEST(ImageCodecTest, MisuseIsAnInvalidArgument) {
  const ImageModel& model = TestImageModel();
  for (const ImageEncodeOptions& options : {ImageEncodeOptions{.step_index = -1},
                                            {.step_index = 352},
                                            {.layers = 0},
                                            {.layers = 9},
                                            {.tile = 31},
                                            {.tile = 16},
                                            {.tile = 96},
                                            {.tile = 8192},
                                            {.threads = -1}}) {
    EXPECT_EQ(ImageEncoder::Create(model, options).status().code(), StatusCode::kInvalidArgument);
  }
  ImageEncoder encoder = Must(ImageEncoder::Create(model));
  EXPECT_EQ(encoder.SetStepIndex(352).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(encoder.Start({0, 5, 3, false}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(encoder.Start({5, 5, 5, false}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(encoder.Finish().status().code(), StatusCode::kInvalidArgument);  // not started
  const Tensor<uint8_t> picture = MakePicture(20, 20, 3);
  ASSERT_TRUE(encoder.Start({20, 19, 3, false}).ok());
  EXPECT_EQ(encoder.AddRows(picture.view()).code(), StatusCode::kInvalidArgument);  // one too many
  ASSERT_TRUE(encoder.AddRows(picture.view().Window(0, 0, 18, 20)).ok());
  EXPECT_EQ(encoder.Finish().status().code(), StatusCode::kInvalidArgument);  // one too few
}

TEST(ImageCodecTest, SidesThatNoMemoryHoldsAreOverTheLimit) {
  ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel()));
  EXPECT_EQ(encoder.Start({1u << 31, 1u << 31, 3, false}).code(), StatusCode::kOverLimit);
}

TEST(ImageCodecTest, QualityIsTheStepTurnedRound) {
  EXPECT_EQ(StepIndexFromQuality(100), 0);
  EXPECT_EQ(StepIndexFromQuality(50), ImageEncodeOptions().step_index);
  const int coarsest = StepIndexFromQuality(0);
  EXPECT_LE(coarsest, 351);
  for (const double below : {-3.0, -1e9, std::nan("")})
    EXPECT_EQ(StepIndexFromQuality(below), coarsest);
  EXPECT_EQ(StepIndexFromQuality(1e9), 0);
  for (int step = 0; step <= coarsest; ++step)
    EXPECT_EQ(StepIndexFromQuality(QualityFromStepIndex(step)), step);
  for (int step = coarsest; step <= 351; ++step) EXPECT_EQ(QualityFromStepIndex(step), 0);
}

}  // namespace
}  // namespace godwit
