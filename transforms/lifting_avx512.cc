#if defined(__x86_64__)

#include <immintrin.h>

#include "transforms/lifting.h"

#define GODWIT_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

namespace godwit {
namespace {

using Vec = __m512i;
constexpr size_t kLanes = 16;

GODWIT_TARGET inline Vec Load(const int32_t* p) { return _mm512_loadu_si512(p); }
GODWIT_TARGET inline void Store(int32_t* p, Vec v) { _mm512_storeu_si512(p, v); }
GODWIT_TARGET inline Vec Plus(Vec a, Vec b) { return _mm512_add_epi32(a, b); }
GODWIT_TARGET inline Vec Minus(Vec a, Vec b) { return _mm512_sub_epi32(a, b); }
template <int n>
GODWIT_TARGET inline Vec ShiftRight(Vec a) {
  return _mm512_srai_epi32(a, n);
}
GODWIT_TARGET inline Vec Splat(int32_t v) { return _mm512_set1_epi32(v); }
// Of the 64-bit products only bits 16 to 47 are wanted, so that a logical shift does.
GODWIT_TARGET inline Vec ScaledVec(Vec sum, Vec factor) {
  const Vec half = _mm512_set1_epi64(1 << 15);
  const Vec even = _mm512_add_epi64(_mm512_mul_epi32(sum, factor), half);
  const Vec odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(sum, 32), factor), half);
  return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 16), _mm512_slli_epi64(odd, 16));
}
GODWIT_TARGET inline void SplitTwo(Vec* a, Vec* b) {
  const Vec even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const Vec x = _mm512_permutex2var_epi32(*a, even, *b);
  *b = _mm512_permutex2var_epi32(*a, _mm512_add_epi32(even, _mm512_set1_epi32(1)), *b);
  *a = x;
}
GODWIT_TARGET inline void MergeTwo(Vec* a, Vec* b) {
  const Vec low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const Vec x = _mm512_permutex2var_epi32(*a, low, *b);
  *b = _mm512_permutex2var_epi32(*a, _mm512_add_epi32(low, _mm512_set1_epi32(8)), *b);
  *a = x;
}

#include "transforms/lifting_passes.inc"

}  // namespace

constinit const LiftingKernels lifting_internal::kAvx512Kernels = kKernels;

}  // namespace godwit

#endif  // defined(__x86_64__)
