#include "entropy/bit_mixer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace godwit {
namespace {

using bit_mixer_internal::kStretch;
using bit_mixer_internal::Squash;

TEST(BitMixerTest, SquashIsTheLogisticFunctionAndRises) {
  for (int x = -kMaxLogOdds; x <= kMaxLogOdds; ++x) {
    EXPECT_NEAR(Squash(x), 65536 / (1 + std::exp(-x / 256.0)), 60) << x;
    EXPECT_GE(Squash(x), Squash(std::max(x - 1, -kMaxLogOdds)));
    EXPECT_GT(Squash(x), 0u);
    EXPECT_LT(Squash(x), 65536u);
  }
}

TEST(BitMixerTest, StretchIsItsInverse) {
  for (size_t i = 0; i < kStretch.size(); ++i) {
    const int x = kStretch[i];
    EXPECT_TRUE(x == -kMaxLogOdds || Squash(x) <= i * 16 + 8) << i;
    EXPECT_TRUE(x == kMaxLogOdds || Squash(x + 1) > i * 16 + 8) << i;
  }
}

TEST(BitMixerTest, CountedBitsLearnAndStayProbabilities) {
  for (const bool bit : {false, true}) {
    CountedBit context;
    for (int i = 0; i < 3000; ++i) context.Update(bit, 127);
    EXPECT_NEAR(context.p1, bit ? 65535 : 0, 200);
    for (int i = 0; i < 3000; ++i) context.Update(!bit, 255);
    EXPECT_NEAR(context.p1, bit ? 0 : 65535, 400);
  }
  CountedBit first;
  first.Update(true, 127);
  EXPECT_NEAR(first.p1, 65536 * 5 / 6, 2);  // two thirds of the way
}

// One input knows the bit, one is noise: the mixture must find out which.
TEST(BitMixerTest, TheBetterOpinionPrevails) {
  std::mt19937 rng(1);
  std::array<CountedBit, 2> knows;
  std::array<CountedBit, 16> noise;
  MixerWeights<2> weights;
  double bits = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const bool hint = rng() % 2 == 0;
    const bool bit = rng() % 10 == 0 ? !hint : hint;
    const BitMixer<2>::Bits inputs = {&knows[hint], &noise[rng() % 16]};
    BitMixer<2> mixer;
    const double p1 = mixer.Predict(inputs, weights) / 65536.0;
    bits -= std::log2(bit ? p1 : 1 - p1);
    mixer.Update(inputs, weights, bit, 127);
  }
  EXPECT_LT(bits / kCount, 0.469 * 1.03);  // the entropy of one in ten
}

}  // namespace
}  // namespace godwit
