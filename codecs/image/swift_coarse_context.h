// codecs/image/swift_coarse_context.h: the weighted sums behind the contexts of a cell's coarse
// coefficients, all of a plane at once; docs/format/entropy.md section 4.3.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_layout.h"

namespace godwit::swift {

inline constexpr size_t kCoarseFlagFeatures = 4, kCoarseFeatures = 6, kCoarseMeanFeatures = 4;

// Coarse coefficients of a plane, by u * 4 + v.
struct CoarseWeights {
  // Of the residual's magnitude to the left, above, at both corners above, in plane 0, in plane 1,
  // and of |t| / 16.
  std::array<std::array<int16_t, kCoarse>, kCoarseFeatures> magnitude;  // 0..255
  std::array<int32_t, kCoarse> bias;                                    // 0..65535
  // Of t: slopes of coarse DC across and down, the symbol to the left, above; 1024 is one.
  std::array<std::array<int16_t, kCoarse>, kCoarseMeanFeatures> mean;
};

// Sixteen coefficients of each cell.
struct CoarseNeighbours {
  const int8_t *left, *up, *up_left, *up_right;  // residuals
  const int8_t *luma, *other;                    // residuals of planes 0 and 1 here, or null
  const int16_t *left_symbol, *up_symbol;
  int slope_x, slope_y;
};

struct CoarseContexts {
  std::array<uint8_t, kCoarse> scale_class;
  std::array<int16_t, kCoarse> mean;  // t, 1/16 steps, -4095..4095
};
void SumCoarse(SimdLevel level, const CoarseWeights& w, const CoarseNeighbours& n,
               CoarseContexts& out);

}  // namespace godwit::swift
