// codecs/audio/lapped_kernels.h: the loops of the lapped transform, one set for each SIMD level.
// docs/format/audio.md section 4 defines every rounding; all levels give the same integers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace godwit::audio {

// Complex numbers as two planes.
struct ConstComplex {
  const int32_t *re, *im;
};
struct Complex {
  int32_t *re, *im;
};

// Sums wrap modulo 2^32. A product of complex numbers is rounded once, from 2^-30 of the factor.
struct LappedKernels {
  // Pairs around a boundary, the nearest first: left[-i] = c a - s b, right[i] = s a + c b.
  void (*fold)(int32_t* left, int32_t* right, const int32_t* c, const int32_t* s, size_t n);
  void (*unfold)(int32_t* left, int32_t* right, const int32_t* c, const int32_t* s, size_t n);
  // out[i] = factor[i] * (x[2i] + j x[2n - 1 - 2i]), and x[2i] - j x[2n - 1 - 2i] = factor * in.
  void (*before)(const int32_t* x, ConstComplex factor, Complex out, size_t n);
  void (*after)(ConstComplex in, ConstComplex factor, int32_t* x, size_t n);
  // One Stockham pass of a transform of radix * n points, `stride` of them side by side. Factors:
  // of output r, point p at (r - 1) * n + p. Radix 4 halves its sums.
  void (*pass4)(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride);
  void (*pass2)(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride);
  void (*pass5)(ConstComplex in, ConstComplex factor, Complex out, size_t n, size_t stride);
};

const LappedKernels& LappedKernelsFor(SimdLevel level);

namespace lapped_internal {
extern const LappedKernels kScalarKernels;
#if defined(__x86_64__)
extern const LappedKernels kAvx2Kernels;
#endif
}  // namespace lapped_internal

}  // namespace godwit::audio
