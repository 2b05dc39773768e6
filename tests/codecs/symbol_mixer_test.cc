#include "codecs/audio/symbol_mixer.h"

#include <gtest/gtest.h>

namespace godwit::audio {
namespace {

// Mix() and Learn() are what MixPlain() and LearnPlain() say, at the ends of all ranges too.
TEST(SymbolMixerTest, VectorsEqualTheDefinition) {
  uint32_t random = 1;
  const auto next = [&] { return random = random * 1664525 + 1013904223; };
  for (int round = 0; round < 200'000; ++round) {
    Opinions opinions;
    SymbolWeights weights;
    for (size_t i = 0; i < 5; ++i) {
      const uint32_t r = next() >> 8;
      opinions.x[i] = static_cast<int16_t>(r % 8 == 0 ? (r & 8 ? 2559 : -2559)
                                                      : static_cast<int>(r % 5119) - 2559);
    }
    opinions.x[5] = kConstantOpinion;
    for (size_t i = 0; i < kOpinions; ++i) {
      const uint32_t r = next() >> 8;
      weights.w[i] = static_cast<int16_t>(r % 8 == 0 ? (r & 8 ? 32767 : -32768) : r >> 3);
    }
    const auto& x = opinions.x;
    const Heard heard = Hear(x[0], x[1], x[2], x[3], x[4]);
    ASSERT_EQ(Mix(heard, weights), MixPlain(opinions, weights)) << round;
    const int error = (static_cast<int>(next() >> 15) - 65535) >> 1;
    SymbolWeights same = weights;
    Learn(heard, error, &weights);
    LearnPlain(opinions, error, &same);
    ASSERT_EQ(weights.w, same.w) << round;
  }
}

TEST(SymbolMixerTest, WeightsMoveTowardsWhoWasRight) {
  SymbolWeights weights;
  const Heard heard = Hear(800, -800, 0, 0, 0);
  for (int i = 0; i < 50; ++i) {
    const auto p1 = static_cast<int>(bit_mixer_internal::Squash(Mix(heard, weights)));
    Learn(heard, (65535 - p1) >> 1, &weights);
  }
  EXPECT_GT(weights.w[0], 6000);
  EXPECT_LT(weights.w[1], 2500);
  EXPECT_EQ(weights.w[2], 4096);
  EXPECT_GT(Mix(heard, weights), 400);
}

}  // namespace
}  // namespace godwit::audio
