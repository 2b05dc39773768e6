// `full` entropy coding: files come back byte for byte, and decode as their `lite` twins do.
#include "codecs/image/image_repack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codecs/image/full_model.h"
#include "models/registry.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

Bytes Repack(const Bytes& file, ImageEntropy entropy, ImageRepackOptions options = {}) {
  options.entropy = entropy;
  return Must(RepackImage(Must(ParseImageStream(file)), TestImageModel(), options));
}

struct RepackCase {
  std::string name;
  int64_t height, width, channels;
  ImageEncodeOptions options;
};

const std::vector<RepackCase>& Cases() {
  static const std::vector<RepackCase> cases = {
      {"one pixel", 1, 1, 3, {.step_index = 100}},
      {"a column", 77, 1, 1, {.step_index = 60, .tile = 32}},
      {"a row", 1, 77, 3, {.step_index = 160}},
      {"grey and alpha", 31, 33, 2, {.step_index = 130}},
      {"finest", 61, 97, 3, {.step_index = 0}},
      {"fine", 61, 97, 3, {.step_index = 40}},
      {"middle", 61, 97, 3, {.step_index = 150}},
      {"coarse", 61, 97, 3, {.step_index = 288}},
      {"coarsest", 130, 170, 3, {.step_index = 351}},
      {"tiles", 130, 200, 4, {.step_index = 120, .tile = 64}},
      {"one layer", 97, 61, 3, {.step_index = 100, .layers = 1}},
      {"three layers", 97, 61, 3, {.step_index = 100, .layers = 3}},
      {"wide", 40, 640, 3, {.step_index = 170}},
      {"order of rows",
       150,
       200,
       4,
       {.step_index = 180, .tile = 64, .tile_height = 32, .order = ImageOrder::kRows}},
  };
  return cases;
}

Bytes FileOf(const RepackCase& c) {
  return EncodePicture(TestImageModel(), MakePicture(c.height, c.width, c.channels), c.options);
}

TEST(ImageRepackTest, FilesComeBackByteForByte) {
  for (const RepackCase& c : Cases()) {
    const Bytes lite = FileOf(c);
    const Bytes full = Repack(lite, ImageEntropy::kFull);
    EXPECT_FALSE(full == lite) << c.name;
    EXPECT_TRUE(Must(ParseImageStream(full)).header.full) << c.name;
    EXPECT_TRUE(Repack(full, ImageEntropy::kLite) == lite) << c.name;
    EXPECT_TRUE(Repack(full, ImageEntropy::kFull) == full) << c.name;
    EXPECT_TRUE(Repack(lite, ImageEntropy::kLite) == lite) << c.name;
  }
}

TEST(ImageRepackTest, EverySmallSizeComesBack) {
  for (int64_t h = 1; h <= 68; h += 33) {
    for (int64_t w = 1; w <= 68; w += 5) {
      const Bytes lite =
          EncodePicture(TestImageModel(), MakePicture(h, w, 3), {.step_index = 120, .tile = 32});
      EXPECT_TRUE(Repack(Repack(lite, ImageEntropy::kFull), ImageEntropy::kLite) == lite)
          << h << "x" << w;
    }
  }
}

TEST(ImageRepackTest, ExtremePixelsComeBack) {
  for (const int64_t period : {1, 8, 64}) {
    Tensor<uint8_t> picture(96, 96, 3);
    for (int64_t i = 0; i < picture.size(); ++i) {
      const int64_t x = i / 3 % 96, y = i / 288;
      picture.data()[i] = (x / period + y / period) % 2 != 0 ? 255 : 0;
    }
    for (const int step : {0, 31, 351}) {
      const Bytes lite = EncodePicture(TestImageModel(), picture, {.step_index = step});
      EXPECT_TRUE(Repack(Repack(lite, ImageEntropy::kFull), ImageEntropy::kLite) == lite)
          << "period " << period << " step " << step;
    }
  }
}

TEST(ImageRepackTest, ProfileTagsAndAlphaAreKept) {
  ImageEncoder encoder = Must(ImageEncoder::Create(TestImageModel(), {.step_index = 100}));
  const ImageMetadata metadata{Bytes(300, std::byte{1}), Bytes(20, std::byte{2}),
                               Bytes(7, std::byte{3})};
  const Bytes lite = Must(encoder.Encode(MakePicture(50, 60, 4).view(), metadata));
  const Bytes full = Repack(lite, ImageEntropy::kFull);
  const ImageStream a = Must(ParseImageStream(lite)), b = Must(ParseImageStream(full));
  EXPECT_TRUE(std::ranges::equal(a.icc, b.icc) && std::ranges::equal(a.exif, b.exif) &&
              std::ranges::equal(a.xmp, b.xmp));
  ASSERT_EQ(b.alpha.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(a.alpha[0], b.alpha[0]));
  EXPECT_TRUE(Repack(full, ImageEntropy::kLite) == lite);
}

TEST(ImageRepackTest, ThreadsAndLevelsGiveTheSameBytes) {
  for (const RepackCase& c : Cases()) {
    const Bytes lite = FileOf(c);
    const Bytes want =
        Repack(lite, ImageEntropy::kFull, {.threads = 1, .limits = {}, .simd = SimdLevel::kScalar});
    for (const SimdLevel level : SupportedSimdLevels()) {
      for (const int threads : {1, 3}) {
        const ImageRepackOptions options{.threads = threads, .limits = {}, .simd = level};
        EXPECT_TRUE(Repack(lite, ImageEntropy::kFull, options) == want)
            << c.name << " " << SimdLevelName(level) << " threads=" << threads;
        EXPECT_TRUE(Repack(want, ImageEntropy::kLite, options) == lite)
            << c.name << " " << SimdLevelName(level) << " threads=" << threads;
      }
    }
  }
}

TEST(ImageRepackTest, SamplesAreThoseOfTheLiteFile) {
  int count = 0;
  for (const RepackCase& c : Cases()) {
    const Bytes lite = FileOf(c), full = Repack(lite, ImageEntropy::kFull);
    for (const ImageSynthesis* synthesis :
         {static_cast<const ImageSynthesis*>(nullptr), &TestImageSynthesis()}) {
      for (const int layers : {1, 4, 8}) {
        const auto width = static_cast<uint32_t>(c.width), height = static_cast<uint32_t>(c.height);
        for (const ImageRegion& region :
             {ImageRegion{},
              ImageRegion{width / 3, height / 2, (width + 2) / 3, (height + 3) / 4}}) {
          if (kSanitized && ++count % 5 != 0) continue;
          ImageDecodeOptions options{.layers = layers, .region = region, .threads = 1};
          options.simd = SimdLevel::kScalar;
          const Tensor<uint8_t> want = DecodePicture(lite, TestImageModel(), synthesis, options);
          for (const SimdLevel level : SupportedSimdLevels()) {
            options.simd = level;
            options.threads = level == SimdLevel::kScalar ? 1 : 2;
            EXPECT_TRUE(
                SameSamples(DecodePicture(full, TestImageModel(), synthesis, options), want))
                << c.name << " layers=" << layers << " " << SimdLevelName(level);
          }
        }
      }
    }
  }
}

// A network is told how many layers there are, so empty ones at the end are samples too.
TEST(ImageRepackTest, EmptyLayersAtTheEndStay) {
  const Bytes file =
      EncodePicture(TestImageModel(), MakePicture(61, 97, 3), {.step_index = 200, .layers = 3});
  ImageStream stream = Must(ParseImageStream(file));
  ASSERT_EQ(stream.layers.size(), 3u);
  const auto samples = [](const ImageStream& s) {
    return Must(DecodeImage(s, TestImageModel(), &TestImageSynthesis(), {.threads = 1}));
  };
  const Tensor<uint8_t> three = samples(stream);
  stream.layers.resize(5, std::vector<std::span<const std::byte>>(1));
  const Tensor<uint8_t> five = samples(stream);
  EXPECT_FALSE(SameSamples(five, three));
  const Bytes full = Must(RepackImage(stream, TestImageModel()));
  EXPECT_EQ(Must(ParseImageStream(full)).layers.size(), 5u);
  EXPECT_TRUE(SameSamples(samples(Must(ParseImageStream(full))), five));
  const Bytes lite = Repack(full, ImageEntropy::kLite);
  EXPECT_TRUE(SameSamples(samples(Must(ParseImageStream(lite))), five));
}

TEST(ImageRepackTest, WithoutItsWeightsAStreamIsRefused) {
  const Bytes lite = FileOf(Cases()[6]), full = Repack(lite, ImageEntropy::kFull);
  const ImageStream stream = Must(ParseImageStream(full));
  const Bytes bytes = TestStreamModelFile();
  ImageModel bare = Must(ImageModel::Load(Must(SafeTensors::Parse(bytes)), ModelIdOf(bytes)));
  EXPECT_EQ(DecodeImage(stream, bare, nullptr).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(RepackImage(stream, bare).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(RepackImage(Must(ParseImageStream(lite)), bare).status().code(),
            StatusCode::kModelMissing);
  EXPECT_TRUE(RepackImage(Must(ParseImageStream(lite)), bare,
                          {.entropy = ImageEntropy::kLite, .limits = {}})
                  .ok());
  const Bytes other = TestEntropyFile(bare.id(), /*seed=*/2);
  ASSERT_TRUE(bare.SetEntropy(Must(SafeTensors::Parse(other)), ModelIdOf(other)).ok());
  EXPECT_EQ(DecodeImage(stream, bare, nullptr).status().code(), StatusCode::kModelMissing);
  EXPECT_EQ(RepackImage(stream, OtherImageModel()).status().code(), StatusCode::kModelRefused);
}

TEST(ImageRepackTest, MemoryIsHeldToTheLimit) {
  const ImageStream stream = Must(ParseImageStream(FileOf(Cases()[6])));
  const DecodeLimits little{.max_memory_bytes = 100000};
  EXPECT_EQ(RepackImage(stream, TestImageModel(), {.threads = 1, .limits = little}).status().code(),
            StatusCode::kOverLimit);
}

TEST(ImageRepackTest, MostDamageIsSeen) {
  const Bytes full = Repack(FileOf(Cases()[6]), ImageEntropy::kFull);
  int tries = 0, seen = 0;
  for (size_t at = full.size() / 8; at < full.size() - 4; at += 53) {
    Bytes bad = full;
    bad[at] ^= std::byte{0x5a};
    FixCrcs(bad);
    ++tries;
    const Result<ImageStream> stream = ParseImageStream(bad);
    if (!stream.ok()) {
      ++seen;
      continue;
    }
    const Status status = DecodeImage(*stream, TestImageModel(), nullptr).status();
    seen += !status.ok();
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kCorrupt ||
                status.code() == StatusCode::kTruncated)
        << at << ": " << status.message();
  }
  EXPECT_GT(seen, tries * 9 / 10);
}

}  // namespace
}  // namespace godwit
