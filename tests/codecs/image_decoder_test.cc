// What must not change decoded samples, and what decodes of a part of a file.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "codecs/image/image_repack.h"
#include "tests/base/sanitized.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

struct DecoderCase {
  std::string name;
  int64_t height, width, channels;
  uint32_t tile;
  uint32_t tile_height = 0;
  ImageOrder order = ImageOrder::kLayers;
};

const std::vector<DecoderCase>& Cases() {
  static const std::vector<DecoderCase> cases = {
      {"rgb tiles 64", 130, 170, 3, 64},
      {"rgba tiles 32", 75, 50, 4, 32},
      {"grey one tile", 70, 90, 1, 1024},
      {"grey alpha narrow", 150, 9, 2, 64},
      {"rgb whole cells", 150, 96, 3, 64},
      {"rgb wide tiles", 130, 170, 3, 128, 32},
      {"rgba by rows", 75, 150, 4, 0, 32, ImageOrder::kRows},
      {"rgb by rows, high tiles", 150, 70, 3, 32, 64, ImageOrder::kRows},
  };
  return cases;
}

Bytes FileOf(const DecoderCase& c, int step_index = 110) {
  return EncodePicture(
      TestImageModel(), MakePicture(c.height, c.width, c.channels),
      {.step_index = step_index, .tile = c.tile, .tile_height = c.tile_height, .order = c.order});
}

Tensor<uint8_t> Decode(const Bytes& file, const ImageSynthesis* synthesis,
                       const ImageDecodeOptions& options = {}) {
  return DecodePicture(file, TestImageModel(), synthesis, options);
}

const std::vector<const ImageSynthesis*>& Syntheses() {
  static const std::vector<const ImageSynthesis*> all = {nullptr, &TestImageSynthesis()};
  return all;
}

TEST(ImageDecoderTest, TheNetworkChangesSamplesAndStaysClose) {  // or the tests below test little
  const Tensor<uint8_t> picture = MakePicture(130, 170, 3);
  const Bytes file = FileOf(Cases()[0]);
  const Tensor<uint8_t> plain = Decode(file, nullptr), net = Decode(file, &TestImageSynthesis());
  EXPECT_FALSE(SameSamples(plain, net));
  EXPECT_GT(Psnr(picture, net), Psnr(picture, plain) - 1);
}

TEST(ImageDecoderTest, ThreadsLevelsAndWindowsGiveTheSameSamples) {
  int count = 0;
  for (const DecoderCase& c : Cases()) {
    const Bytes file = FileOf(c);
    for (const ImageSynthesis* synthesis : Syntheses()) {
      ImageDecodeOptions options{.threads = 1, .simd = SimdLevel::kScalar};
      const Tensor<uint8_t> want = Decode(file, synthesis, options);
      for (const SimdLevel level : SupportedSimdLevels()) {
        for (const int threads : {1, 2, 4}) {
          for (const uint32_t window : {0u, 32u, 96u, 256u}) {
            if (kSanitized && ++count % 7 != 0) continue;
            options.simd = level;
            options.threads = threads;
            options.window = window;
            EXPECT_TRUE(SameSamples(Decode(file, synthesis, options), want))
                << c.name << " " << SimdLevelName(level) << " threads=" << threads
                << " window=" << window << " network=" << (synthesis != nullptr);
          }
        }
      }
    }
  }
}

// Of a picture of one tile, threads share the rows and layers.
TEST(ImageDecoderTest, ThreadsShareOneTile) {
  const Bytes lite = EncodePicture(TestImageModel(), MakePicture(520, 200, 3), {.step_index = 150});
  for (const Bytes& file :
       {lite, Must(RepackImage(Must(ParseImageStream(lite)), TestImageModel()))}) {
    for (const ImageSynthesis* synthesis : Syntheses()) {
      for (const int layers : {1, 2, 3, 8}) {
        const Tensor<uint8_t> want =
            Decode(file, synthesis, {.layers = layers, .threads = 1, .simd = SimdLevel::kScalar});
        for (const int threads : {1, 2, 4}) {
          EXPECT_TRUE(
              SameSamples(Decode(file, synthesis, {.layers = layers, .threads = threads}), want))
              << "threads=" << threads << " layers=" << layers;
        }
      }
    }
  }
}

// Reads in chunks of these heights in turn.
Tensor<uint8_t> ReadInChunks(const ImageStream& stream, const ImageSynthesis* synthesis,
                             const std::vector<int64_t>& chunks) {
  ImageDecoder decoder = Must(ImageDecoder::Create(stream, TestImageModel(), synthesis));
  Tensor<uint8_t> out(decoder.height(), decoder.width(), decoder.channels());
  int64_t y = 0;
  for (size_t i = 0; y < out.height(); ++i) {
    const int64_t n = std::min(chunks[i % chunks.size()], out.height() - y);
    const Status status = decoder.ReadRows(out.view().Window(y, 0, n, out.width()));
    EXPECT_TRUE(status.ok()) << status.message();
    y += n;
  }
  const Status past_the_end = decoder.ReadRows(out.view().Window(0, 0, 1, out.width()));
  EXPECT_EQ(past_the_end.code(), StatusCode::kInvalidArgument);
  return out;
}

TEST(ImageDecoderTest, ChunksOfRowsGiveTheSameSamples) {
  for (const DecoderCase& c : Cases()) {
    const Bytes file = FileOf(c);
    const ImageStream stream = Must(ParseImageStream(file));
    for (const ImageSynthesis* synthesis : Syntheses()) {
      const Tensor<uint8_t> want = Decode(file, synthesis);
      for (const std::vector<int64_t>& chunks :
           {std::vector<int64_t>{1}, {3}, {8}, {63, 1, 2}, {64}, {65}, {0, 100}}) {
        EXPECT_TRUE(SameSamples(ReadInChunks(stream, synthesis, chunks), want))
            << c.name << " chunks of " << chunks[0];
      }
    }
  }
}

TEST(ImageDecoderTest, RowsWithRoomBetweenPixelsStayUntouchedThere) {
  const Bytes file = FileOf(Cases()[0]);
  const ImageStream stream = Must(ParseImageStream(file));
  const Tensor<uint8_t> want = Decode(file, nullptr);
  ImageDecoder decoder = Must(ImageDecoder::Create(stream, TestImageModel(), nullptr));
  Tensor<uint8_t> wide(130, 170, 4);
  std::fill_n(wide.data(), wide.size(), uint8_t{77});
  auto view = wide.view();
  view.channels = 3;
  ASSERT_TRUE(decoder.ReadRows(view).ok());
  for (int64_t i = 0; i < wide.size(); ++i) {
    ASSERT_EQ(wide.data()[i], i % 4 == 3 ? 77 : want.data()[i / 4 * 3 + i % 4]) << i;
  }
}

TEST(ImageDecoderTest, RegionsEqualTheCropOfTheWhole) {
  std::mt19937 random(11);
  for (const DecoderCase& c : Cases()) {
    const Bytes file = FileOf(c);
    const ImageStream stream = Must(ParseImageStream(file));
    const auto w = static_cast<uint32_t>(c.width), h = static_cast<uint32_t>(c.height);
    std::vector<ImageRegion> regions = {
        {0, 0, w, h},         {0, 0, 1, 1},     {w - 1, h - 1, 1, 1}, {0, h - 1, w, 1},
        {w - 1, 0, 1, h},     {0, h / 2, w, 1}, {w / 2, 0, 1, h},     {w / 2, h / 2, w - w / 2, 1},
        {w / 3, h / 3, 3, 9},
    };
    for (uint32_t border = 32; border < h; border += 32) {  // across borders of cells and tiles
      regions.push_back({0, border - 1, std::min(w, 40u), 2});
      regions.push_back({w / 2, border, 1, 1});
      regions.push_back({w / 2, border - 1, 1, 1});
    }
    for (uint32_t border = 32; border < w; border += 32) {
      regions.push_back({border - 1, 0, 1, std::min(h, 40u)});
      regions.push_back({border - 1, h / 2, std::min(2u, w - border + 1), h - h / 2});
      regions.push_back({border, h - 1, 1, 1});
    }
    for (int i = 0; i < 20; ++i) {
      const auto x = static_cast<uint32_t>(random() % w), y = static_cast<uint32_t>(random() % h);
      regions.push_back({x, y, 1 + static_cast<uint32_t>(random() % (w - x)),
                         1 + static_cast<uint32_t>(random() % (h - y))});
    }
    for (const ImageSynthesis* synthesis : Syntheses()) {
      const Tensor<uint8_t> whole = Decode(file, synthesis);
      for (size_t i = 0; i < regions.size(); ++i) {
        const ImageRegion& r = regions[i];
        ImageDecodeOptions options{.region = r, .threads = 1 + static_cast<int>(i % 2)};
        options.window = i % 3 == 0 ? 32 : 0;
        EXPECT_TRUE(SameSamples(Must(DecodeImage(stream, TestImageModel(), synthesis, options)),
                                Crop(whole, r)))
            << c.name << " region " << r.x << "," << r.y << "," << r.width << "," << r.height
            << " network=" << (synthesis != nullptr);
      }
    }
  }
}

TEST(ImageDecoderTest, RegionsOutsideThePictureAreRefused) {
  const Bytes file = FileOf(Cases()[0]);
  const ImageStream stream = Must(ParseImageStream(file));
  for (const ImageRegion& r : {ImageRegion{0, 0, 171, 1},
                               {0, 0, 1, 131},
                               {170, 0, 1, 1},
                               {0, 130, 1, 1},
                               {3, 3, 5, 0},
                               {0xffffffffu, 0, 2, 1},
                               {0, 0xffffffffu, 1, 0xffffffffu}}) {
    const Status status =
        ImageDecoder::Create(stream, TestImageModel(), nullptr, {.region = r}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  }
}

TEST(ImageDecoderTest, MoreLayersNeverLookWorse) {
  for (const DecoderCase& c : Cases()) {
    const Tensor<uint8_t> picture = MakePicture(c.height, c.width, c.channels);
    const Bytes file = FileOf(c, /*step_index=*/64);
    std::vector<double> psnr;
    for (int layers = 1; layers <= 8; ++layers) {
      const Tensor<uint8_t> decoded = Decode(file, nullptr, {.layers = layers});
      psnr.push_back(Psnr(picture, decoded));
      if (layers > 1) {
        EXPECT_GE(psnr.back(), psnr[psnr.size() - 2]) << c.name << " layers=" << layers;
      }
      (void)Decode(file, &TestImageSynthesis(), {.layers = layers});
    }
    EXPECT_LT(psnr[0], 30) << c.name;  // layers carry something
    EXPECT_GT(psnr[7], 40) << c.name;
  }
}

TEST(ImageDecoderTest, FewerLayersEncodedEqualFewerDecoded) {
  for (const DecoderCase& c : Cases()) {
    const Bytes whole = FileOf(c, /*step_index=*/64);
    for (int layers = 1; layers <= 8; ++layers) {
      const Bytes file = EncodePicture(TestImageModel(), MakePicture(c.height, c.width, c.channels),
                                       {.step_index = 64,
                                        .layers = layers,
                                        .tile = c.tile,
                                        .tile_height = c.tile_height,
                                        .order = c.order});
      for (const ImageSynthesis* synthesis : Syntheses()) {
        EXPECT_TRUE(
            SameSamples(Decode(file, synthesis), Decode(whole, synthesis, {.layers = layers})))
            << c.name << " layers=" << layers;
      }
    }
  }
}

TEST(ImageDecoderTest, OtherModelsAreRefused) {
  const Bytes file = FileOf(Cases()[2]);
  const ImageStream stream = Must(ParseImageStream(file));
  ASSERT_NE(TestImageModel().id(), OtherImageModel().id());
  const auto code = [&](const ImageModel& model, const ImageSynthesis* synthesis) {
    return ImageDecoder::Create(stream, model, synthesis).status().code();
  };
  EXPECT_EQ(code(OtherImageModel(), nullptr), StatusCode::kModelRefused);
  EXPECT_EQ(code(OtherImageModel(), &OtherImageSynthesis()), StatusCode::kModelRefused);
  EXPECT_EQ(code(TestImageModel(), &OtherImageSynthesis()), StatusCode::kModelRefused);
  EXPECT_EQ(code(TestImageModel(), &TestImageSynthesis()), StatusCode::kOk);
}

TEST(ImageDecoderTest, MemoryAndPixelsStayWithinTheLimits) {
  const Bytes file = FileOf(Cases()[0]);
  const ImageStream stream = Must(ParseImageStream(file));
  for (const ImageSynthesis* synthesis : Syntheses()) {
    ImageDecodeOptions options;
    options.limits.max_memory_bytes = 100000;
    EXPECT_EQ(ImageDecoder::Create(stream, TestImageModel(), synthesis, options).status().code(),
              StatusCode::kOverLimit);
    options.limits = {.max_pixels = 130 * 170 - 1};
    EXPECT_EQ(ImageDecoder::Create(stream, TestImageModel(), synthesis, options).status().code(),
              StatusCode::kOverLimit);
    options.limits = {.max_pixels = 130 * 170};
    EXPECT_TRUE(ImageDecoder::Create(stream, TestImageModel(), synthesis, options).ok());
  }
  // A tall picture takes no more than some strips: twice the height in the same memory.
  const Bytes tall = EncodePicture(TestImageModel(), MakePicture(64 * 24, 64, 3), {.tile = 64});
  const Bytes low = EncodePicture(TestImageModel(), MakePicture(64 * 12, 64, 3), {.tile = 64});
  ImageDecodeOptions options{.threads = 1};
  const auto fits = [&](const Bytes& bytes, uint64_t memory) {
    options.limits.max_memory_bytes = memory;
    const ImageStream s = Must(ParseImageStream(bytes));
    return ImageDecoder::Create(s, TestImageModel(), nullptr, options).ok();
  };
  uint64_t least = 1;
  while (!fits(low, least)) least += 1000;
  EXPECT_TRUE(fits(tall, least));
  EXPECT_LT(least, 4000000u);
}

// A region in the upper half sees what is wrong in the lower: substreams are good or bad as a
// whole.
TEST(ImageDecoderTest, RegionsOfADamagedTileAreAnError) {
  const Bytes file =
      EncodePicture(TestImageModel(), MakePicture(256, 256, 3), {.step_index = 64, .tile = 256});
  ImageStream stream = Must(ParseImageStream(file));
  const auto& whole = stream.layers[3][0];
  ASSERT_GT(whole.size(), 40u);
  Bytes damaged(whole.begin(), whole.end());
  damaged[damaged.size() / 2] ^= std::byte{4};
  stream.layers[3][0] = damaged;
  for (const uint32_t height : {32u, 128u, 200u, 256u}) {
    for (const int threads : {1, 2}) {
      ImageDecodeOptions options{.region = {0, 0, 256, height}, .threads = threads};
      const auto out = DecodeImage(stream, TestImageModel(), nullptr, options);
      ASSERT_FALSE(out.ok()) << height;
      EXPECT_NE(out.status().message().find("tile 0, layer 3"), std::string::npos)
          << out.status().message();
    }
  }
}

TEST(ImageDecoderTest, OptionsOutOfRangeAreRefused) {
  const Bytes file = FileOf(Cases()[2]);
  const ImageStream stream = Must(ParseImageStream(file));
  for (const ImageDecodeOptions& options :
       {ImageDecodeOptions{.layers = 0}, {.threads = -1}, {.window = 33}}) {
    EXPECT_EQ(ImageDecoder::Create(stream, TestImageModel(), nullptr, options).status().code(),
              StatusCode::kInvalidArgument);
  }
}

// Every CRC is right and the payload is not: an error or noise, in bounds (the sanitizer's tests
// and fuzz_swift look for more).
TEST(ImageDecoderTest, HostilePayloadsGiveNoiseOrAnError) {
  std::mt19937 random(3);
  const Bytes file = FileOf(Cases()[1]);
  const ImageStream stream = Must(ParseImageStream(file));
  for (int i = 0; i < 300; ++i) {
    ImageStream hostile = stream;
    std::vector<Bytes> kept;
    kept.reserve(200);
    for (auto& layer : hostile.layers) {
      for (auto& substream : layer) {
        if (random() % 4 != 0) continue;
        Bytes bytes(substream.size() + random() % 8);
        std::ranges::copy(substream, bytes.begin());
        for (std::byte& b : bytes) {
          if (i % 2 == 0 || random() % 16 == 0) b = static_cast<std::byte>(random());
        }
        kept.push_back(std::move(bytes));
        substream = kept.back();
      }
    }
    hostile.header.step_index = static_cast<uint16_t>(random() % 352);
    const auto decoded = DecodeImage(hostile, TestImageModel(), Syntheses()[random() % 2]);
    if (!decoded.ok()) {
      EXPECT_TRUE(decoded.status().code() == StatusCode::kCorrupt ||
                  decoded.status().code() == StatusCode::kTruncated)
          << decoded.status().message();
    }
  }
}

}  // namespace
}  // namespace godwit
