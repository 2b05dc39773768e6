// Lists of decisions have room for whatever comes between two pauses; every level writes the bytes
// of the scalar one.
#include "codecs/image/lite_layers.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "base/bytes.h"

namespace godwit::swift {
namespace {

// Rows of blocks of which eleven have many small values and the twelfth the largest there are.
Bytes Encoded(SimdLevel level, uint32_t seed, int large, int64_t cells) {
  const auto p = std::make_unique<ContextParameters>();
  std::memset(static_cast<void*>(p.get()), 0, sizeof *p);
  for (auto& range : p->start) range.fill(1u << 15);
  CellRow row = CellRow::Create(1, cells, /*own_symbols=*/true);
  row.StartTile(cells);
  LiteLayers layers(level, cells);
  layers.Start(*p, 0);
  std::mt19937 rng(seed);
  const Band& band = kBandTable[kBands - 1];
  for (int r = 0; r < 12; ++r) {
    row.NextRow();
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      for (int64_t x = 0; x < cells * kCellBlocks; ++x) {
        int16_t* const symbols = row.Symbols(0, y, x);
        std::memset(symbols, 0, kChannels * sizeof(int16_t));
        const int value = x % 12 == 11 ? large : x % 12 == 0 && rng() % 2 == 0 ? 1 : 2;
        for (size_t i = 0; i < band.size; ++i)
          symbols[band.channel[i]] = static_cast<int16_t>(value);
        row.nonzero[0].data()[y * row.blocks_w() + x] = band.mask;
        row.cell_nonzero[0].data()[x / kCellBlocks] = band.mask;
      }
    }
    for (int l = 0; l < kLayers; ++l) layers.CodeLayer(*p, row, l);
  }
  layers.Flush();
  Bytes all;
  for (int l = 0; l < kLayers; ++l) {
    const auto bytes = layers.Finish(l);
    EXPECT_TRUE(bytes.ok());
    all.insert(all.end(), bytes->begin(), bytes->end());
  }
  return all;
}

class LiteLayersTest : public testing::TestWithParam<SimdLevel> {};

INSTANTIATE_TEST_SUITE_P(Levels, LiteLayersTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST_P(LiteLayersTest, AsManyDecisionsAsThereCanBeHaveRoom) {
  for (const int64_t cells : {9, 64}) {
    for (const int large : {3, 32767}) {
      for (const uint32_t seed : {1u, 2u}) {
        EXPECT_EQ(Encoded(GetParam(), seed, large, cells),
                  Encoded(SimdLevel::kScalar, seed, large, cells))
            << cells << " cells, values of " << large << ", seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace godwit::swift
