// Rows of a tile side by side, in any order that threads may have, are the rows one by one.
#include "codecs/image/swift_tile_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "codecs/image/full_model.h"
#include "codecs/image/image_repack.h"
#include "codecs/image/image_syntax.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit::swift {
namespace {

constexpr int64_t kCellsH = 7, kCellsW = 3;

struct TileCase {
  bool full;
  int64_t channels;
  int step_index, layers;
};

class Latents {
 public:
  explicit Latents(size_t planes) {
    for (size_t p = 0; p < planes; ++p) {
      symbols_[p] = Tensor<int16_t>(kCellsH * 4, kCellsW * 4, kChannels);
      dc_[p] = Tensor<int16_t>(kCellsH * 4, kCellsW * 4);
    }
  }
  LatentTarget Row(int64_t y) {
    LatentTarget target;
    target.columns = kCellsW * 4;
    for (size_t p = 0; p < kPlanes && symbols_[p].size() > 0; ++p) {
      target.symbols[p] = symbols_[p].data() + y * 4 * target.columns * kChannels;
      target.dc[p] = dc_[p].data() + y * 4 * target.columns;
    }
    return target;
  }
  bool operator==(const Latents& other) const {
    const auto same = [](const Tensor<int16_t>& a, const Tensor<int16_t>& b) {
      return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
    };
    for (size_t p = 0; p < kPlanes; ++p)
      if (!same(symbols_[p], other.symbols_[p]) || !same(dc_[p], other.dc_[p])) return false;
    return true;
  }

 private:
  std::array<Tensor<int16_t>, kPlanes> symbols_, dc_;
};

TEST(SwiftTileDecoderTest, RowsSideBySideAreTheRowsOneByOne) {
  const ImageModel& model = TestImageModel();
  uint32_t seed = 1;
  for (const TileCase& c : {TileCase{false, 3, 60, 8},
                            {false, 3, 200, 5},
                            {false, 1, 90, 8},
                            {false, 3, 351, 8},
                            {false, 3, 100, 1},
                            {true, 3, 60, 8},
                            {true, 3, 230, 4},
                            {true, 1, 90, 8},
                            {true, 3, 120, 2}}) {
    Bytes file = EncodePicture(model, MakePicture(kCellsH * 32, kCellsW * 32, c.channels),
                               {.step_index = c.step_index});
    if (c.full) file = Must(RepackImage(Must(ParseImageStream(file)), model));
    const ImageStream stream = Must(ParseImageStream(file));
    std::vector<std::span<const std::byte>> layers;
    for (const auto& layer : stream.layers) layers.push_back(layer[0]);
    layers.resize(std::min(layers.size(), static_cast<size_t>(c.layers)));
    const auto planes = static_cast<size_t>(c.channels);
    const FullModel* const full = c.full ? model.full() : nullptr;
    TileDecoder one(model.swift(), full, SimdLevel::kScalar, static_cast<int>(planes), kCellsW);
    Latents want(planes);
    one.Start(layers, c.step_index, kCellsW, kCellsH);
    for (int64_t y = 0; y < kCellsH; ++y) ASSERT_TRUE(one.DecodeRow(want.Row(y)).ok());
    for (const int rows_at_once : {2, 3, 8}) {
      TileDecoder decoder(model.swift(), full, BestSimdLevel(), static_cast<int>(planes), kCellsW,
                          rows_at_once);
      for (int repeat = 0; repeat < 4; ++repeat) {  // the second tile finds the first one's state
        std::mt19937 random(seed++);
        Latents got(planes);
        decoder.Start(layers, c.step_index, kCellsW, kCellsH);
        const auto parts = static_cast<size_t>(decoder.parts());
        std::vector<int64_t> done(parts);
        while (done.back() < kCellsH) {
          const size_t part = random() % parts;
          const int64_t row = done[part];
          const bool can =
              part > 0 ? row < done[part - 1] : row < kCellsH && row - done.back() < rows_at_once;
          if (!can) continue;
          decoder.DecodePart(static_cast<int>(part), row, got.Row(row));
          ++done[part];
        }
        EXPECT_TRUE(decoder.Finish().ok());
        EXPECT_TRUE(got == want) << "full=" << c.full << " step " << c.step_index
                                 << " rows at once " << rows_at_once << " seed " << seed - 1;
      }
    }
  }
}

}  // namespace
}  // namespace godwit::swift
