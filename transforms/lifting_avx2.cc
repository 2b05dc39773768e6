#if defined(__x86_64__)

#include <immintrin.h>

#include "transforms/lifting.h"

#define GODWIT_TARGET __attribute__((target("avx2")))

namespace godwit {
namespace {

using Vec = __m256i;
constexpr size_t kLanes = 8;

GODWIT_TARGET inline Vec Load(const int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
GODWIT_TARGET inline void Store(int32_t* p, Vec v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
}
GODWIT_TARGET inline Vec Plus(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
GODWIT_TARGET inline Vec Minus(Vec a, Vec b) { return _mm256_sub_epi32(a, b); }
template <int n>
GODWIT_TARGET inline Vec ShiftRight(Vec a) {
  return _mm256_srai_epi32(a, n);
}
GODWIT_TARGET inline Vec Splat(int32_t v) { return _mm256_set1_epi32(v); }
// Of the 64-bit products only bits 16 to 47 are wanted, so that a logical shift does.
GODWIT_TARGET inline Vec ScaledVec(Vec sum, Vec factor) {
  const Vec half = _mm256_set1_epi64x(1 << 15);
  const Vec even = _mm256_add_epi64(_mm256_mul_epi32(sum, factor), half);
  const Vec odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(sum, 32), factor), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 16), _mm256_slli_epi64(odd, 16), 0xaa);
}
GODWIT_TARGET inline void SplitTwo(Vec* a, Vec* b) {
  const Vec order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  const Vec x = _mm256_permutevar8x32_epi32(*a, order), y = _mm256_permutevar8x32_epi32(*b, order);
  *a = _mm256_permute2x128_si256(x, y, 0x20);
  *b = _mm256_permute2x128_si256(x, y, 0x31);
}
GODWIT_TARGET inline void MergeTwo(Vec* a, Vec* b) {
  const Vec low = _mm256_unpacklo_epi32(*a, *b), high = _mm256_unpackhi_epi32(*a, *b);
  *a = _mm256_permute2x128_si256(low, high, 0x20);
  *b = _mm256_permute2x128_si256(low, high, 0x31);
}

#include "transforms/lifting_passes.inc"

}  // namespace

constinit const LiftingKernels lifting_internal::kAvx2Kernels = kKernels;

}  // namespace godwit

#endif  // defined(__x86_64__)
