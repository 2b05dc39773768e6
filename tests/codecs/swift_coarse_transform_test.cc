#include "codecs/image/swift_coarse_transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace godwit::swift {
namespace {

// docs/format/image.md, sections 3 and 4, in 64 bits.
constexpr int64_t kPitch = 40;
using Samples = std::vector<int16_t>;

void PlainForward(const CoarseMatrix& m, const Samples& dc, int64_t cell, int64_t step,
                  int16_t* out) {
  int64_t half[4][4];
  for (size_t v = 0; v < 4; ++v) {
    for (size_t x = 0; x < 4; ++x) {
      int64_t sum = 1 << 14;
      for (size_t y = 0; y < 4; ++y)
        sum += int64_t{m[v * 4 + y]} * dc[y * kPitch + static_cast<size_t>(cell) * 4 + x];
      half[v][x] = sum >> 15;
    }
  }
  for (size_t u = 0; u < 4; ++u) {
    for (size_t v = 0; v < 4; ++v) {
      int64_t sum = 1 << 12;
      for (size_t x = 0; x < 4; ++x) sum += m[u * 4 + x] * half[v][x];
      const int64_t c = sum >> 13, level = (std::abs(c) * 4 + step / 2) / step;
      out[u * 4 + v] = static_cast<int16_t>(c < 0 ? -level : level);
    }
  }
}

void PlainInverse(const CoarseMatrix& m, const int16_t* q, int64_t step, int64_t cell,
                  Samples& dc) {
  int64_t half[4][4];
  for (size_t x = 0; x < 4; ++x) {
    for (size_t v = 0; v < 4; ++v) {
      int64_t sum = 1 << 13;
      for (size_t u = 0; u < 4; ++u)
        sum += m[x * 4 + u] * std::clamp<int64_t>(q[u * 4 + v] * step, -(1 << 23), 1 << 23);
      half[x][v] = sum >> 14;
    }
  }
  for (size_t y = 0; y < 4; ++y) {
    for (size_t x = 0; x < 4; ++x) {
      int64_t sum = 1 << 15;
      for (size_t v = 0; v < 4; ++v) sum += m[y * 4 + v] * half[x][v];
      dc[y * kPitch + static_cast<size_t>(cell) * 4 + x] =
          static_cast<int16_t>(std::clamp<int64_t>(sum >> 16, -32768, 32767));
    }
  }
}

// Rows of the largest norm there may be, and a DCT.
std::vector<CoarseMatrix> Matrices() {
  return {{8192, 8192, 8192, 8192, 10703, 4433, -4433, -10703, 8192, -8192, -8192, 8192, 4433,
           -10703, 10703, -4433},
          {kMaxCoarseNorm - 32767, 0, 0, 32767, -32768, 232, 0, 0, 0, 0, -32768, -232, 16500, 16500,
           0, 0}};
}

class CoarseTransformTest : public testing::TestWithParam<SimdLevel> {};
INSTANTIATE_TEST_SUITE_P(AllLevels, CoarseTransformTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST_P(CoarseTransformTest, EqualsTheDocumentAndWritesNothingElse) {
  std::mt19937 rng(7);
  const auto word = [&](int round) {  // extremes, then all sizes
    if (round < 2) return static_cast<int16_t>(rng() % 2 == 0 ? -32768 : 32767);
    return static_cast<int16_t>(static_cast<int16_t>(rng()) >> (rng() % 12));
  };
  for (const CoarseMatrix& m : Matrices()) {
    ASSERT_LE(CoarseNorm(m), kMaxCoarseNorm);
    for (const uint32_t step : {32u, 33u, 450u, 7000u, 65534u}) {
      for (int64_t cells = 1; cells <= 7; ++cells) {
        for (int round = 0; round < 8; ++round) {
          Samples dc(4 * kPitch + 8), q(8 * kCoarse);
          for (int16_t& v : dc) v = word(round);
          for (int16_t& v : q) v = std::max<int16_t>(word(round), -32767);
          const Samples start = dc;
          Samples want = q, got = q;
          for (int64_t c = 0; c < cells; ++c) PlainForward(m, dc, c, step, &want[c * kCoarse]);
          CoarseForward(GetParam(), m, {dc.data(), kPitch, got.data(), cells, step});
          ASSERT_EQ(got, want) << "step " << step << " cells " << cells << " round " << round;
          ASSERT_EQ(dc, start);

          Samples plain = start;
          for (int64_t c = 0; c < cells; ++c) PlainInverse(m, &q[c * kCoarse], step, c, plain);
          const Samples symbols = q;
          CoarseInverse(GetParam(), m, {dc.data(), kPitch, q.data(), cells, step});
          ASSERT_EQ(dc, plain) << "step " << step << " cells " << cells << " round " << round;
          ASSERT_EQ(q, symbols);
        }
      }
    }
  }
}

}  // namespace
}  // namespace godwit::swift
