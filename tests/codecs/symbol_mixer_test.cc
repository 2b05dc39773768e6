#include "codecs/audio/symbol_mixer.h"

#include <gtest/gtest.h>

#include "codecs/audio/symbol_listener.h"

namespace godwit::audio {
namespace {

class Random {
 public:
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>((uint64_t{Next()} * n) >> 32); }

 private:
  uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  uint64_t state_ = 1;
};

// What VectorListener says and learns is what PlainListener does, at the ends of all ranges too.
TEST(SymbolMixerTest, VectorsEqualTheDefinition) {
  Random random;
  for (int round = 0; round < 300'000; ++round) {
    std::array<SymbolContexts::Places, 5> rows[2];
    SymbolWeights weights[2];
    const size_t place = random.Below(kPlaces);
    for (auto& row : rows[0]) {
      for (CountedBit& bit : row) {
        const uint32_t kind = random.Below(8);
        bit.p1 = static_cast<uint16_t>(kind == 0   ? random.Below(20)
                                       : kind == 1 ? 65535 - random.Below(20)
                                                   : random.Below(65536));
        bit.count = static_cast<uint8_t>(kind == 2 ? 245 + random.Below(11) : random.Below(256));
      }
    }
    for (size_t i = 0; i < kOpinions; ++i) {
      const uint32_t kind = random.Below(8);
      weights[0].w[i] =
          static_cast<int16_t>(kind == 0   ? 32767
                               : kind == 1 ? -32768
                                           : static_cast<int>(random.Below(65536)) - 32768);
    }
    rows[1] = rows[0];
    weights[1] = weights[0];
    const auto pointers = [&](size_t which) {
      SymbolRows out;
      for (size_t k = 0; k < out.size(); ++k) out[k] = rows[which][k].data();
      return out;
    };
    const PlainListener plain(pointers(0), place);
    const VectorListener vector(pointers(1), place);
    const uint32_t p1 = plain.Predict(weights[0]);
    ASSERT_EQ(vector.Predict(weights[1]), p1) << round;
    const bool bit = random.Below(2) != 0;
    plain.Learn(bit, p1, &weights[0]);
    vector.Learn(bit, p1, &weights[1]);
    ASSERT_EQ(weights[1].w, weights[0].w) << round;
    for (size_t k = 0; k < 5; ++k) {
      for (size_t i = 0; i < kPlaces; ++i) {
        ASSERT_EQ(rows[1][k][i].p1, rows[0][k][i].p1) << round << ' ' << k << ' ' << i;
        ASSERT_EQ(rows[1][k][i].count, rows[0][k][i].count) << round << ' ' << k << ' ' << i;
      }
    }
  }
}

// Every state of a context, either bit.
TEST(SymbolMixerTest, VectorsMoveEveryContextAsTheDefinitionDoes) {
  const std::array<CountedBit, kPlaces> blank = {};
  for (int count = 0; count < 256; ++count) {
    for (uint32_t p1 = 0; p1 < 65536; p1 += 5) {
      std::array<SymbolContexts::Places, 5> rows;
      SymbolRows pointers;
      for (uint32_t k = 0; k < 5; ++k) {
        rows[k] = blank;
        rows[k][0].p1 = static_cast<uint16_t>(std::min(p1 + k, 65535u));
        rows[k][0].count = static_cast<uint8_t>(count);
        pointers[k] = rows[k].data();
      }
      const auto before = rows;
      for (const bool bit : {false, true}) {
        rows = before;
        SymbolWeights weights;
        VectorListener(pointers, 0).Learn(bit, 1000, &weights);
        for (size_t k = 0; k < 5; ++k) {
          CountedBit want = before[k][0];
          want.Update(bit, kSymbolLimit);
          ASSERT_EQ(rows[k][0].p1, want.p1) << count << ' ' << p1 + k << ' ' << bit;
          ASSERT_EQ(rows[k][0].count, want.count) << count << ' ' << p1 + k << ' ' << bit;
        }
      }
    }
  }
}

TEST(SymbolMixerTest, WeightsMoveTowardsWhoWasRight) {
  SymbolWeights weights;
  const Opinions opinions = {{800, -800, 0, 0, 0, kConstantOpinion}};
  for (int i = 0; i < 50; ++i) {
    const auto p1 = static_cast<int>(bit_mixer_internal::Squash(Mix(opinions, weights)));
    Learn(opinions, (65535 - p1) >> 1, &weights);
  }
  EXPECT_GT(weights.w[0], 6000);
  EXPECT_LT(weights.w[1], 2500);
  EXPECT_EQ(weights.w[2], 4096);
  EXPECT_GT(Mix(opinions, weights), 400);
}

}  // namespace
}  // namespace godwit::audio
