// codecs/array/wavelet_bands.h: a box of whole numbers as the bands of a wavelet pyramid, and
// back. docs/format/array.md section 8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cpu.h"

namespace godwit::array {

inline constexpr int kMaxWaveletLevels = 8;

// Places, rows, columns; a box without some of them has sides of 1 there.
struct WaveletShape {
  std::array<int64_t, 3> sides{1, 1, 1};
  std::array<int, 3> levels{0, 0, 0};  // of each axis, up to kMaxWaveletLevels

  int64_t count() const { return sides[0] * sides[1] * sides[2]; }
};

// As many levels as leave at least four samples of an axis, up to `most`.
WaveletShape ShapeWithLevels(const std::array<int64_t, 3>& sides, int most);

struct WaveletBand {
  std::array<int64_t, 3> begin{}, size{};  // in the box
  int level = 0;                           // 0 is the finest
  unsigned high = 0;             // bit 2 - a: axis a is high-passed; 0 for the lowest band
  int lows = 0, highs = 0;       // how often it came out of a low-pass and of a high-pass
  uint32_t context = 0;          // of its symbols: which class
  int parent = -1;               // the band like it one level up, or none
  std::array<bool, 3> halved{};  // axes along which the parent is half as long
  std::vector<int> siblings;     // the last three before it of its level

  bool is_empty() const { return size[0] == 0 || size[1] == 0 || size[2] == 0; }
};
// Lowest first, then from the coarsest level to the finest. None is empty.
std::vector<WaveletBand> BandsOf(const WaveletShape& shape);

// CDF 9/7 by lifting, level by level, all axes that still have one. `data` has count() samples,
// `scratch` as WaveletScratch() says.
size_t WaveletScratch(const WaveletShape& shape);
void ForwardWavelet(SimdLevel simd, const WaveletShape& shape, int32_t* data,
                    std::vector<int32_t>& scratch);
void InverseWavelet(SimdLevel simd, const WaveletShape& shape, int32_t* data,
                    std::vector<int32_t>& scratch);

// 2^16 times 1.1496^n, the scaling that lifting leaves out, for |n| <= 3 * kMaxWaveletLevels.
int64_t LiftingScale(int n);

}  // namespace godwit::array
