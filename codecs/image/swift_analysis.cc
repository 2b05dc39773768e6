#include "codecs/image/swift_analysis.h"

#include <algorithm>
#include <cstring>

namespace godwit::swift {
namespace {

// Reciprocal with 15 to 16 significant bits; `step` in 1/64, coefficients in 1/16.
PlaneQuantiser MakeQuantiser(uint32_t step, uint8_t rounding) {
  PlaneQuantiser q{};
  while ((uint64_t{1} << (18 + q.shift + 1)) / step < 65536) ++q.shift;
  const uint64_t reciprocal = (uint64_t{1} << (18 + q.shift)) / step;
  q.reciprocal.fill(static_cast<uint16_t>(std::min<uint64_t>(reciprocal, 65535)));
  q.bias.fill(static_cast<uint16_t>(uint64_t{step} * rounding >> 10));
  q.reciprocal[0] = 0;  // DC goes through the coarse transform
  return q;
}

}  // namespace

TileAnalyser::TileAnalyser(const SwiftModel& model, SimdLevel level, int64_t max_cells_w)
    : model_(model),
      level_(level),
      kernels_(BlockTransformKernelsFor(level)),
      rows_(kPlanes, 8, max_cells_w * kCell),
      coefficients_(1, max_cells_w * kCellBlocks, kChannels),
      tail_(1, kCell, 3) {}

void TileAnalyser::AnalyseBlockRow(TensorView<const uint8_t> pixels, int64_t block_row,
                                   TileLatents& tile) {
  const int64_t width = tile.cells_w * kCell, whole = pixels.width / kCell * kCell;
  const int64_t channels = pixels.channels;
  const auto colour = [&](const uint8_t* source, int64_t x, int64_t n, int64_t row) {
    int16_t* planes[3];
    for (int64_t p = 0; p < tile.planes; ++p) planes[p] = rows_.data() + (p * 8 + row) * width + x;
    if (tile.planes == 3) {
      kernels_.colour_forward(model_.transform, source, static_cast<size_t>(n), planes);
    } else {
      kernels_.grey_forward(model_.transform, source, static_cast<size_t>(n), planes[0]);
    }
  };
  for (int64_t row = 0; row < 8; ++row) {
    const int64_t y = std::min(block_row * 8 + row, pixels.height - 1);
    const uint8_t* const source = pixels.At(y, 0);
    if (whole > 0) colour(source, 0, whole, row);
    if (whole < width) {
      const int64_t rest = pixels.width - whole;
      if (rest > 0)
        std::memcpy(tail_.data(), source + whole * channels, static_cast<size_t>(rest * channels));
      const uint8_t* const last = source + (pixels.width - 1) * channels;
      for (int64_t x = rest; x < kCell; ++x) {
        std::memcpy(tail_.data() + x * channels, last, static_cast<size_t>(channels));
      }
      colour(tail_.data(), whole, kCell, row);
    }
  }
  const int64_t blocks = tile.blocks_w();
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    kernels_.block_forward(model_.transform, rows_.data() + static_cast<int64_t>(p) * 8 * width,
                           static_cast<size_t>(width), static_cast<size_t>(blocks),
                           coefficients_.data());
    int16_t* const dc = tile.dc[p].data() + (block_row + 1) * tile.block_pitch + 1;
    for (int64_t b = 0; b < blocks; ++b) dc[b] = coefficients_.data()[b * kChannels];
    kernels_.quantise(quantiser_, coefficients_.data(), static_cast<size_t>(blocks),
                      tile.symbols[p].data() + block_row * blocks * kChannels,
                      tile.nonzero[p].data() + block_row * blocks);
  }
}

// The 4x4 transform of each cell's DC values, rounded to nearest. 64-bit sums: one pixel in 64.
void TileAnalyser::AnalyseCoarse(uint32_t step, TileLatents& tile) {
  const auto& m = model_.coarse_forward;
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    for (int64_t cy = 0; cy < tile.cells_h; ++cy) {
      for (int64_t cx = 0; cx < tile.cells_w; ++cx) {
        int64_t half[16];  // [v][x]
        for (int64_t x = 0; x < 4; ++x) {
          const int16_t* const column =
              tile.dc[p].data() + (cy * 4 + 1) * tile.block_pitch + cx * 4 + 1 + x;
          for (size_t v = 0; v < 4; ++v) {
            int64_t sum = 1 << 13;
            for (int64_t y = 0; y < 4; ++y)
              sum += m[v * 4 + static_cast<size_t>(y)] * column[y * tile.block_pitch];
            half[v * 4 + static_cast<size_t>(x)] = sum >> 14;
          }
        }
        int16_t* const q =
            tile.coarse[p].data() + ((cy + 1) * tile.coarse_pitch + cx + 1) * kCoarse;
        for (size_t u = 0; u < 4; ++u) {
          for (size_t v = 0; v < 4; ++v) {
            int64_t sum = 1 << 13;
            for (size_t x = 0; x < 4; ++x) sum += m[u * 4 + x] * half[v * 4 + x];
            const int64_t c = sum >> 14;  // f=4
            const int64_t level = (std::abs(c) * 4 + step / 2) / step;
            q[u * 4 + v] = static_cast<int16_t>(c < 0 ? -level : level);
          }
        }
      }
    }
  }
}

void TileAnalyser::Analyse(TensorView<const uint8_t> pixels, int step_index, TileLatents& tile) {
  const uint32_t step = StepFromIndex(step_index);
  tile.Reset((pixels.height + kCell - 1) / kCell, (pixels.width + kCell - 1) / kCell,
             /*latents=*/false);
  quantiser_ = MakeQuantiser(step, model_.rounding);
  for (int64_t y = 0; y < tile.blocks_h(); ++y) AnalyseBlockRow(pixels, y, tile);
  AnalyseCoarse(step, tile);
  ReconstructDc(model_, step, tile);
  PredictMeans(model_, step, /*set_symbols=*/false, level_, tile);
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    for (int64_t y = 0; y < tile.blocks_h(); ++y) {
      const uint64_t* const from = tile.nonzero[p].data() + y * tile.blocks_w();
      uint64_t* const to =
          tile.cell_nonzero[p].data() + (y / kCellBlocks + 1) * tile.coarse_pitch + 1;
      for (int64_t x = 0; x < tile.blocks_w(); ++x) to[x / kCellBlocks] |= from[x];
    }
  }
}

}  // namespace godwit::swift
