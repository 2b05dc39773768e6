// transforms/lifting.h: the lifting steps of the CDF 5/3 and 9/7 wavelets in 32-bit integers.
// docs/format/packet.md section 2 defines every rounding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace godwit {

enum class Wavelet : uint8_t {
  k53,  // CDF 5/3 of JPEG 2000's reversible path
  k97,  // CDF 9/7 (bior4.4) without its scaling, so that it is reversible too
};

// The four factors of CDF 9/7 in 2^-16: -1.586134342, -0.052980119, 0.882911076, 0.443506852.
inline constexpr std::array<int32_t, 4> k97Factors = {-103949, -3472, 57862, 29066};

// All sums wrap modulo 2^32: nothing overflows into undefined behaviour, and what a step adds its
// inverse takes away, whatever the samples are. x does not overlap a or b; a and b may overlap.
struct LiftingKernels {
  // x[i] -= (a[i] + b[i]) >> 1, and the inverse.
  void (*predict53)(int32_t* x, const int32_t* a, const int32_t* b, size_t n);
  void (*unpredict53)(int32_t* x, const int32_t* a, const int32_t* b, size_t n);
  // x[i] += (a[i] + b[i] + 2) >> 2, and the inverse.
  void (*update53)(int32_t* x, const int32_t* a, const int32_t* b, size_t n);
  void (*unupdate53)(int32_t* x, const int32_t* a, const int32_t* b, size_t n);
  // x[i] += (factor * (a[i] + b[i]) + 2^15) >> 16, the product in 64 bits, and the inverse.
  void (*lift)(int32_t* x, const int32_t* a, const int32_t* b, size_t n, int32_t factor);
  void (*unlift)(int32_t* x, const int32_t* a, const int32_t* b, size_t n, int32_t factor);
  // x[0], x[2], ... to even, the others to odd; x has n samples.
  void (*split)(const int32_t* x, size_t n, int32_t* even, int32_t* odd);
  void (*merge)(const int32_t* even, const int32_t* odd, size_t n, int32_t* x);
  // (a, b) = (a + b, a - b).
  void (*butterfly)(int32_t* a, int32_t* b, size_t n);
};

const LiftingKernels& LiftingKernelsFor(SimdLevel level);

namespace lifting_internal {
extern const LiftingKernels kScalarKernels;
#if defined(__x86_64__)
extern const LiftingKernels kAvx2Kernels;
extern const LiftingKernels kAvx512Kernels;
#endif
}  // namespace lifting_internal

}  // namespace godwit
