// Sixteen channels at a time: four features and their weights meet in one dot product of bytes.
#include "codecs/image/swift_band_context.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // in gcc 12's intrinsics (its bug 105593)
#endif
#include <immintrin.h>

#define KERNEL    \
  __attribute__(( \
      target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,bmi,bmi2,popcnt")))

namespace godwit::swift {
namespace {

KERNEL inline __m512i Load512(const void* p) { return _mm512_loadu_si512(p); }
KERNEL inline __m128i Load128(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
KERNEL inline __m512i Four(const void* a, const void* b, const void* c, const void* d) {
  __m512i v = _mm512_castsi128_si512(Load128(a));
  v = _mm512_inserti32x4(v, Load128(b), 1);
  v = _mm512_inserti32x4(v, Load128(c), 2);
  return _mm512_inserti32x4(v, Load128(d), 3);
}

struct Index {
  alignas(64) std::array<uint8_t, 64> at{};
  uint64_t keep = 0;
};
// Byte 4 i + k comes from byte 16 k + i: four features of sixteen lanes, lane by lane.
constexpr Index kInterleave = [] {
  Index x;
  for (size_t i = 0; i < 64; ++i) x.at[i] = static_cast<uint8_t>(16 * (i % 4) + i / 4);
  x.keep = ~uint64_t{0};
  return x;
}();
// Bytes 4 i + 1.. from the first three quarters; bytes 4 i are left for kLowest2.
constexpr Index kThree = [] {
  Index x;
  for (size_t i = 0; i < 64; ++i) {
    if (i % 4 == 0) continue;
    x.at[i] = static_cast<uint8_t>(16 * (i % 4 - 1) + i / 4);
    x.keep |= uint64_t{1} << i;
  }
  return x;
}();
// Features from the block itself: kLower0..kLowest1 together, kLowest2 alone.
constexpr std::array<std::array<Index, 2>, kBands> kFromBlock = [] {
  std::array<std::array<Index, 2>, kBands> table{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      for (size_t f = 0; f < 5; ++f) {
        const uint8_t position = kInBlock[b][f][lane];
        if (position == kNone) continue;
        Index& x = table[b][f / 4];
        const size_t byte = 4 * lane + f % 4;
        x.at[byte] = position;
        x.keep |= uint64_t{1} << byte;
      }
    }
  }
  return table;
}();
// Words: (west[v], north[u]) and (east[v], south[u]) of each lane, from four vectors of eight.
constexpr std::array<std::array<std::array<uint16_t, 32>, 2>, kBands> kEdgePairs = [] {
  std::array<std::array<std::array<uint16_t, 32>, 2>, kBands> table{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t lane = 0; lane < kBandTable[b].size; ++lane) {
      const auto u = static_cast<uint16_t>(kBandTable[b].channel[lane] >> 3),
                 v = static_cast<uint16_t>(kBandTable[b].channel[lane] & 7);
      for (size_t k = 0; k < 2; ++k) {
        table[b][k][2 * lane] = static_cast<uint16_t>(16 * k + v);
        table[b][k][2 * lane + 1] = static_cast<uint16_t>(16 * k + 8 + u);
      }
    }
  }
  return table;
}();
// Words of a band's channels, from 64 symbols.
constexpr std::array<std::array<uint16_t, 32>, kBands> kChannelIndex = [] {
  std::array<std::array<uint16_t, 32>, kBands> table{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t i = 0; i < kBandTable[b].size; ++i) table[b][i] = kBandTable[b].channel[i];
  }
  return table;
}();

KERNEL inline __m512i Permute(__m512i from, const Index& x) {
  return _mm512_maskz_permutexvar_epi8(x.keep, Load512(x.at.data()), from);
}

// Bands of at most eight channels in half the width: encoding Kodak at 0.3 bit/pixel takes 2 % less
// time (Zen 4). What such a band needs of the two before it lies in sixteen bytes.
constexpr size_t kNarrow = 8, kNarrowBands = 7;
static_assert(kBandTable[kNarrowBands - 1].size <= kNarrow &&
              kBandFirst[kNarrowBands - 1] - kBandFirst[kNarrowBands - 3] <= 16);
constexpr size_t FirstBefore(size_t band) { return kBandFirst[band < 2 ? 0 : band - 2]; }
// As kInterleave and kThree.
constexpr std::array<std::array<uint8_t, 32>, 2> kNarrowIndex = [] {
  std::array<std::array<uint8_t, 32>, 2> x{};
  for (size_t i = 0; i < 32; ++i) {
    x[0][i] = static_cast<uint8_t>(8 * (i % 4) + i / 4);
    x[1][i] = static_cast<uint8_t>(i % 4 == 0 ? 0 : 8 * (i % 4 - 1) + i / 4);
  }
  return x;
}();
constexpr uint32_t kNarrowThree = 0xeeeeeeee;
struct NarrowTables {
  alignas(32) std::array<std::array<uint8_t, 32>, 2> from_block;  // from the sixteen; kNone is 0
  alignas(32) std::array<uint16_t, 16> edge_pairs;                // words (v, 8 + u) of each lane
};
constexpr std::array<NarrowTables, kNarrowBands> kNarrowTables = [] {
  std::array<NarrowTables, kNarrowBands> table{};
  for (size_t b = 0; b < kNarrowBands; ++b) {
    table[b].from_block[0].fill(kNone);
    table[b].from_block[1].fill(kNone);
    for (size_t lane = 0; lane < kBandTable[b].size; ++lane) {
      for (size_t f = 0; f < 5; ++f) {
        const uint8_t position = kInBlock[b][f][lane];
        if (position == kNone) continue;
        table[b].from_block[f / 4][4 * lane + f % 4] =
            static_cast<uint8_t>(position - FirstBefore(b));
      }
      table[b].edge_pairs[2 * lane] = kBandTable[b].channel[lane] & 7;
      table[b].edge_pairs[2 * lane + 1] =
          static_cast<uint16_t>(8 + (kBandTable[b].channel[lane] >> 3));
    }
  }
  return table;
}();

KERNEL inline __m256i Load256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
KERNEL inline __m128i Load64(const void* p) {
  return _mm_loadl_epi64(static_cast<const __m128i*>(p));
}
KERNEL inline __m256i Joined(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

KERNEL void NarrowContexts(size_t band, const BandWeights& w, const BandNeighbours& n,
                           BandContexts& out) {
  const NarrowTables& tables = kNarrowTables[band];
  const __m256i pairs = Load256(tables.edge_pairs.data());
  const auto facing = [&](const int16_t* a, const int16_t* b, const int16_t* here) KERNEL {
    return _mm256_permutexvar_epi16(
        pairs, _mm256_subs_epi16(Joined(Load128(a), Load128(b)), Load256(here)));
  };
  __m256i t =
      _mm256_dpwssd_epi32(_mm256_set1_epi32(512),
                          facing(n.west->right.data(), n.north->bottom.data(), n.here->left.data()),
                          Load256(w.mean_pairs[0].data()));
  // Without a block below, this one stands for it: no difference.
  const int16_t* const south = n.south != nullptr ? n.south->top.data() : n.here->bottom.data();
  __m256i t2 = _mm256_dpwssd_epi32(_mm256_setzero_si256(),
                                   facing(n.east->left.data(), south, n.here->right.data()),
                                   Load256(w.mean_pairs[1].data()));
  __m128i luma = _mm_setzero_si128(), other = luma;
  if (n.luma != nullptr) {
    luma = Load64(n.luma);
    if (n.other != nullptr) other = Load64(n.other);
    const __m128i both = _mm_min_epi8(
        _mm_max_epi8(_mm_unpacklo_epi8(luma, other), _mm_set1_epi8(-15)), _mm_set1_epi8(15));
    t2 = _mm256_dpwssd_epi32(t2, _mm256_cvtepi8_epi16(both), Load256(w.mean_pairs[2].data()));
  }
  t = _mm256_srai_epi32(_mm256_add_epi32(t, t2), 10);
  t = _mm256_max_epi32(_mm256_min_epi32(t, _mm256_set1_epi32(4095)), _mm256_set1_epi32(-4095));
  _mm_store_si128(reinterpret_cast<__m128i*>(out.mean.data()), _mm256_cvtepi32_epi16(t));
  const __m128i quarter = _mm256_cvtepi32_epi8(
      _mm256_min_epi32(_mm256_srli_epi32(_mm256_abs_epi32(t), 2), _mm256_set1_epi32(127)));

  const __m256i around =
      _mm256_abs_epi8(Joined(_mm_unpacklo_epi64(Load64(n.left), Load64(n.up)),
                             _mm_unpacklo_epi64(Load64(n.up_left), Load64(n.up_right))));
  const __m256i block =
      _mm256_broadcastsi128_si256(_mm_abs_epi8(Load128(n.block + FirstBefore(band))));
  const __m256i third = _mm256_or_si256(
      _mm256_maskz_permutexvar_epi8(kNarrowThree, Load256(kNarrowIndex[1].data()),
                                    Joined(_mm_abs_epi8(_mm_unpacklo_epi64(luma, other)), quarter)),
      _mm256_shuffle_epi8(block, Load256(tables.from_block[1].data())));
  const auto weights = [&](size_t q) KERNEL { return Load256(w.quads[q].data()); };
  __m256i s = _mm256_dpbusd_epi32(Load256(w.bias.data()), _mm256_set1_epi32(n.scale), weights(3));
  s = _mm256_dpbusd_epi32(s, _mm256_permutexvar_epi8(Load256(kNarrowIndex[0].data()), around),
                          weights(0));
  __m256i s2 = _mm256_dpbusd_epi32(_mm256_setzero_si256(),
                                   _mm256_shuffle_epi8(block, Load256(tables.from_block[0].data())),
                                   weights(1));
  s2 = _mm256_dpbusd_epi32(s2, third, weights(2));
  const __m256i half =
      _mm256_srli_epi32(_mm256_min_epi32(_mm256_add_epi32(s, s2), _mm256_set1_epi32(32767)), 1);
  __m256i scale = _mm256_sub_epi32(
      _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(half)), 22), _mm256_set1_epi32(254));
  scale = _mm256_max_epi32(scale, _mm256_min_epi32(half, _mm256_set1_epi32(1)));
  scale = _mm256_min_epi32(scale, _mm256_set1_epi32(kClasses - 1));
  _mm_store_si128(reinterpret_cast<__m128i*>(out.scale_class.data()), _mm256_cvtepi32_epi8(scale));
}

KERNEL void ContextsAvx512(int band, const BandWeights& w, const BandNeighbours& n,
                           BandContexts& out) {
  const auto bz = static_cast<size_t>(band);
  if (bz < kNarrowBands) return NarrowContexts(bz, w, n, out);
  // Two vectors of [left or west][top or north][right or east][bottom or south].
  const __m512i here = Load512(n.here);
  const BlockEdges* const south = n.south != nullptr ? n.south : n.here;
  const __m512i facing =
      Four(n.west->right.data(), n.north->bottom.data(), n.east->left.data(), south->top.data());
  const __mmask32 there = n.south != nullptr ? 0xffffffffu : 0x00ffffffu;
  const __m512i edges = _mm512_maskz_subs_epi16(there, facing, here);
  const auto mean_weights = [&](size_t k) KERNEL { return Load512(w.mean_pairs[k].data()); };
  __m512i t = _mm512_set1_epi32(512);
  t = _mm512_dpwssd_epi32(t, _mm512_permutexvar_epi16(Load512(kEdgePairs[bz][0].data()), edges),
                          mean_weights(0));
  t = _mm512_dpwssd_epi32(t, _mm512_permutexvar_epi16(Load512(kEdgePairs[bz][1].data()), edges),
                          mean_weights(1));
  __m128i luma = _mm_setzero_si128(), other = luma;
  if (n.luma != nullptr) {
    luma = Load128(n.luma);
    if (n.other != nullptr) other = Load128(n.other);
    const __m128i low = _mm_set1_epi8(-15), high = _mm_set1_epi8(15);
    const __m128i a = _mm_min_epi8(_mm_max_epi8(luma, low), high),
                  b = _mm_min_epi8(_mm_max_epi8(other, low), high);
    const __m256i pairs = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi8(a, b)),
                                                  _mm_unpackhi_epi8(a, b), 1);
    t = _mm512_dpwssd_epi32(t, _mm512_cvtepi8_epi16(pairs), mean_weights(2));
  }
  t = _mm512_srai_epi32(t, 10);
  t = _mm512_max_epi32(_mm512_min_epi32(t, _mm512_set1_epi32(4095)), _mm512_set1_epi32(-4095));
  _mm256_store_si256(reinterpret_cast<__m256i*>(out.mean.data()), _mm512_cvtepi32_epi16(t));
  const __m128i quarter = _mm512_cvtepi32_epi8(
      _mm512_min_epi32(_mm512_srli_epi32(_mm512_abs_epi32(t), 2), _mm512_set1_epi32(127)));

  const __m512i around = _mm512_abs_epi8(Four(n.left, n.up, n.up_left, n.up_right));
  const __m512i block = _mm512_abs_epi8(Load512(n.block));
  __m512i third = _mm512_castsi128_si512(_mm_abs_epi8(luma));
  third = _mm512_inserti32x4(third, _mm_abs_epi8(other), 1);
  third = _mm512_inserti32x4(third, quarter, 2);
  third = _mm512_or_si512(Permute(third, kThree), Permute(block, kFromBlock[bz][1]));
  const auto weights = [&](size_t q) KERNEL { return Load512(w.quads[q].data()); };
  __m512i s = _mm512_load_si512(w.bias.data());
  s = _mm512_dpbusd_epi32(s, _mm512_set1_epi32(n.scale), weights(3));
  s = _mm512_dpbusd_epi32(s, Permute(around, kInterleave), weights(0));
  s = _mm512_dpbusd_epi32(s, Permute(block, kFromBlock[bz][0]), weights(1));
  s = _mm512_dpbusd_epi32(s, third, weights(2));
  // ScaleClass(): the float's exponent is the place of the top bit, its first fraction bit the
  // next.
  const __m512i half = _mm512_srli_epi32(_mm512_min_epi32(s, _mm512_set1_epi32(32767)), 1);
  __m512i scale = _mm512_sub_epi32(
      _mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepi32_ps(half)), 22), _mm512_set1_epi32(254));
  scale = _mm512_max_epi32(scale, _mm512_min_epi32(half, _mm512_set1_epi32(1)));
  scale = _mm512_min_epi32(scale, _mm512_set1_epi32(kClasses - 1));
  _mm_store_si128(reinterpret_cast<__m128i*>(out.scale_class.data()), _mm512_cvtepi32_epi8(scale));
}

KERNEL GatheredBand GatherAvx512(int band, const int16_t* symbols, int16_t* values, int8_t* bytes) {
  const auto bz = static_cast<size_t>(band);
  const __mmask32 lanes = (uint32_t{1} << kBandTable[bz].size) - 1;
  const __m512i index = Load512(kChannelIndex[bz].data());
  const __m256i v = _mm512_castsi512_si256(
      _mm512_maskz_permutex2var_epi16(lanes, Load512(symbols), index, Load512(symbols + 32)));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), v);
  const __m128i small = _mm_max_epi8(_mm256_cvtsepi16_epi8(v), _mm_set1_epi8(-127));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), small);
  const __m128i sums = _mm_sad_epu8(_mm_abs_epi8(small), _mm_setzero_si128());
  return {static_cast<uint16_t>(_mm256_test_epi16_mask(v, v)),
          static_cast<uint16_t>(_mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4))};
}

}  // namespace

namespace band_context_internal {
const BandKernels kAvx512BandKernels{ContextsAvx512, GatherAvx512, DecideAvx512,
                                     DecideBlocksAvx512};
}

}  // namespace godwit::swift
#endif
