// All sixteen channels' magnitudes in 16-bit sums that saturate, which the definition's limit
// equals; means in 32 bits, eight at a time.
#include "codecs/image/swift_band_context.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2")))

namespace godwit::swift {
namespace {

// Byte indices that spread eight 16-bit values over a band's lanes, by v or by u.
// [band][half][byte]
using Spread = std::array<std::array<std::array<uint8_t, 16>, 2>, kBands>;
constexpr Spread MakeSpread(bool by_u) {
  Spread s{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const uint8_t c = kBandTable[b].channel[lane < kBandTable[b].size ? lane : 0];
      const uint8_t k = by_u ? c >> 3 : c & 7;
      s[b][lane / 8][lane % 8 * 2] = static_cast<uint8_t>(2 * k);
      s[b][lane / 8][lane % 8 * 2 + 1] = static_cast<uint8_t>(2 * k + 1);
    }
  }
  return s;
}
constexpr Spread kByU = MakeSpread(true), kByV = MakeSpread(false);

// As kInBlock, from the first position of the band before (features 0, 1) or two before.
constexpr auto kPick = [] {
  auto table = kInBlock;
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t f = 0; f < 5; ++f) {
      for (uint8_t& at : table[b][f]) {
        if (at != kNone) at = static_cast<uint8_t>(at - kBandFirst[b - (f < 2 ? 1 : 2)]);
      }
    }
  }
  return table;
}();

KERNEL inline __m128i Load128(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
KERNEL inline __m256i Load256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
KERNEL inline __m128i Magnitudes(const int8_t* p) { return _mm_abs_epi8(Load128(p)); }
KERNEL inline __m256i Joined(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}
// Sixteen words of a_i * w_i + b_i * x_i, at most 2 * 127 * 127.
KERNEL inline __m256i Weighted(__m128i a, __m128i b, const std::array<uint8_t, kLanes>& w,
                               const std::array<uint8_t, kLanes>& x) {
  const __m128i wa = Load128(w.data()), wb = Load128(x.data());
  return _mm256_maddubs_epi16(Joined(_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)),
                              Joined(_mm_unpacklo_epi8(wa, wb), _mm_unpackhi_epi8(wa, wb)));
}
KERNEL inline __m256i Pairs(__m128i a, __m128i b, const std::array<int16_t, 2>* w) {
  return _mm256_madd_epi16(Joined(_mm_unpacklo_epi16(a, b), _mm_unpackhi_epi16(a, b)), Load256(w));
}
// ScaleClass() of eight sums.
KERNEL inline __m256i Classes(__m256i sum) {
  const __m256i half = _mm256_srli_epi32(sum, 1);
  __m256i scale = _mm256_sub_epi32(
      _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(half)), 22), _mm256_set1_epi32(254));
  scale = _mm256_max_epi32(scale, _mm256_min_epi32(half, _mm256_set1_epi32(1)));
  return _mm256_min_epi32(scale, _mm256_set1_epi32(kClasses - 1));
}

KERNEL void ContextsAvx2(int band, const BandWeights& w, const BandNeighbours& n,
                         BandContexts& out) {
  const auto bz = static_cast<size_t>(band);
  const __m128i none = _mm_setzero_si128();
  const auto facing = [](const std::array<int16_t, 8>& a, const std::array<int16_t, 8>& b)
                          KERNEL { return _mm_subs_epi16(Load128(a.data()), Load128(b.data())); };
  const __m128i west = facing(n.west->right, n.here->left),
                north = facing(n.north->bottom, n.here->top),
                east = facing(n.east->left, n.here->right),
                south = n.south != nullptr ? facing(n.south->top, n.here->bottom) : none;
  __m128i luma = none, other = none;
  if (n.luma != nullptr) luma = Load128(n.luma);
  if (n.other != nullptr) other = Load128(n.other);
  const auto small = [](__m128i v) KERNEL {
    return _mm_min_epi8(_mm_max_epi8(v, _mm_set1_epi8(-15)), _mm_set1_epi8(15));
  };
  const __m128i small_luma = small(luma), small_other = small(other);
  __m128i words[2] = {none, none};
  const size_t halves = kBandTable[bz].size > 8 ? 2 : 1;
  for (size_t h = 0; h < halves; ++h) {
    const size_t i = 8 * h;
    const __m128i by_u = Load128(kByU[bz][h].data()), by_v = Load128(kByV[bz][h].data());
    __m256i t = _mm256_set1_epi32(512);
    t = _mm256_add_epi32(
        t, Pairs(_mm_shuffle_epi8(west, by_v), _mm_shuffle_epi8(north, by_u), &w.mean_pairs[0][i]));
    t = _mm256_add_epi32(
        t, Pairs(_mm_shuffle_epi8(east, by_v), _mm_shuffle_epi8(south, by_u), &w.mean_pairs[1][i]));
    const auto half = [h](__m128i v)
                          KERNEL { return _mm_cvtepi8_epi16(h == 0 ? v : _mm_srli_si128(v, 8)); };
    t = _mm256_add_epi32(t, Pairs(half(small_luma), half(small_other), &w.mean_pairs[2][i]));
    t = _mm256_srai_epi32(t, 10);
    t = _mm256_max_epi32(_mm256_min_epi32(t, _mm256_set1_epi32(4095)), _mm256_set1_epi32(-4095));
    words[h] = _mm_packs_epi32(_mm256_castsi256_si128(t), _mm256_extracti128_si256(t, 1));
  }
  _mm256_store_si256(reinterpret_cast<__m256i*>(out.mean.data()), Joined(words[0], words[1]));
  const auto quarter = [](__m128i t) KERNEL { return _mm_srli_epi16(_mm_abs_epi16(t), 2); };
  // At most 1023: packed with a limit of 127.
  const __m128i mean = _mm_packs_epi16(quarter(words[0]), quarter(words[1]));

  const __m128i lower = band > 0 ? Magnitudes(n.block + kBandFirst[bz - 1]) : none;
  const __m128i lowest = band > 1 ? Magnitudes(n.block + kBandFirst[bz - 2]) : none;
  const auto pick = [bz](__m128i from, size_t feature) KERNEL {
    return _mm_shuffle_epi8(from, Load128(kPick[bz][feature].data()));
  };
  const auto& m = w.magnitude;
  __m256i s = _mm256_packs_epi32(Load256(w.bias.data()), Load256(w.bias.data() + 8));
  s = _mm256_permute4x64_epi64(s, 0xd8);
  s = _mm256_adds_epi16(s, Weighted(Magnitudes(n.left), Magnitudes(n.up), m[kLeft], m[kUp]));
  s = _mm256_adds_epi16(
      s, Weighted(Magnitudes(n.up_left), Magnitudes(n.up_right), m[kUpLeft], m[kUpRight]));
  s = _mm256_adds_epi16(s, Weighted(pick(lower, 0), pick(lower, 1), m[kLower0], m[kLower1]));
  s = _mm256_adds_epi16(s, Weighted(pick(lowest, 2), pick(lowest, 3), m[kLowest0], m[kLowest1]));
  s = _mm256_adds_epi16(s, Weighted(pick(lowest, 4), _mm_abs_epi8(luma), m[kLowest2], m[kLuma]));
  s = _mm256_adds_epi16(s, Weighted(_mm_abs_epi8(other), mean, m[kOther], m[kMean]));
  s = _mm256_adds_epi16(
      s, Weighted(_mm_set1_epi8(static_cast<char>(n.scale)), none, m[kScale], m[kScale]));
  const __m256i low = Classes(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(s))),
                high = Classes(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(s, 1)));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
  _mm_store_si128(
      reinterpret_cast<__m128i*>(out.scale_class.data()),
      _mm_packus_epi16(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1)));
}

}  // namespace

namespace band_context_internal {
const BandKernels kAvx2BandKernels{ContextsAvx2, GatherScalar, DecideScalar, DecideBlocksScalar};
}

}  // namespace godwit::swift
#endif
