// Files in the order of rows of tiles, and tiles that are not square.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit {
namespace {

constexpr auto kLayersType = static_cast<uint8_t>(SectionType::kLayers);

struct Shape {
  uint32_t tile, tile_height;
};
constexpr Shape kShapes[] = {{0, 32}, {32, 64}, {64, 32}, {64, 0}, {1024, 64}};

Bytes FileOf(const Tensor<uint8_t>& picture, const Shape& shape, ImageOrder order, int layers = 8,
             int step_index = 110) {
  const uint32_t tile = shape.tile != 0 ? shape.tile : 256;
  return EncodePicture(TestImageModel(), picture,
                       {.step_index = step_index,
                        .layers = layers,
                        .tile = order == ImageOrder::kRows ? shape.tile : tile,
                        .tile_height = shape.tile_height,
                        .order = order});
}

TEST(RowOrderTest, BothOrdersHoldTheSameSubstreams) {
  for (const int64_t channels : {1, 3, 4}) {
    const Tensor<uint8_t> picture = MakePicture(150, 200, channels);
    for (const Shape& shape : kShapes) {
      const int count = channels == 1 ? 7 : 8;  // grey has no more, and only rows count empty ones
      const Bytes rows = FileOf(picture, shape, ImageOrder::kRows, count),
                  layers = FileOf(picture, shape, ImageOrder::kLayers, count);
      const ImageStream by_rows = Must(ParseImageStream(rows)),
                        by_layers = Must(ParseImageStream(layers));
      EXPECT_EQ(by_rows.header.order, ImageOrder::kRows);
      EXPECT_EQ(by_layers.header.order, ImageOrder::kLayers);
      EXPECT_EQ(by_rows.header.tile_width, by_layers.header.tile_width);
      EXPECT_EQ(by_rows.header.tile_height, by_layers.header.tile_height);
      ASSERT_EQ(by_rows.layers.size(), by_layers.layers.size());
      for (size_t l = 0; l < by_rows.layers.size(); ++l) {
        ASSERT_EQ(by_rows.layers[l].size(), by_layers.layers[l].size());
        for (size_t t = 0; t < by_rows.layers[l].size(); ++t)
          EXPECT_TRUE(std::ranges::equal(by_rows.layers[l][t], by_layers.layers[l][t])) << l << t;
      }
      for (const int decoded : {1, 3, 8}) {
        const ImageDecodeOptions options{.layers = decoded};
        EXPECT_TRUE(
            SameSamples(DecodePicture(rows, TestImageModel(), &TestImageSynthesis(), options),
                        DecodePicture(layers, TestImageModel(), &TestImageSynthesis(), options)));
      }
    }
  }
}

TEST(RowOrderTest, ASectionPerRowOfTilesWithItsLayersAndNoMore) {
  const Bytes file = FileOf(MakePicture(150, 200, 3), {0, 32}, ImageOrder::kRows, 8, 330);
  const ImageStream stream = Must(ParseImageStream(file));
  EXPECT_EQ(stream.tile_rows, 5u);
  EXPECT_EQ(stream.header.tile_width, 256u);
  ASSERT_EQ(stream.sections.size(), 6u);
  bool shorter = false;
  for (size_t i = 1; i < stream.sections.size(); ++i) {
    EXPECT_EQ(stream.sections[i].tile_row, static_cast<int64_t>(i - 1));
    EXPECT_EQ(stream.sections[i].first_layer, 0);
    shorter = shorter || stream.sections[i].layers < 8;
  }
  EXPECT_TRUE(shorter);
  EXPECT_EQ(stream.layers.size(), 8u);
}

TEST(RowOrderTest, EveryPrefixIsTruncatedAndGivesItsRows) {
  const Tensor<uint8_t> picture = MakePicture(150, 90, 3);
  const Bytes file = FileOf(picture, {0, 32}, ImageOrder::kRows, 8, 200);
  const ImageStream whole = Must(ParseImageStream(file));
  const Tensor<uint8_t> want = Must(DecodeImage(whole, TestImageModel(), nullptr));
  uint64_t most = 0;
  for (size_t n = 0; n < file.size(); ++n) {
    const Bytes prefix(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
    ASSERT_EQ(ParseImageStream(prefix).status().code(), StatusCode::kTruncated) << n;
    const Result<ImageStream> part = ParseImageStream(prefix, {}, /*allow_truncated=*/true);
    if (!part.ok()) {
      ASSERT_EQ(part.status().code(), StatusCode::kTruncated);
      ASSERT_EQ(most, 0u) << n;
      continue;
    }
    ASSERT_TRUE(part->truncated);
    ASSERT_GE(part->tile_rows, most);
    if (part->tile_rows == most || most == 0) {
      most = part->tile_rows;
      continue;
    }
    // The rows before the last are whole.
    most = part->tile_rows;
    const Tensor<uint8_t> got = Must(DecodeImage(*part, TestImageModel(), nullptr));
    const auto height = static_cast<uint32_t>(32 * (most - 1));
    EXPECT_TRUE(SameSamples(Crop(got, {0, 0, 90, height}), Crop(want, {0, 0, 90, height}))) << n;
  }
  EXPECT_EQ(most, 5u);
}

TEST(RowOrderTest, SectionsMustFollowTheRowsAndTheirLayers) {
  const HandMadePicture picture{
      .flags = 36, .width = 40, .height = 70, .rate = 2 << 12, .rest = {0x25}};
  const auto code = [&](const std::vector<std::vector<uint8_t>>& bodies) {
    std::vector<HandMadeSection> sections;
    for (const auto& body : bodies) sections.push_back({kLayersType, body});
    return ParseImageStream(HandMadeFile(picture, sections)).status().code();
  };
  using enum StatusCode;
  EXPECT_EQ(code({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}), kOk);
  EXPECT_EQ(code({{0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {1, 0x20, 0, 0, 0}, {2, 0, 0}}), kOk);
  EXPECT_EQ(code({{0, 0, 0}, {0, 0x11, 0, 0}, {1, 0, 0}, {2, 0, 0}, {2, 1, 0}}), kOk);
  EXPECT_EQ(code({}), kTruncated);
  EXPECT_EQ(code({{0, 0, 0}, {1, 0, 0}}), kTruncated);
  EXPECT_EQ(code({{1, 0, 0}}), kCorrupt);                        // the first row is left out
  EXPECT_EQ(code({{0, 0, 0}, {2, 0, 0}}), kCorrupt);             // one between
  EXPECT_EQ(code({{0, 0, 0}, {0, 0, 0}}), kCorrupt);             // twice
  EXPECT_EQ(code({{0, 0, 0}, {0, 2, 0}}), kCorrupt);             // a layer is left out
  EXPECT_EQ(code({{0, 0, 0}, {0, 1, 0}, {0, 1, 0}}), kCorrupt);  // twice
  EXPECT_EQ(code({{0, 1, 0}}), kCorrupt);                        // begins in the middle
  EXPECT_EQ(code({{0, 0, 0}, {1, 1, 0}}), kCorrupt);             // the same, of a later row
  EXPECT_EQ(code({{0, 0x30, 0, 0, 0, 0}}), kCorrupt);            // four layers of three
  EXPECT_EQ(code({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {3, 0, 0}}), kCorrupt);  // below the picture
  EXPECT_EQ(code({{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}), kCorrupt);             // back
  EXPECT_EQ(code({{0, 0}}), kCorrupt);                                      // no length
  EXPECT_EQ(code({{0, 0, 0, 9}}), kCorrupt);                                // a byte left over
  EXPECT_EQ(code({{}}), kCorrupt);
}

TEST(RowOrderTest, TileBytesOfAllShapes) {
  for (int byte = 0; byte < 256; ++byte) {
    const int high = byte & 15, wide = byte < 16 ? high : (byte >> 4) + 4;
    const Bytes file = HandMadeFile(
        {.flags = 4, .width = 40, .height = 30, .rest = {static_cast<uint8_t>(byte), 0, 0}});
    const Result<ImageHeader> header = PeekImageHeader(file);
    if (high < 5 || high > 12 || (byte >= 16 && wide == high)) {
      EXPECT_EQ(header.status().code(), StatusCode::kCorrupt) << byte;
      continue;
    }
    ASSERT_TRUE(header.ok()) << byte;
    EXPECT_EQ(header->tile_width, 1u << wide);
    EXPECT_EQ(header->tile_height, 1u << high);
  }
}

TEST(RowOrderTest, AHugePictureInAFewBytesTakesNoMemory) {
  const uint64_t side = uint64_t{1} << 14;  // 2^18 tiles of 32 pixels, at the limit of pixels
  const HandMadePicture picture{
      .flags = 36, .width = side, .height = side, .rate = 7 << 12, .rest = {5}};
  std::vector<uint8_t> body = {0, 0};
  body.resize(2 + (side / 32));
  const Bytes file = HandMadeFile(picture, {{kLayersType, body}});
  const ImageStream stream = Must(ParseImageStream(file, {}, /*allow_truncated=*/true));
  EXPECT_TRUE(stream.truncated);
  size_t tiles = 0;
  for (const auto& layer : stream.layers) tiles += layer.size();
  EXPECT_EQ(tiles, 8 * side / 32);  // of the one row that is there
}

TEST(RowOrderTest, ATileAsWideAsAVeryWidePicture) {
  const Tensor<uint8_t> picture = MakePicture(40, 70000, 1);
  const Bytes file = FileOf(picture, {0, 32}, ImageOrder::kRows, 8, 60);
  const ImageStream stream = Must(ParseImageStream(file));
  EXPECT_EQ(stream.header.tile_width, 131072u);
  EXPECT_GT(Psnr(picture, Must(DecodeImage(stream, TestImageModel(), nullptr))), 40);
}

}  // namespace
}  // namespace godwit
