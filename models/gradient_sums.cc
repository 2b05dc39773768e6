#include "models/gradient_sums.h"

// gcc 12 takes its own _mm512_undefined_epi32() for an uninitialised read (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace godwit {
namespace {

// Some positions side by side, which share each weight, of 16 outputs from o on.
using Tile = void (*)(const GradientSums& s, int64_t x, int64_t o);

const int16_t* WeightsAt(const GradientSums& s, int64_t o) {
  return s.weights + o * s.kernel * s.kernel * s.pairs * 2;
}

// Tiles of nearly equal width: what a few positions sum waits on itself.
void SumRow(const GradientSums& s, const Tile* tiles, int64_t most) {
  const int64_t count = (s.width + most - 1) / most;
  for (int64_t o = 0; o < s.outputs; o += kSumLanes) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t x = s.width * i / count, end = s.width * (i + 1) / count;
      tiles[end - x - 1](s, x, o);
    }
  }
}

// The definition.
void SumPosition(const GradientSums& s, int64_t x, int64_t o) {
  std::array<int32_t, kSumLanes> sum{};
  const int16_t* w = WeightsAt(s, o);
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const int16_t* in = s.in + ky * s.in_row + (x + kx) * s.in_position;
      for (int64_t i = 0; i < s.pairs; ++i, in += 2, w += 2 * kSumLanes) {
        for (size_t lane = 0; lane < kSumLanes; ++lane)
          sum[lane] += w[2 * lane] * in[0] + w[2 * lane + 1] * in[1];
      }
    }
  }
  std::memcpy(s.out + x * s.out_position + o, sum.data(), sizeof sum);
}

#if defined(__x86_64__)
#define GODWIT_SUMS_AVX2 __attribute__((target("avx2")))
#define GODWIT_SUMS_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))

template <int P>
GODWIT_SUMS_AVX2 void SumAvx2(const GradientSums& s, int64_t x, int64_t o) {
  __m256i low[P], high[P];
#pragma GCC unroll 6
  for (int p = 0; p < P; ++p) low[p] = high[p] = _mm256_setzero_si256();
  const int16_t* w = WeightsAt(s, o);
  const int64_t stride = s.in_position;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const int16_t* in = s.in + ky * s.in_row + (x + kx) * stride;
      const int16_t* in3 = in + 3 * stride;
      for (int64_t i = 0; i < s.pairs; ++i, in += 2, in3 += 2, w += 2 * kSumLanes) {
        const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
        const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + kSumLanes));
#pragma GCC unroll 6
        for (int p = 0; p < P; ++p) {
          int32_t pair;
          std::memcpy(&pair, (p < 3 ? in : in3) + p % 3 * stride, sizeof pair);
          const __m256i both = _mm256_set1_epi32(pair);
          low[p] = _mm256_add_epi32(low[p], _mm256_madd_epi16(both, w0));
          high[p] = _mm256_add_epi32(high[p], _mm256_madd_epi16(both, w1));
        }
      }
    }
  }
#pragma GCC unroll 6
  for (int p = 0; p < P; ++p) {
    auto* const to = reinterpret_cast<__m256i*>(s.out + (x + p) * s.out_position + o);
    _mm256_storeu_si256(to, low[p]);
    _mm256_storeu_si256(to + 1, high[p]);
  }
}

template <int P>
GODWIT_SUMS_AVX512 void SumAvx512(const GradientSums& s, int64_t x, int64_t o) {
  __m512i sum[P];
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p) sum[p] = _mm512_setzero_si512();
  const int16_t* w = WeightsAt(s, o);
  const int64_t stride = s.in_position;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const int16_t* in[4];
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) in[q] = s.in + ky * s.in_row + (x + kx + 3 * q) * stride;
      for (int64_t i = 0; i < s.pairs; ++i, w += 2 * kSumLanes) {
        const __m512i weight = _mm512_loadu_si512(w);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) {
          int32_t pair;
          std::memcpy(&pair, in[p / 3] + p % 3 * stride, sizeof pair);
          const __m512i both = _mm512_set1_epi32(pair);
#if defined(__GNUC__) && !defined(__clang__)  // see DotAdd() in tensor/requantise_avx512.h
          asm("vpdpwssd %2, %1, %0" : "+v"(sum[p]) : "v"(both), "v"(weight));
#else
          sum[p] = _mm512_dpwssd_epi32(sum[p], both, weight);
#endif
        }
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q) in[q] += 2;
      }
    }
  }
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p) _mm512_storeu_si512(s.out + (x + p) * s.out_position + o, sum[p]);
}

template <int... P>
constexpr std::array<Tile, sizeof...(P)> TilesAvx2(std::integer_sequence<int, P...>) {
  return {SumAvx2<P + 1>...};
}
template <int... P>
constexpr std::array<Tile, sizeof...(P)> TilesAvx512(std::integer_sequence<int, P...>) {
  return {SumAvx512<P + 1>...};
}

void SumRowAvx2(const GradientSums& s) {
  static constexpr auto kTiles = TilesAvx2(std::make_integer_sequence<int, 6>());
  SumRow(s, kTiles.data(), kTiles.size());
}
void SumRowAvx512(const GradientSums& s) {
  static constexpr auto kTiles = TilesAvx512(std::make_integer_sequence<int, 12>());
  SumRow(s, kTiles.data(), kTiles.size());
}
#endif

void SumRowScalar(const GradientSums& s) {
  static constexpr Tile kTile = SumPosition;
  SumRow(s, &kTile, 1);
}

}  // namespace

GradientSumsFunction GradientSumsFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return SumRowAvx512;
  if (level == SimdLevel::kAvx2) return SumRowAvx2;
#endif
  (void)level;
  return SumRowScalar;
}

}  // namespace godwit
