#include "codecs/image/swift_tile.h"

#include <cstring>

namespace godwit::swift {
namespace {

template <typename T>
void Clear(Tensor<T>& t, int64_t count) {
  std::memset(static_cast<void*>(t.data()), 0, static_cast<size_t>(count) * sizeof(T));
}

int16_t Saturate16(int64_t v) {
  return static_cast<int16_t>(std::clamp<int64_t>(v, -32768, 32767));
}

// A plane with a border of one block gets its border from the nearest block inside.
void ReplicateBorder(int16_t* a, int64_t h, int64_t w, int64_t pitch) {
  for (int64_t y = 1; y <= h; ++y) {
    a[y * pitch] = a[y * pitch + 1];
    a[y * pitch + w + 1] = a[y * pitch + w];
  }
  const size_t row = static_cast<size_t>(pitch) * sizeof(int16_t);
  std::memcpy(a, a + pitch, row);
  std::memcpy(a + (h + 1) * pitch, a + h * pitch, row);
}

}  // namespace

uint64_t TileLatents::BytesFor(int planes, int64_t max_cells_h, int64_t max_cells_w) {
  const uint64_t cells =
      static_cast<uint64_t>(max_cells_h + 2) * static_cast<uint64_t>(max_cells_w + 2);
  const uint64_t blocks = static_cast<uint64_t>(max_cells_h * kCellBlocks + 2) *
                          static_cast<uint64_t>(max_cells_w * kCellBlocks + 2);
  constexpr uint64_t kPerBlock =
      2 * kChannels + 8 + 2 + 16 + 8 + kChannels + 1 + sizeof(BlockEdges) + kBands;
  constexpr uint64_t kPerCell = 2 * kCoarse + kCoarse + 1 + kBands + 8;
  return static_cast<uint64_t>(planes) * (blocks * kPerBlock + cells * kPerCell + 64 * 40);
}

TileLatents TileLatents::Create(int planes, int64_t max_cells_h, int64_t max_cells_w) {
  TileLatents t;
  t.planes = planes;
  const int64_t blocks = max_cells_h * max_cells_w * kCellBlocks * kCellBlocks;
  const int64_t bordered = (max_cells_h * kCellBlocks + 2) * (max_cells_w * kCellBlocks + 2);
  const int64_t cells = (max_cells_h + 2) * (max_cells_w + 2);
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    t.symbols[p] = Tensor<int16_t>(1, blocks, kChannels);
    t.nonzero[p] = Tensor<uint64_t>(1, blocks);
    t.coarse[p] = Tensor<int16_t>(1, cells, kCoarse);
    t.dc[p] = Tensor<int16_t>(1, bordered);
    t.mean[p] = Tensor<int16_t>(1, blocks, 8);
    t.fraction[p] = Tensor<int8_t>(1, blocks, 8);
    t.coarse_magnitude[p] = Tensor<uint8_t>(1, cells, kCoarse);
    t.coarse_activity[p] = Tensor<uint8_t>(1, cells);
    t.magnitude[p] = Tensor<uint8_t>(1, bordered, kChannels);
    t.gradient[p] = Tensor<uint8_t>(1, bordered);
    t.edges[p] = Tensor<BlockEdges>(1, bordered);
    t.cell_nonzero[p] = Tensor<uint64_t>(1, cells);
    for (size_t b = 0; b < kBands; ++b) {
      t.band_sum[p * kBands + b] = Tensor<uint8_t>(1, bordered);
      t.cell_count[p * kBands + b] = Tensor<uint8_t>(1, cells);
    }
  }
  t.cell_flag = Tensor<uint8_t>(1, max_cells_w);
  return t;
}

void TileLatents::Reset(int64_t new_cells_h, int64_t new_cells_w) {
  cells_h = new_cells_h;
  cells_w = new_cells_w;
  coarse_pitch = cells_w + 2;
  block_pitch = cells_w * kCellBlocks + 2;
  const int64_t blocks = blocks_h() * blocks_w();
  const int64_t bordered = (blocks_h() + 2) * block_pitch;
  const int64_t cells = (cells_h + 2) * coarse_pitch;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    Clear(symbols[p], blocks * kChannels);
    Clear(nonzero[p], blocks);
    Clear(coarse[p], cells * kCoarse);
    Clear(dc[p], bordered);
    Clear(mean[p], blocks * 8);
    Clear(fraction[p], blocks * 8);
    Clear(coarse_magnitude[p], cells * kCoarse);
    Clear(coarse_activity[p], cells);
    Clear(magnitude[p], bordered * kChannels);
    Clear(gradient[p], bordered);
    Clear(edges[p], bordered);
    Clear(cell_nonzero[p], cells);
    for (size_t b = 0; b < kBands; ++b) {
      Clear(band_sum[p * kBands + b], bordered);
      Clear(cell_count[p * kBands + b], cells);
    }
  }
}

void ReconstructDc(const SwiftModel& model, uint32_t step, TileLatents& tile) {
  const auto& m = model.coarse_inverse;
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    for (int64_t cy = 0; cy < tile.cells_h; ++cy) {
      for (int64_t cx = 0; cx < tile.cells_w; ++cx) {
        const int16_t* const q =
            tile.coarse[p].data() + ((cy + 1) * tile.coarse_pitch + cx + 1) * kCoarse;
        int64_t value[16], half[16];  // value[u][v] f=6; half[x][v] f=6
        for (size_t i = 0; i < 16; ++i) {
          value[i] = std::clamp<int64_t>(int64_t{q[i]} * step, -(1 << 23), 1 << 23);
        }
        for (size_t x = 0; x < 4; ++x) {
          for (size_t v = 0; v < 4; ++v) {
            int64_t sum = 1 << 13;
            for (size_t u = 0; u < 4; ++u) sum += m[x * 4 + u] * value[u * 4 + v];
            half[x * 4 + v] = sum >> 14;
          }
        }
        for (int64_t y = 0; y < 4; ++y) {
          int16_t* const row = tile.dc[p].data() + (cy * 4 + y + 1) * tile.block_pitch + cx * 4 + 1;
          for (size_t x = 0; x < 4; ++x) {
            int64_t sum = 1 << 15;
            for (size_t v = 0; v < 4; ++v)
              sum += m[static_cast<size_t>(y) * 4 + v] * half[x * 4 + v];
            row[x] = Saturate16(sum >> 16);
          }
        }
      }
    }
    ReplicateBorder(tile.dc[p].data(), tile.blocks_h(), tile.blocks_w(), tile.block_pitch);
  }
}

void PredictMeans(const SwiftModel& model, uint32_t step, bool set_symbols, TileLatents& tile) {
  const int64_t reciprocal = (int64_t{1} << 26) / step;  // of a step in 1/64: < 2^22
  const int64_t pitch = tile.block_pitch;
  const int64_t neighbour[8] = {-pitch - 1, -pitch, -pitch + 1, -1, 1, pitch - 1, pitch, pitch + 1};
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    const auto& weights = model.dc_predictor[p];
    for (int64_t y = 0; y < tile.blocks_h(); ++y) {
      for (int64_t x = 0; x < tile.blocks_w(); ++x) {
        const int64_t at = (y + 1) * pitch + x + 1, block = y * tile.blocks_w() + x;
        const int16_t* const dc = tile.dc[p].data() + at;
        int difference[8];
        for (size_t k = 0; k < 8; ++k) difference[k] = dc[neighbour[k]] - dc[0];
        const int64_t slope = std::abs(difference[1]) + std::abs(difference[3]) +
                              std::abs(difference[4]) + std::abs(difference[6]);  // f=4
        tile.gradient[p].data()[at] =
            static_cast<uint8_t>(std::min<int64_t>(slope * reciprocal >> 24, 255));  // whole steps
        BlockEdges& edges = tile.edges[p].data()[at];
        const int dc_steps = static_cast<int>((int64_t{dc[0]} * reciprocal + (1 << 23)) >> 24);
        // Only differences of DC matter at a border: steps beyond 255 wrap alike on both sides.
        const int16_t dc_edge = static_cast<int16_t>(BlockEdges::kEdge[0] * dc_steps);
        edges.left[0] = edges.right[0] = edges.top[0] = edges.bottom[0] = dc_edge;
        int16_t* const mean = tile.mean[p].data() + block * 8;
        int8_t* const fraction = tile.fraction[p].data() + block * 8;
        for (size_t i = 0; i < kPredicted.size(); ++i) {
          int64_t sum = 0;  // f=16
          for (size_t k = 0; k < 8; ++k) sum += int64_t{weights[i][k]} * difference[k];
          const int64_t sixteenths = (sum * reciprocal + (int64_t{1} << 31)) >> 32;
          const int64_t whole = std::clamp<int64_t>((sixteenths + 8) >> 4, -2047, 2047);
          mean[i] = static_cast<int16_t>(whole);
          fraction[i] = static_cast<int8_t>(std::clamp<int64_t>(sixteenths - 16 * whole, -8, 7));
          if (whole == 0) continue;
          const int c = kPredicted[i];
          edges.Add(c >> 3, c & 7, static_cast<int>(whole));
          int16_t& symbol = tile.symbols[p].data()[block * kChannels + c];
          if (set_symbols) {
            symbol = mean[i];
          } else if (symbol == mean[i]) {
            tile.nonzero[p].data()[block] &= ~(uint64_t{1} << c);
          } else {
            tile.nonzero[p].data()[block] |= uint64_t{1} << c;
          }
        }
      }
    }
  }
}

}  // namespace godwit::swift
