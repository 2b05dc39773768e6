// Decisions of bands by blocks, in vectors: places of all that could be asked, compressed.
#include "codecs/image/swift_band_context.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // in gcc 12's intrinsics (its bug 105593)
#endif
#include <immintrin.h>

#include <bit>

#define KERNEL __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")))

namespace godwit::swift {
namespace {

KERNEL inline __m512i Load512(const void* p) { return _mm512_loadu_si512(p); }
KERNEL inline __m256i Load256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
KERNEL inline __m128i Load128(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
KERNEL inline __m128i Load64(const void* p) {
  return _mm_loadl_epi64(static_cast<const __m128i*>(p));
}
KERNEL inline __m256i Joined(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

// Word 4 i + k comes from word 8 k + i: four decisions of eight lanes, lane by lane.
constexpr std::array<uint16_t, 32> kLaneByLane = [] {
  std::array<uint16_t, 32> x{};
  for (size_t i = 0; i < 32; ++i) x[i] = static_cast<uint16_t>(8 * (i % 4) + i / 4);
  return x;
}();

}  // namespace

namespace band_context_internal {

KERNEL void DecideAvx512(const BandContexts& contexts, uint32_t nonzero, int size, uint32_t base,
                         uint32_t out[kLanes]) {
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i scale = _mm512_min_epi32(_mm512_cvtepu8_epi32(Load128(contexts.scale_class.data())),
                                         _mm512_set1_epi32(kZeroClasses - 1));
  // Up to the first nonzero lane: all bits to and with the lowest one set.
  const auto before = static_cast<__mmask16>(nonzero ^ (nonzero - 1));
  const auto last_but_one = static_cast<__mmask16>(before & (1u << size >> 2));
  __m512i d = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int32_t>(base)),
                               _mm512_add_epi32(scale, _mm512_add_epi32(scale, scale)));
  d = _mm512_mask_add_epi32(d, before, d, one);
  d = _mm512_mask_add_epi32(d, last_but_one, d, one);
  d = _mm512_add_epi32(d, d);
  d = _mm512_mask_add_epi32(d, static_cast<__mmask16>(nonzero), d, one);
  _mm512_storeu_si512(out, d);
}

// Eight lanes have four places each: whether the lane is zero, its sign, whether it is beyond 1 and
// beyond 2; those that are not needed are left out. A loop over lanes mispredicts its end and that
// of each magnitude: on Kodak at 0.3 bit/pixel it took 56 cycles a block.
KERNEL DecidedBlocks DecideBlocksAvx512(const BandContexts* contexts, const int16_t* values,
                                        const uint16_t* nonzero, size_t count, int size,
                                        const KindDecisions& kind, uint32_t* out) {
  constexpr uint32_t kEvery = 0x11111111;
  const auto set = [&](uint32_t v) KERNEL { return _mm_set1_epi16(static_cast<int16_t>(v)); };
  const __m128i zero_start = set(kind.zero), sign_start = set(kind.sign),
                magnitude_start = set(kind.magnitude);
  const __m512i sign_level = Load512(kSignLevel.data()), by_lane = Load512(kLaneByLane.data());
  const uint32_t last = uint32_t{1} << (size - 1);
  uint32_t* at = out;
  size_t k = 0;
  for (; k < count; ++k, ++contexts, values += kLanes) {
    const __m256i sizes = _mm256_abs_epi16(Load256(values));
    const uint32_t lanes = nonzero[k];
    const uint32_t large = _mm256_cmpgt_epi16_mask(sizes, _mm256_set1_epi16(kMostDecidedValue)),
                   fine = _mm_cmpgt_epi8_mask(Load128(contexts->scale_class.data()),
                                              _mm_set1_epi8(kMostDecidedClass));
    if ((large | (fine & lanes)) != 0) break;
    const uint32_t beyond = _mm256_cmpgt_epi16_mask(sizes, _mm256_set1_epi16(1));
    // Up to the first nonzero lane: all bits to and with the lowest one set.
    const uint32_t before = lanes ^ (lanes - 1), last_but_one = before & last >> 1;
    // The last lane of a block with nothing before it cannot be zero.
    const uint32_t asked = 2 * last - 1 - (lanes == last ? last : 0);
    const auto decide_eight = [&](int first) KERNEL {
      const auto eight = [&](uint32_t mask) KERNEL { return static_cast<__mmask8>(mask >> first); };
      const __m128i value = Load128(values + first), mean = Load128(contexts->mean.data() + first);
      const __m128i scale = _mm_cvtepu8_epi16(Load64(contexts->scale_class.data() + first));
      const __m128i one = set(1), two = set(2);
      __m128i zero =
          _mm_mullo_epi16(_mm_min_epi16(scale, set(kZeroClasses - 1)), set(2 * kZeroStates));
      zero = _mm_add_epi16(zero, zero_start);
      zero = _mm_mask_add_epi16(zero, eight(before), zero, two);
      zero = _mm_mask_add_epi16(zero, eight(last_but_one), zero, two);
      zero = _mm_mask_add_epi16(zero, eight(lanes), zero, one);
      const __m128i t = _mm_min_epi16(_mm_abs_epi16(mean), set(kMostSignT));
      const __m128i level =
          _mm512_castsi512_si128(_mm512_permutexvar_epi16(_mm512_castsi128_si512(t), sign_level));
      const __m128i sign = _mm_add_epi16(_mm_add_epi16(sign_start, _mm_add_epi16(level, level)),
                                         _mm_srli_epi16(_mm_xor_si128(value, mean), 15));
      const __m128i above = _mm_max_epi16(_mm_sub_epi16(scale, set(kClasses - kMagnitudeClasses)),
                                          _mm_setzero_si128());
      const __m128i magnitude =
          _mm_add_epi16(magnitude_start, _mm_mullo_epi16(above, set(2 * kUnaryContexts)));
      const __m128i beyond_one = _mm_mask_add_epi16(magnitude, eight(beyond), magnitude, one);
      const __m512i all = _mm512_permutexvar_epi16(
          by_lane, _mm512_inserti64x4(_mm512_castsi256_si512(Joined(zero, sign)),
                                      Joined(beyond_one, _mm_add_epi16(magnitude, two)), 1));
      const uint32_t places = _pdep_u32(eight(asked), kEvery) |
                              _pdep_u32(eight(lanes), kEvery) * 6 |
                              _pdep_u32(eight(beyond), kEvery) << 3;
      const auto put = [&](__m256i decisions, uint32_t which) KERNEL {
        const auto mask = static_cast<__mmask16>(which);
        _mm512_storeu_si512(at,
                            _mm512_maskz_compress_epi32(mask, _mm512_cvtepu16_epi32(decisions)));
        at += std::popcount(which & 0xffff);
      };
      put(_mm512_castsi512_si256(all), places);
      if (size > first + 4) put(_mm512_extracti64x4_epi64(all, 1), places >> 16);
    };
    decide_eight(0);
    if (size > 8) decide_eight(8);
  }
  return {k, static_cast<size_t>(at - out)};
}

}  // namespace band_context_internal
}  // namespace godwit::swift
#endif
