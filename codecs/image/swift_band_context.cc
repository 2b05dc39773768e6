// The scalar kernel is the definition; the AVX2 one does eight channels at a time.
#include "codecs/image/swift_band_context.h"

#include <algorithm>
#include <cstdlib>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace godwit::swift {
namespace {

int Saturate16(int v) { return std::clamp(v, -32768, 32767); }

void BandContextScalar(int band, const BandWeights& w, const BandNeighbours& n, BandSums& out) {
  const auto bz = static_cast<size_t>(band);
  const auto& at = kInBlock[bz];
  const Band& table = kBandTable[bz];
  const auto in_block = [&](const uint8_t* base, size_t feature, size_t lane) {
    const uint8_t index = at[feature][lane];
    return index == kNone ? 0 : int{base[index]};
  };
  for (size_t i = 0; i < table.size; ++i) {
    const auto u = static_cast<size_t>(table.channel[i] >> 3),
               v = static_cast<size_t>(table.channel[i] & 7);
    const int mean[kMeanPairs][2] = {{Saturate16(n.west->right[v] - n.here->left[v]),
                                      Saturate16(n.north->bottom[u] - n.here->top[u])},
                                     {Saturate16(n.east->left[v] - n.here->right[v]),
                                      Saturate16(n.south->top[u] - n.here->bottom[u])},
                                     {n.fraction[i], n.luma_symbol[i]},
                                     {n.other_symbol[i], 0}};
    int t = 512;
    for (size_t k = 0; k < kMeanPairs; ++k)
      t += w.mean[k][i][0] * mean[k][0] + w.mean[k][i][1] * mean[k][1];
    t = std::clamp(t >> 10, -4095, 4095);
    out.mean[i] = t;
    const int magnitude[kMagnitudePairs][2] = {
        {n.left[i], n.up[i]},
        {n.up_left[i], n.up_right[i]},
        {in_block(n.lower, 0, i), in_block(n.lower, 1, i)},
        {in_block(n.lowest, 2, i), in_block(n.lowest, 3, i)},
        {in_block(n.lowest, 4, i), std::min(std::abs(t), 255)},
        {n.luma[i], n.other[i]},
        {n.scale, 0}};
    int sum = w.bias[i];
    for (size_t k = 0; k < kMagnitudePairs; ++k) {
      sum += w.magnitude[k][i][0] * magnitude[k][0] + w.magnitude[k][i][1] * magnitude[k][1];
    }
    out.magnitude[i] = sum;
  }
}

#if defined(__x86_64__)
#define KERNEL __attribute__((target("avx2")))

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

KERNEL inline __m128i Load128(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
// Eight (a, b) byte pairs as sixteen words, times their weights.
KERNEL inline __m256i Pairs8(__m128i a, __m128i b, const void* w) {
  return _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)),
                           _mm256_loadu_si256(static_cast<const __m256i*>(w)));
}
KERNEL inline __m256i Pairs16(__m128i a, __m128i b, const void* w) {
  const __m256i ab = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi16(a, b)),
                                             _mm_unpackhi_epi16(a, b), 1);
  return _mm256_madd_epi16(ab, _mm256_loadu_si256(static_cast<const __m256i*>(w)));
}

KERNEL void BandContextAvx2(int band, const BandWeights& w, const BandNeighbours& n,
                            BandSums& out) {
  const auto bz = static_cast<size_t>(band);
  const __m128i west = _mm_subs_epi16(Load128(n.west->right.data()), Load128(n.here->left.data()));
  const __m128i north =
      _mm_subs_epi16(Load128(n.north->bottom.data()), Load128(n.here->top.data()));
  const __m128i east = _mm_subs_epi16(Load128(n.east->left.data()), Load128(n.here->right.data()));
  const __m128i south =
      _mm_subs_epi16(Load128(n.south->top.data()), Load128(n.here->bottom.data()));
  const __m128i lower = Load128(n.lower), lowest = Load128(n.lowest);
  const size_t halves = kBandTable[bz].size > 8 ? 2 : 1;
  for (size_t h = 0; h < halves; ++h) {
    const size_t i = 8 * h;
    const __m128i by_u = Load128(kByU[bz][h].data()), by_v = Load128(kByV[bz][h].data());
    __m256i t = _mm256_set1_epi32(512);
    t = _mm256_add_epi32(
        t, Pairs16(_mm_shuffle_epi8(west, by_v), _mm_shuffle_epi8(north, by_u), &w.mean[0][i]));
    t = _mm256_add_epi32(
        t, Pairs16(_mm_shuffle_epi8(east, by_v), _mm_shuffle_epi8(south, by_u), &w.mean[1][i]));
    t = _mm256_add_epi32(
        t, Pairs16(Load128(n.fraction + i), Load128(n.luma_symbol + i), &w.mean[2][i]));
    t = _mm256_add_epi32(t,
                         Pairs16(Load128(n.other_symbol + i), _mm_setzero_si128(), &w.mean[3][i]));
    t = _mm256_srai_epi32(t, 10);
    t = _mm256_max_epi32(_mm256_min_epi32(t, _mm256_set1_epi32(4095)), _mm256_set1_epi32(-4095));
    _mm256_store_si256(reinterpret_cast<__m256i*>(&out.mean[i]), t);
    const __m256i size = _mm256_min_epi32(_mm256_abs_epi32(t), _mm256_set1_epi32(255));
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(size), _mm256_extracti128_si256(size, 1));
    const __m128i t_bytes = _mm_packus_epi16(words, words);
    const auto load = [i](const uint8_t* p) __attribute__((target("avx2"))) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + i));
    };
    const auto pick = [&](__m128i from, size_t feature) __attribute__((target("avx2"))) {
      return _mm_shuffle_epi8(
          from, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&kInBlock[bz][feature][i])));
    };
    __m256i s = _mm256_load_si256(reinterpret_cast<const __m256i*>(&w.bias[i]));
    s = _mm256_add_epi32(s, Pairs8(load(n.left), load(n.up), &w.magnitude[0][i]));
    s = _mm256_add_epi32(s, Pairs8(load(n.up_left), load(n.up_right), &w.magnitude[1][i]));
    s = _mm256_add_epi32(s, Pairs8(pick(lower, 0), pick(lower, 1), &w.magnitude[2][i]));
    s = _mm256_add_epi32(s, Pairs8(pick(lowest, 2), pick(lowest, 3), &w.magnitude[3][i]));
    s = _mm256_add_epi32(s, Pairs8(pick(lowest, 4), t_bytes, &w.magnitude[4][i]));
    s = _mm256_add_epi32(s, Pairs8(load(n.luma), load(n.other), &w.magnitude[5][i]));
    s = _mm256_add_epi32(s, Pairs8(_mm_set1_epi8(static_cast<char>(n.scale)), _mm_setzero_si128(),
                                   &w.magnitude[6][i]));
    _mm256_store_si256(reinterpret_cast<__m256i*>(&out.magnitude[i]), s);
  }
}
#endif

// Left to the compiler, once per level: whole rows of bytes need no intrinsics.
__attribute__((always_inline)) inline void SumFlagRowBody(const FlagRow& r) {
  uint32_t* const out = r.out;
  const int64_t n = r.count, pitch = r.pitch;
  const auto add = [&](const uint8_t* a, uint32_t w) __attribute__((always_inline)) {
    for (int64_t x = 0; x < n; ++x) out[x] += w * a[x];
  };
  const auto add_around = [&](const uint8_t* a, uint32_t w) __attribute__((always_inline)) {
    for (int64_t x = 0; x < n; ++x) {
      out[x] += w * static_cast<uint32_t>(a[x - 1] + a[x + 1] + a[x - pitch] + a[x + pitch]);
    }
  };
  const uint32_t up = r.weights[1], corners = r.weights[2];
  for (int64_t x = 0; x < n; ++x) {
    const uint8_t* const above = r.same + x - pitch;
    out[x] = r.bias + up * above[0] + corners * static_cast<uint32_t>(above[-1] + above[1]);
  }
  add(r.lower, r.weights[3]);
  add_around(r.lower, r.weights[4]);
  if (r.lowest != nullptr) {
    add(r.lowest, r.weights[5]);
    add_around(r.lowest, r.weights[6]);
  }
  if (r.luma != nullptr) {
    add(r.luma, r.weights[7]);
    add_around(r.luma, r.weights[8]);
  }
  if (r.other != nullptr) add(r.other, r.weights[9]);
}
void SumFlagRowScalar(const FlagRow& r) { SumFlagRowBody(r); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) void SumFlagRowAvx2(const FlagRow& r) { SumFlagRowBody(r); }
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void SumFlagRowAvx512(
    const FlagRow& r) {
  SumFlagRowBody(r);
}
#endif

}  // namespace

void SumFlagRow(SimdLevel level, const FlagRow& row) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return SumFlagRowAvx512(row);
  if (level == SimdLevel::kAvx2) return SumFlagRowAvx2(row);
#endif
  (void)level;
  SumFlagRowScalar(row);
}

BandContextKernel BandContextKernelFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level >= SimdLevel::kAvx2) return BandContextAvx2;
#endif
  (void)level;
  return BandContextScalar;
}

}  // namespace godwit::swift
