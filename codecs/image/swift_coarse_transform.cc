#include "codecs/image/swift_coarse_transform.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/per_level.h"

namespace godwit::swift {
namespace {

#define ALWAYS_INLINE __attribute__((always_inline)) inline

// Two cells side by side: four lanes each.
typedef int32_t Eight __attribute__((vector_size(32)));
typedef float Floats __attribute__((vector_size(32)));
typedef int16_t Words __attribute__((vector_size(16)));

ALWAYS_INLINE void LoadWords(const int16_t* first, const int16_t* second, Eight& out) {
  Words words;
  std::memcpy(&words, first, 8);
  std::memcpy(reinterpret_cast<char*>(&words) + 8, second, 8);
  out = __builtin_convertvector(words, Eight);
}

// Rows of four become columns, cell by cell.
ALWAYS_INLINE void Transpose(Eight r[4]) {
  const Eight a = __builtin_shufflevector(r[0], r[1], 0, 8, 1, 9, 4, 12, 5, 13);
  const Eight b = __builtin_shufflevector(r[0], r[1], 2, 10, 3, 11, 6, 14, 7, 15);
  const Eight c = __builtin_shufflevector(r[2], r[3], 0, 8, 1, 9, 4, 12, 5, 13);
  const Eight d = __builtin_shufflevector(r[2], r[3], 2, 10, 3, 11, 6, 14, 7, 15);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
  r[1] = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
  r[2] = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

// out[i] = (sum over k of m[i * 4 + k] * in[k] + half) >> shift
ALWAYS_INLINE void ForwardPass(const CoarseMatrix& m, const Eight in[4], int shift, Eight out[4]) {
  for (size_t i = 0; i < 4; ++i) {
    out[i] = in[0] * int32_t{m[4 * i]} + (1 << (shift - 1));
    for (size_t k = 1; k < 4; ++k) out[i] += in[k] * int32_t{m[4 * i + k]};
    out[i] >>= shift;
  }
}

// The same of values of up to 26 bits, whose products have more than 32: their low ten bits apart.
ALWAYS_INLINE void InversePass(const CoarseMatrix& m, const Eight in[4], int shift, Eight out[4]) {
  for (size_t i = 0; i < 4; ++i) {
    Eight high = {}, low = {};
    low += 1 << (shift - 1);
    for (size_t k = 0; k < 4; ++k) {
      const int32_t w = m[4 * i + k];
      high += (in[k] >> 10) * w;
      low += (in[k] & 1023) * w;
    }
    out[i] = (high + (low >> 10)) >> (shift - 10);
  }
}

ALWAYS_INLINE void ForwardBody(const CoarseMatrix& m, const CoarseRow& row) {
  const auto step = static_cast<int32_t>(row.step);
  const float per_step = 1.0f / static_cast<float>(step);
  for (int64_t cell = 0; cell < row.cells; cell += 2) {
    Eight line[4], half[4], c[4];
    for (size_t y = 0; y < 4; ++y) {
      const int16_t* const from = row.dc + cell * 4 + static_cast<int64_t>(y) * row.pitch;
      LoadWords(from, from + 4, line[y]);
    }
    ForwardPass(m, line, 15, half);  // [v], lanes x; f=3
    Transpose(half);                 // [x], lanes v
    ForwardPass(m, half, 13, c);     // [u], lanes v; f=4
    for (size_t u = 0; u < 4; ++u) {
      const Eight sign = c[u] >> 31;
      const Eight n = ((c[u] ^ sign) - sign) * 4 + step / 2;  // below 2^20, so floats are exact
      Eight level = __builtin_convertvector(__builtin_convertvector(n, Floats) * per_step, Eight);
      const Eight rest = n - level * step;  // the quotient may be off by one
      level += (rest >> 31) - (rest >= step);
      const Words words = __builtin_convertvector((level ^ sign) - sign, Words);
      std::memcpy(row.coefficients + cell * kCoarse + 4 * u, &words, 8);
      if (cell + 1 < row.cells) {
        std::memcpy(row.coefficients + (cell + 1) * kCoarse + 4 * u,
                    reinterpret_cast<const char*>(&words) + 8, 8);
      }
    }
  }
}

ALWAYS_INLINE void Limit(Eight& v, int32_t low, int32_t high) {
  const Eight lowest = Eight{} + low, highest = Eight{} + high;
  v = v < lowest ? lowest : v;
  v = v > highest ? highest : v;
}

ALWAYS_INLINE void InverseBody(const CoarseMatrix& m, const CoarseRow& row) {
  const auto step = static_cast<int32_t>(row.step);
  for (int64_t cell = 0; cell < row.cells; cell += 2) {
    const bool both = cell + 1 < row.cells;
    const int16_t* const q = row.coefficients + cell * kCoarse;
    Eight value[4], half[4], line[4];
    for (size_t u = 0; u < 4; ++u) {
      LoadWords(q + 4 * u, q + 4 * u + (both ? kCoarse : 0), value[u]);
      value[u] *= step;
      Limit(value[u], -(1 << 23), 1 << 23);
    }
    InversePass(m, value, 14, half);  // [x], lanes v; f=6
    Transpose(half);                  // [v], lanes x
    InversePass(m, half, 16, line);   // [y], lanes x; f=4
    for (size_t y = 0; y < 4; ++y) {
      Limit(line[y], -32768, 32767);
      const Words words = __builtin_convertvector(line[y], Words);
      std::memcpy(row.dc + cell * 4 + static_cast<int64_t>(y) * row.pitch, &words, both ? 16 : 8);
    }
  }
}

}  // namespace

int32_t CoarseNorm(const CoarseMatrix& m) {
  int32_t norm = 0;
  for (size_t i = 0; i < 4; ++i) {
    int32_t sum = 0;
    for (size_t k = 0; k < 4; ++k) sum += std::abs(int32_t{m[4 * i + k]});
    norm = std::max(norm, sum);
  }
  return norm;
}

void CoarseForward(SimdLevel level, const CoarseMatrix& m, const CoarseRow& row) {
  RunPerLevel<ForwardBody>(level, m, row);
}
void CoarseInverse(SimdLevel level, const CoarseMatrix& m, const CoarseRow& row) {
  RunPerLevel<InverseBody>(level, m, row);
}

}  // namespace godwit::swift
