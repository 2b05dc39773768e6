#include "models/gradient_sums.h"

#include <cstring>

namespace godwit {
namespace {

// Sixteen floats whatever the level: the compiler splits them where registers are shorter.
typedef float Lanes __attribute__((vector_size(kSumLanes * sizeof(float))));

// Some positions side by side share each weight.
template <int kPositions>
__attribute__((always_inline)) inline void SumPositions(const GradientSums& s, int64_t x,
                                                        int64_t o) {
  Lanes sum[kPositions];
  Lanes weight;
  for (int p = 0; p < kPositions; ++p) sum[p] = Lanes{};
  const float* w = s.weights + o * s.kernel * s.kernel * s.inputs;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const float* const in = s.in + ky * s.in_row + (x + kx) * s.in_position;
      for (int64_t i = 0; i < s.inputs; ++i, w += kSumLanes) {
        std::memcpy(&weight, w, sizeof weight);
        for (int p = 0; p < kPositions; ++p) sum[p] += weight * in[p * s.in_position + i];
      }
    }
  }
  for (int p = 0; p < kPositions; ++p)
    std::memcpy(s.out + (x + p) * s.out_position + o, &sum[p], sizeof sum[p]);
}

template <int kMost>
__attribute__((always_inline)) inline void SumTile(const GradientSums& s, int64_t x, int64_t o,
                                                   int64_t positions) {
  if constexpr (kMost > 1) {
    if (positions < kMost) return SumTile<kMost - 1>(s, x, o, positions);
  }
  SumPositions<kMost>(s, x, o);
}

// Tiles of nearly equal width: what a few positions sum waits on itself. Of 32 positions, 8 of
// them by themselves, these took half the time.
template <int kMost>
__attribute__((always_inline)) inline void SumRow(const GradientSums& s) {
  const int64_t tiles = (s.width + kMost - 1) / kMost;
  for (int64_t o = 0; o < s.outputs; o += kSumLanes) {
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t x = s.width * i / tiles, end = s.width * (i + 1) / tiles;
      SumTile<kMost>(s, x, o, end - x);
    }
  }
}

void SumRowScalar(const GradientSums& s) { SumRow<2>(s); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) void SumRowAvx2(const GradientSums& s) { SumRow<6>(s); }
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void SumRowAvx512(
    const GradientSums& s) {
  SumRow<12>(s);
}
#endif

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
