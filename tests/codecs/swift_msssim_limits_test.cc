#include "codecs/image/swift_msssim_limits.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace godwit::swift {
namespace {

constexpr size_t kBlocks = 32;
using Blocks = std::vector<int16_t>;

Blocks NoisyBlocks(uint32_t seed) {
  std::mt19937 random(seed);
  Blocks out(kBlocks * kChannels);
  for (size_t i = 0; i < out.size(); ++i) {
    const int width = static_cast<int>(i / kChannels) / 2 + 1;  // from 1 to 16 bits
    out[i] = static_cast<int16_t>(static_cast<int32_t>(random()) >> (32 - width));
  }
  return out;
}

class MsssimLimitsTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(MsssimLimitsTest, DropEqualsScalar) {
  for (uint32_t step : {1u, 64u, 1024u, 8192u, 65536u}) {
    MsssimLimits scalar, tested;
    scalar.SetStep(step);
    tested.SetStep(step);
    for (size_t plane = 0; plane < 3; ++plane) {
      for (const int64_t blocks : {1, 2, 31, 32}) {
        Blocks want = NoisyBlocks(step + static_cast<uint32_t>(plane)), got = want;
        scalar.Drop(SimdLevel::kScalar, plane, blocks, want.data());
        tested.Drop(GetParam(), plane, blocks, got.data());
        EXPECT_EQ(got, want) << "step " << step << " plane " << plane << " blocks " << blocks;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, MsssimLimitsTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& test) { return std::string(SimdLevelName(test.param)); });

// How many steps, in hundredths, the least coefficient has that is kept beside others of `energy`.
int LeastKept(size_t plane, size_t place, int16_t others) {
  constexpr uint32_t kStep = 4096;  // 64 levels, 1024 of f=4
  for (int hundredths = 0; hundredths <= 300; ++hundredths) {
    MsssimLimits limits;
    limits.SetStep(kStep);
    Blocks luma(kChannels, others);
    luma[place] = plane == 0 ? static_cast<int16_t>(hundredths * 1024 / 100) : others;
    limits.Drop(SimdLevel::kScalar, 0, 1, luma.data());
    if (plane == 0) {
      if (luma[place] != 0) return hundredths;
      continue;
    }
    Blocks chroma(kChannels, 0);
    chroma[place] = static_cast<int16_t>(hundredths * 1024 / 100);
    limits.Drop(SimdLevel::kScalar, plane, 1, chroma.data());
    if (chroma[place] != 0) return hundredths;
  }
  return 1000;
}

TEST(MsssimLimitsTest, NoiseHighFrequenciesAndColourMustBeLarger) {
  const int smooth = LeastKept(0, 1, 10);
  EXPECT_GE(smooth, 50);
  EXPECT_LT(smooth, 61);  // the usual dead zone
  EXPECT_GT(LeastKept(0, 63, 10), smooth);
  EXPECT_GT(LeastKept(0, 1, 800), smooth + 5);
  EXPECT_GT(LeastKept(1, 1, 10), smooth + 5);
  EXPECT_EQ(LeastKept(1, 1, 10), LeastKept(2, 1, 10));
  EXPECT_LE(LeastKept(1, 63, 1000), 201);  // never more than two steps
}

TEST(MsssimLimitsTest, DcIsLeftAlone) {
  MsssimLimits limits;
  limits.SetStep(65536);
  Blocks block(kChannels, 1);
  limits.Drop(SimdLevel::kScalar, 0, 1, block.data());
  EXPECT_EQ(block[0], 1);
  EXPECT_EQ(block[1], 0);
}

}  // namespace
}  // namespace godwit::swift
