// codecs/image/swift_coarse_transform.h: the second transform of swift, 4x4 DC values of a cell to
// coarse coefficients and back; docs/format/image.md sections 3 and 4.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_layout.h"

namespace godwit::swift {

using CoarseMatrix = std::array<int16_t, kCoarse>;

// The largest sum of magnitudes of a row. Up to kMaxCoarseNorm all sums below fit 32 bits.
int32_t CoarseNorm(const CoarseMatrix& m);
inline constexpr int32_t kMaxCoarseNorm = 33000;

// A row of cells: DC values in rows of `pitch`, f=4, and 16 coefficients of each cell, u * 4 + v,
// in steps of step / 64. Both read and write `cells` cells and nothing else, but may read eight
// values from any cell's first.
struct CoarseRow {
  int16_t* dc;
  int64_t pitch;
  int16_t* coefficients;
  int64_t cells;
  uint32_t step;  // 1..65535
};
// Rounded to nearest.
void CoarseForward(SimdLevel level, const CoarseMatrix& m, const CoarseRow& row);
void CoarseInverse(SimdLevel level, const CoarseMatrix& m, const CoarseRow& row);

}  // namespace godwit::swift
