#include "codecs/image/swift_cell_row.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/per_level.h"

namespace godwit::swift {
namespace {

constexpr int64_t kRows = kCellBlocks;  // rows of blocks in a row of cells
constexpr int64_t kSlack = 64;          // bytes that kernels may read past the last block

template <typename T>
void Clear(Tensor<T>& t, int64_t from, int64_t count) {
  std::memset(static_cast<void*>(t.data() + from), 0, static_cast<size_t>(count) * sizeof(T));
}
// Row `from` of `pitch` elements becomes row 0.
template <typename T>
void KeepLast(Tensor<T>& t, int64_t from, int64_t pitch) {
  std::memcpy(static_cast<void*>(t.data()), t.data() + from * pitch,
              static_cast<size_t>(pitch) * sizeof(T));
}

template <typename T>
void TakeLast(const Tensor<T>& from, Tensor<T>& to, int64_t row, int64_t pitch) {
  std::memcpy(static_cast<void*>(to.data()), from.data() + row * pitch,
              static_cast<size_t>(pitch) * sizeof(T));
}

// kBytes positions of `count` blocks: a size that the compiler knows is four times as fast.
template <size_t kBytes>
void CopyPositions(const int8_t* from, int8_t* to, int64_t count) {
  for (int64_t x = 0; x < count; ++x) std::memcpy(to + x * kChannels, from + x * kChannels, kBytes);
}
template <size_t... kBytes>
constexpr auto MakeCopyPositions(std::index_sequence<kBytes...>) {
  return std::array<void (*)(const int8_t*, int8_t*, int64_t), sizeof...(kBytes)>{
      CopyPositions<kBytes>...};
}
constexpr auto kCopyPositions = MakeCopyPositions(std::make_index_sequence<24>());

}  // namespace

uint64_t CellRow::BytesFor(int planes, int64_t max_cells_w) {
  const auto blocks = static_cast<uint64_t>(max_cells_w * kCellBlocks + 2);
  const auto cells = static_cast<uint64_t>(max_cells_w + 2);
  constexpr uint64_t kPerBlock = 4 * (2 * kChannels + 8) + 6 * 2 +
                                 5 * (kChannels + 1 + sizeof(BlockEdges) + kBands) +
                                 2 * (kLayers - 2) * 16;
  constexpr uint64_t kPerCell = 2 * (3 * kCoarse + 1 + kBands) + 8;
  return static_cast<uint64_t>(planes) * (blocks * kPerBlock + cells * kPerCell + 64 * 40) +
         blocks * (4 + 4 + 1 + 2 + 2 * kLanes + 2 + sizeof(BandContexts)) + cells + 9 * 64;
}

CellRow CellRow::Create(int planes, int64_t max_cells_w, bool own_symbols) {
  CellRow r;
  r.planes = planes;
  const int64_t blocks = max_cells_w * kCellBlocks, pitch = blocks + 2;
  const int64_t cells = 2 * (max_cells_w + 2);
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    if (own_symbols) {
      r.own_symbols[p] = Tensor<int16_t>(kRows, blocks, kChannels);
      r.symbols[p] = r.own_symbols[p].data();
    }
    r.nonzero[p] = Tensor<uint64_t>(kRows, blocks);
    r.coarse[p] = Tensor<int16_t>(1, cells, kCoarse);
    r.dc[p] = Tensor<int16_t>(kRows + 2, pitch);
    r.coarse_residual[p] = Tensor<int8_t>(1, cells, kCoarse);
    r.coarse_activity[p] = Tensor<uint8_t>(1, cells);
    r.residual[p] = Tensor<int8_t>(1, (kRows + 1) * pitch * kChannels + kSlack);
    r.gradient[p] = Tensor<uint8_t>(kRows + 1, pitch);
    r.edges[p] = Tensor<BlockEdges>(kRows + 1, pitch);
    r.edges_below[p] = Tensor<int16_t>(2 * (kLayers - 2), blocks, 8);
    r.cell_nonzero[p] = Tensor<uint64_t>(1, max_cells_w);
    for (size_t b = 0; b < kBands; ++b) {
      r.band_sum[p * kBands + b] = Tensor<uint8_t>(kRows + 1, pitch);
      r.cell_count[p * kBands + b] = Tensor<uint8_t>(1, cells);
    }
  }
  r.cell_flag = Tensor<uint8_t>(1, max_cells_w + 1);
  r.flag_sum = Tensor<uint32_t>(1, blocks);
  r.flag_decision = Tensor<uint32_t>(1, blocks + 16);  // writers copy whole sixteens
  r.flag = Tensor<uint8_t>(1, blocks + 1);
  r.flagged = Tensor<uint16_t>(1, blocks);
  r.values = Tensor<int16_t>(1, blocks, kLanes);
  r.value_lanes = Tensor<uint16_t>(1, blocks);
  r.contexts = Tensor<BandContexts>(1, blocks);
  return r;
}

// What NextRow() and TakeAbove() keep of a row that is not there, and the borders.
void CellRow::Start(int64_t width, const CellRow* up) {
  cells_w = width;
  cell_pitch = width + 2;
  block_pitch = width * kCellBlocks + 2;
  first = up == nullptr;
  above = up;
  parity = 0;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    Clear(coarse[p], 0, 2 * cell_pitch * kCoarse);
    Clear(coarse_residual[p], 0, 2 * cell_pitch * kCoarse);
    Clear(coarse_activity[p], 0, 2 * cell_pitch);
    Clear(residual[p], 0, (kRows + 1) * block_pitch * kChannels);
    Clear(gradient[p], 0, (kRows + 1) * block_pitch);
    for (size_t b = 0; b < kBands; ++b) {
      Clear(band_sum[p * kBands + b], 0, (kRows + 1) * block_pitch);
      Clear(cell_count[p * kBands + b], 0, 2 * cell_pitch);
    }
  }
}

void CellRow::StartTile(int64_t width) {
  Start(width, nullptr);
  symbol_pitch = width * kCellBlocks;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    Clear(edges[p], 0, (kRows + 1) * block_pitch);
    Clear(edges_below[p], 0, 2 * (kLayers - 2) * blocks_w() * 8);
    edges_kept[p] = {};
  }
}

void CellRow::NextRow() {
  parity = 1 - parity;
  const int64_t bordered = kRows * block_pitch;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    KeepLast(coarse[p], 1, cell_pitch * kCoarse);
    Clear(coarse[p], cell_pitch * kCoarse, cell_pitch * kCoarse);
    KeepLast(coarse_residual[p], 1, cell_pitch * kCoarse);
    Clear(coarse_residual[p], cell_pitch * kCoarse, cell_pitch * kCoarse);
    KeepLast(coarse_activity[p], 1, cell_pitch);
    Clear(coarse_activity[p], cell_pitch, cell_pitch);
    KeepLast(dc[p], kRows, block_pitch);
    KeepLast(residual[p], kRows, block_pitch * kChannels);
    Clear(residual[p], block_pitch * kChannels, bordered * kChannels);
    KeepLast(gradient[p], kRows, block_pitch);  // StartEdges() sets the rest
    for (size_t b = 0; b < kBands; ++b) {
      Tensor<uint8_t>& sum = band_sum[p * kBands + b];
      KeepLast(sum, kRows, block_pitch);
      Clear(sum, block_pitch, bordered);
      Tensor<uint8_t>& count = cell_count[p * kBands + b];
      KeepLast(count, 1, cell_pitch);
      Clear(count, cell_pitch, cell_pitch);
    }
  }
}

void CellRow::StartBeside(int64_t width, const CellRow* up) {
  Start(width, up);
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    for (int64_t y = -1; y < kRows; ++y) {  // inside, the layers set them
      edges[p].data()[Bordered(y, -1)] = {};
      edges[p].data()[Bordered(y, blocks_w())] = {};
    }
  }
}

// Later layers may be at work in the row above: only this layer's elements are read.
void CellRow::TakeAbove(int layer) {
  if (above == nullptr) return;
  for (size_t p = 0; p < static_cast<size_t>(planes); ++p) {
    if (layer == 0) {
      for (int64_t x = 0; x < cell_pitch; ++x) {
        const int64_t at = x * kCoarse, from = (cell_pitch + x) * kCoarse;
        coarse[p].data()[at] = above->coarse[p].data()[from];
        coarse_residual[p].data()[at] = above->coarse_residual[p].data()[from];
      }
    } else if (layer == 1) {
      TakeLast(above->coarse[p], coarse[p], 1, cell_pitch * kCoarse);
      TakeLast(above->coarse_residual[p], coarse_residual[p], 1, cell_pitch * kCoarse);
      TakeLast(above->coarse_activity[p], coarse_activity[p], 1, cell_pitch);
      TakeLast(above->dc[p], dc[p], kRows, block_pitch);
      TakeLast(above->gradient[p], gradient[p], kRows, block_pitch);
    } else {
      size_t first_band = 0, end_band = 0;  // of the layer
      for (size_t b = 0; b < kBands; ++b) {
        const int of = LayerOf(static_cast<int>(p), static_cast<int>(b));
        first_band += of < layer;
        end_band += of <= layer;
      }
      if (first_band == end_band) continue;
      for (size_t b = first_band; b < end_band; ++b) {
        const size_t g = p * kBands + b;
        TakeLast(above->band_sum[g], band_sum[g], kRows, block_pitch);
        TakeLast(above->cell_count[g], cell_count[g], 1, cell_pitch);
      }
      const int64_t position = kBandFirst[first_band];
      kCopyPositions[static_cast<size_t>(kBandFirst[end_band] - position)](
          above->residual[p].data() + kRows * block_pitch * kChannels + position,
          residual[p].data() + position, block_pitch);
    }
  }
}

void CellRow::TakeEdgesAbove(size_t plane, int layer) {
  BlockEdges* const to = edges[plane].data() + Bordered(-1, 0);
  if (first) {
    for (int64_t x = 0; x < blocks_w(); ++x) to[x].bottom = {};
    return;
  }
  const CellRow& up = above != nullptr ? *above : *this;
  const int side = above != nullptr ? up.parity : 1 - parity,
            kept = up.edges_kept[plane][static_cast<size_t>(side)][static_cast<size_t>(layer)];
  const int16_t* const from =
      up.edges_below[plane].data() + (side * (kLayers - 2) + kept) * blocks_w() * 8;
  for (int64_t x = 0; x < blocks_w(); ++x)
    std::memcpy(to[x].bottom.data(), from + x * 8, sizeof to[x].bottom);
}

void CellRow::KeepEdgesBelow(size_t plane, int layer, bool coded) {
  auto& kept = edges_kept[plane][static_cast<size_t>(parity)];
  const auto l = static_cast<size_t>(layer);
  if (!coded && layer > 2) {
    kept[l] = kept[l - 1];
    return;
  }
  kept[l] = static_cast<int8_t>(layer - 2);
  int16_t* const to =
      edges_below[plane].data() + (parity * (kLayers - 2) + layer - 2) * blocks_w() * 8;
  const BlockEdges* const from = edges[plane].data() + Bordered(kRows - 1, 0);
  for (int64_t x = 0; x < blocks_w(); ++x)
    std::memcpy(to + x * 8, from[x].bottom.data(), sizeof from[x].bottom);
}

void ReconstructDc(const SwiftModel& model, uint32_t step, SimdLevel level, CellRow& row) {
  const int64_t pitch = row.block_pitch;
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    int16_t* const dc = row.dc[p].data();
    CoarseInverse(level, model.coarse_inverse, row.Coarse(p, step));
    // Beyond the tile the nearest block stands in; so it does below, where nothing is coded yet.
    for (int64_t y = 1; y <= kRows; ++y) {
      dc[y * pitch] = dc[y * pitch + 1];
      dc[y * pitch + pitch - 1] = dc[y * pitch + pitch - 2];
    }
    const size_t bytes = static_cast<size_t>(pitch) * sizeof(int16_t);
    if (row.first) std::memcpy(dc, dc + pitch, bytes);
    std::memcpy(dc + (kRows + 1) * pitch, dc + kRows * pitch, bytes);
  }
}

namespace {

constexpr int64_t kChunk = 32;  // blocks

// DC in whole steps from half of it (f=3): (half * factor + 2^14) >> 15 is in sixteenths.
struct StepScale {
  explicit StepScale(uint32_t step)
      : shift(step >= 128  ? 4
              : step >= 64 ? 3
                           : 2),
        factor(static_cast<int16_t>(std::min<uint32_t>((1u << (18 + shift)) / step, 32767))) {}
  int shift;  // from there to whole steps
  int16_t factor;
};

// A part of a row of blocks; the loops become vectors of 16-bit numbers.
struct GradientRow {
  const int16_t* dc;  // of the first block
  int64_t pitch;      // between rows of dc
  int64_t count;      // blocks, at most kChunk
  StepScale scale;
  uint8_t* gradient;                    // out: whole steps, at most 255
  std::array<int16_t, kChunk> dc_edge;  // out: DC in whole steps, times kEdge[0]; wraps
};

__attribute__((always_inline)) inline void GradientBody(GradientRow& r) {
  // Copies, so that nothing written can be thought to change them.
  const int16_t factor = r.scale.factor;
  const int shift = r.scale.shift, half_step = 1 << (shift - 1);
  const int16_t* const here = r.dc;
  const int16_t *const above = here - r.pitch, *const below = here + r.pitch;
  uint8_t* const __restrict gradient = r.gradient;
  int16_t* const __restrict dc_edge = r.dc_edge.data();
  const int64_t count = r.count;
  const auto scaled = [=](int16_t half) __attribute__((always_inline)) {
    return static_cast<int16_t>((int32_t{half} * factor + (1 << 14)) >> 15);
  };
  const auto slope = [=](int16_t a, int16_t b) __attribute__((always_inline)) {
    const auto half = static_cast<int16_t>((a >> 1) - (b >> 1));
    return static_cast<int16_t>(std::min(std::abs(int{scaled(half)}), 8191));
  };
  for (int64_t x = 0; x < count; ++x) {
    const auto sum = static_cast<int16_t>(slope(above[x], here[x]) + slope(here[x - 1], here[x]) +
                                          slope(here[x + 1], here[x]) + slope(below[x], here[x]));
    gradient[x] = static_cast<uint8_t>(std::min(sum >> shift, 255));
  }
  for (int64_t x = 0; x < count; ++x) {
    const int steps = (scaled(static_cast<int16_t>(here[x] >> 1)) + half_step) >> shift;
    dc_edge[x] = static_cast<int16_t>(kEdge[0] * steps);
  }
}

}  // namespace

void StartEdges(uint32_t step, SimdLevel level, CellRow& row) {
  for (size_t p = 0; p < static_cast<size_t>(row.planes); ++p) {
    for (int64_t y = 0; y < kRows; ++y) {
      for (int64_t x0 = 0; x0 < row.blocks_w(); x0 += kChunk) {
        const int64_t at = row.Bordered(y, x0);
        GradientRow r{row.dc[p].data() + at,
                      row.block_pitch,
                      std::min(kChunk, row.blocks_w() - x0),
                      StepScale(step),
                      row.gradient[p].data() + at,
                      {}};
        RunPerLevel<GradientBody>(level, r);
        BlockEdges* const edges = row.edges[p].data() + at;
        for (int64_t x = 0; x < r.count; ++x) edges[x].SetDc(r.dc_edge[static_cast<size_t>(x)]);
      }
    }
  }
}

}  // namespace godwit::swift
