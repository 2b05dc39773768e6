// codecs/image/swift_neighbours.h: where the contexts of `lite` look, in one row of cells: the same
// for whoever codes, decodes or searches. docs/format/entropy.md sections 4.3 and 4.4.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_coarse_context.h"
#include "codecs/image/swift_model.h"

namespace godwit::swift {

#define GODWIT_ALWAYS_INLINE \
  __attribute__((always_inline)) inline  // compiled for the caller's level

// A weighted sum and what it is made of.
template <size_t kFeatures>
struct FeatureSum {
  std::array<int, kFeatures> features;
  uint32_t sum;
};

// The cells whose flag for the band at hand is set lie in [first, end); both are equal if none is.
struct CellSpan {
  int64_t first, end;
};
GODWIT_ALWAYS_INLINE CellSpan FlaggedCells(const CellRow& row) {
  const uint8_t* const flags = row.cell_flag.data() + 1;
  int64_t first = 0, end = row.cells_w;
  while (first < end && flags[first] == 0) ++first;
  while (end > first && flags[end - 1] == 0) --end;
  return {first, end};
}

struct CoarseDcContext {
  int mean;
  FeatureSum<kCoarseFeatures> scale;
};
GODWIT_ALWAYS_INLINE CoarseDcContext CoarseDcContextOf(CellRow& row, const ContextParameters& p,
                                                       int plane, int64_t x) {
  // Coarse arrays have a border of one cell, so neighbours need no checks; the border is zero.
  const auto pz = static_cast<size_t>(plane);
  const int64_t left = -kCoarse, up = -row.cell_pitch * kCoarse;
  const int64_t at = row.BorderedCell(x) * kCoarse;
  const int16_t* const q = row.coarse[pz].data() + at;
  const auto magnitude = [&](size_t other, int64_t offset) __attribute__((always_inline)) {
    return std::abs(int{row.coarse_residual[other].data()[at + offset]});
  };
  // At an edge the one neighbour there is serves for both.
  int mean = 0;
  if (x > 0 && !row.first) {
    const auto& m = p.coarse_dc_mean[pz];
    mean = (m[0] * q[left] + m[1] * q[up] + m[2] * q[up + left] +
            m[3] * q[up - left * (x + 1 < row.cells_w)] + 128) >>
           8;
  } else if (x > 0) {
    mean = q[left];
  } else if (!row.first) {
    mean = q[up];
  }
  const CoarseWeights& w = p.coarse[pz];
  CoarseDcContext context{
      std::clamp(mean, -16000, 16000),
      {{magnitude(pz, left), magnitude(pz, up), magnitude(pz, up + left) + magnitude(pz, up - left),
        plane > 0 ? magnitude(0, 0) : 0, plane > 1 ? magnitude(1, 0) : 0, 0},
       static_cast<uint32_t>(w.bias[0])}};
  for (size_t k = 0; k < kCoarseFeatures; ++k)
    context.scale.sum += static_cast<uint32_t>(w.magnitude[k][0] * context.scale.features[k]);
  return context;
}

// Whether a cell has any coarse AC.
GODWIT_ALWAYS_INLINE FeatureSum<kCoarseFlagFeatures> CoarseFlagOf(CellRow& row,
                                                                  const ContextParameters& p,
                                                                  int plane, int64_t x) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t cell = row.BorderedCell(x);
  const uint8_t* const activity = row.coarse_activity[pz].data() + cell;
  FeatureSum<kCoarseFlagFeatures> flag{
      {activity[-1], activity[-row.cell_pitch], plane > 0 ? row.coarse_activity[0].data()[cell] : 0,
       plane > 1 ? row.coarse_activity[1].data()[cell] : 0},
      p.coarse_flag_bias[pz]};
  for (size_t k = 0; k < kCoarseFlagFeatures; ++k)
    flag.sum += static_cast<uint32_t>(p.coarse_flag_weights[pz][k] * flag.features[k]);
  return flag;
}

GODWIT_ALWAYS_INLINE CoarseNeighbours CoarseNeighboursOf(CellRow& row, int plane, int64_t x) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t left = -kCoarse, up = -row.cell_pitch * kCoarse;
  const int64_t at = row.BorderedCell(x) * kCoarse;
  const int16_t* const q = row.coarse[pz].data() + at;
  const int8_t* const r = row.coarse_residual[pz].data() + at;
  // Slope of coarse DC across the cell, one-sided at an edge of the tile, and from the cell above.
  return {r + left,
          r + up,
          r + up + left,
          r + up - left,
          plane > 0 ? row.coarse_residual[0].data() + at : nullptr,
          plane > 1 ? row.coarse_residual[1].data() + at : nullptr,
          q + left,
          q + up,
          q[x > 0 ? left : 0] - q[x + 1 < row.cells_w ? -left : 0],
          row.first ? 0 : q[up] - q[0]};
}

// Which cells (4x4 blocks) have anything in a band. Counts are only known later, so of the cell to
// the left its flag stands in. `sum` has room for the cells of the row.
GODWIT_ALWAYS_INLINE CellFlagRow CellFlagRowOf(CellRow& row, const ContextParameters& p, int plane,
                                               int band, uint32_t* sum) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const auto counts = [&](size_t g) __attribute__((always_inline)) {
    return row.cell_count[g].data() + row.BorderedCell(0);
  };
  return {counts(gz),
          band > 0 ? counts(gz - 1) : row.coarse_activity[pz].data() + row.BorderedCell(0),
          plane > 0 ? counts(bz) : nullptr,
          plane > 1 ? counts(kBands + bz) : nullptr,
          row.cell_pitch,
          row.cells_w,
          p.cell_weights[gz].data(),
          p.cell_bias[gz],
          sum};
}

// The flags of row y of blocks, in the cells [first, end).
GODWIT_ALWAYS_INLINE FlagRow FlagRowOf(CellRow& row, const ContextParameters& p, int plane,
                                       int band, int64_t y, int64_t first, int64_t end) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const int64_t start = row.Bordered(y, first * kCellBlocks);
  const auto sums = [&](size_t g) __attribute__((always_inline)) {
    return row.band_sum[g].data() + start;
  };
  const uint8_t* const gradient = row.gradient[pz].data() + start;
  FlagRow r{};
  r.same = sums(gz);
  r.lower = band > 0 ? sums(gz - 1) : gradient;
  r.lowest = band > 1 ? sums(gz - 2) : band == 1 ? gradient : nullptr;
  r.luma = plane > 0 ? sums(bz) : nullptr;
  r.other = plane > 1 ? sums(kBands + bz) : nullptr;
  r.activity = band == 0 ? row.coarse_activity[pz].data() + row.BorderedCell(first) : nullptr;
  r.pitch = row.block_pitch;
  r.below = y + 1 < kCellBlocks ? row.block_pitch : 0;
  r.count = (end - first) * kCellBlocks;
  r.weights = p.flag_weights[gz].data();
  r.bias = p.flag_bias[gz];
  r.sum = row.flag_sum.data() + first * kCellBlocks;
  return r;
}

GODWIT_ALWAYS_INLINE BandNeighbours BandNeighboursOf(const CellRow& row, int plane, int band,
                                                     int64_t y, int64_t x, uint32_t flag_sum) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t pitch = row.block_pitch, at = row.Bordered(y, x);
  const int64_t first = kBandFirst[static_cast<size_t>(band)];
  const int8_t* const residual = row.residual[pz].data() + at * kChannels;
  const int8_t* const r = residual + first;
  const BlockEdges* const edges = row.edges[pz].data() + at;
  const auto other_plane = [&](size_t p) __attribute__((always_inline)) {
    return row.residual[p].data() + at * kChannels + first;
  };
  return {residual,
          r - kChannels,
          r - pitch * kChannels,
          r - (pitch + 1) * kChannels,
          r - (pitch - 1) * kChannels,
          plane > 0 ? other_plane(0) : nullptr,
          plane > 1 ? other_plane(1) : nullptr,
          edges,
          edges - 1,
          edges - pitch,
          edges + 1,
          y + 1 < kCellBlocks ? edges + pitch : nullptr,
          static_cast<int>(std::min(flag_sum >> 4, 127u))};
}

#undef GODWIT_ALWAYS_INLINE

}  // namespace godwit::swift
