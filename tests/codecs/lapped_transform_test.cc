#include "codecs/audio/lapped_transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "base/crc32c.h"
#include "codecs/audio/trigonometry.h"

namespace godwit::audio {
namespace {

std::vector<int32_t> Noise(size_t n, uint32_t seed, int bits = 24) {
  std::mt19937 engine(seed);
  std::vector<int32_t> x(n);
  for (int32_t& v : x) v = static_cast<int32_t>(static_cast<uint32_t>(engine())) >> (32 - bits);
  return x;
}

constexpr uint32_t kSizes[] = {8,   16,  20,  32,  40,   64,   80,   128,  160,
                               256, 320, 512, 640, 1024, 1280, 2048, 2560, 4096};

TEST(LappedTransformTest, SinesAreThoseOfTheDocument) {
  for (const uint32_t den : {8u, 512u, 4096u, 5120u, 32768u}) {
    for (uint32_t num = 0; 2 * num <= den; ++num) {
      const double exact = std::ldexp(std::sin(M_PI * num / den), 30);
      EXPECT_NEAR(SineQ30(num, den), exact, 0.5001) << num << "/" << den;
    }
  }
}

TEST(LappedTransformTest, Dct4IsThatOfTheDefinition) {
  for (const uint32_t n : kSizes) {
    if (n > 1280) continue;  // the definition takes n^2
    const auto x = Noise(n, n);
    std::vector<int32_t> y = x, scratch(2 * n);
    Dct4(n, LappedKernelsFor(SimdLevel::kScalar)).Run(y.data(), scratch.data());
    for (uint32_t k = 0; k < n; k += 1 + n / 64) {
      double sum = 0;
      for (uint32_t i = 0; i < n; ++i) sum += x[i] * std::cos(M_PI / n * (i + 0.5) * (k + 0.5));
      EXPECT_NEAR(y[k], sum * std::sqrt(2.0 / n), 48) << n << ", " << k;
    }
  }
}

TEST(LappedTransformTest, Dct4IsItsOwnInverse) {
  for (const uint32_t n : kSizes) {
    const auto x = Noise(n, n + 1);
    std::vector<int32_t> y = x, scratch(2 * n);
    const Dct4 dct(n, LappedKernelsFor(SimdLevel::kScalar));
    dct.Run(y.data(), scratch.data());
    dct.Run(y.data(), scratch.data());
    for (uint32_t i = 0; i < n; ++i) ASSERT_LE(std::abs(x[i] - y[i]), 48) << n;
  }
}

TEST(LappedTransformTest, AllLevelsAgreeWhateverTheSamples) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    for (const uint32_t n : kSizes) {
      for (const int bits : {24, 32}) {  // 32: sums wrap
        auto want = Noise(n, n + 2, bits), got = want;
        std::vector<int32_t> scratch(2 * n);
        Dct4(n, LappedKernelsFor(SimdLevel::kScalar)).Run(want.data(), scratch.data());
        Dct4(n, LappedKernelsFor(level)).Run(got.data(), scratch.data());
        ASSERT_EQ(got, want) << n << ", " << SimdLevelName(level);
        Overlap(n, LappedKernelsFor(SimdLevel::kScalar)).Fold(want.data() + n / 2);
        Overlap(n, LappedKernelsFor(level)).Fold(got.data() + n / 2);
        ASSERT_EQ(got, want) << n << ", " << SimdLevelName(level);
        Overlap(n, LappedKernelsFor(SimdLevel::kScalar)).Unfold(want.data() + n / 2);
        Overlap(n, LappedKernelsFor(level)).Unfold(got.data() + n / 2);
        ASSERT_EQ(got, want) << n << ", " << SimdLevelName(level);
      }
    }
  }
}

TEST(LappedTransformTest, UnfoldTakesFoldBack) {
  for (const uint32_t n : kSizes) {
    const auto x = Noise(n, n + 3);
    auto y = x;
    const Overlap overlap(n, LappedKernelsFor(SimdLevel::kScalar));
    overlap.Fold(y.data() + n / 2);
    overlap.Unfold(y.data() + n / 2);
    for (uint32_t i = 0; i < n; ++i) ASSERT_LE(std::abs(x[i] - y[i]), 2) << n;
  }
}

TEST(LappedTransformTest, AToneIsOneCoefficientAndItsNeighbours) {
  constexpr uint32_t kHop = 2048;
  LappedTransform transform(kHop, SimdLevel::kScalar);
  std::vector<int32_t> x(3 * kHop);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<int32_t>(8e6 * std::sin(M_PI / kHop * 100.5 * static_cast<double>(i)));
  }
  transform.Between(0, 0).Fold(x.data() + kHop);
  transform.Between(0, 0).Fold(x.data() + 2 * kHop);
  transform.RunBlocks(x.data() + kHop, 0);
  double near = 0, all = 0;
  for (size_t i = 0; i < kHop; ++i) {
    const double e = double(x[kHop + i]) * x[kHop + i];
    all += e;
    if (i >= 97 && i <= 104) near += e;
  }
  EXPECT_GT(near, 0.999 * all);
}

}  // namespace
}  // namespace godwit::audio
