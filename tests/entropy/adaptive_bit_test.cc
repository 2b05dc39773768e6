#include "entropy/adaptive_bit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace godwit {
namespace {

TEST(AdaptiveBitTest, EveryStateStaysInsideTheScaleAndMovesTowardsTheBit) {
  for (int rate = kMinAdaptRate; rate <= kMaxAdaptRate; ++rate) {
    const int half = 1 << (rate - 1);
    for (int p = 1; p < 65536; ++p) {
      for (const bool bit : {false, true}) {
        AdaptiveBit model{static_cast<uint16_t>(p)};
        model.Update(bit, rate);
        // In 64-bit integers and without the cast: what the document says.
        const int64_t want =
            p +
            static_cast<int64_t>(std::floor(((bit ? 65536 : 0) - p + half) / std::ldexp(1, rate)));
        ASSERT_EQ(model.p1, want) << "p1 " << p << " bit " << bit << " rate " << rate;
        ASSERT_GT(want, 0);
        ASSERT_LT(want, 65536);
        ASSERT_TRUE(bit ? want >= p : want <= p);
      }
    }
  }
}

TEST(AdaptiveBitTest, LongRunsStallWhereTheDocumentSays) {
  for (int rate = kMinAdaptRate; rate <= kMaxAdaptRate; ++rate) {
    const int half = 1 << (rate - 1);
    AdaptiveBit zeros, ones;
    for (int i = 0; i < 10000; ++i) {
      zeros.Update(false, rate);
      ones.Update(true, rate);
    }
    EXPECT_EQ(zeros.p1, half);
    EXPECT_EQ(ones.p1, 65536 - half + 1);
  }
}

TEST(AdaptiveBitTest, BitsComeBackAndCostLittleMoreThanTheirEntropy) {
  for (int rate = kMinAdaptRate; rate <= kMaxAdaptRate; ++rate) {
    for (const double p : {0.5, 0.2, 0.05, 0.01}) {
      std::mt19937 random(7);
      std::vector<bool> bits(200000);
      const auto threshold = static_cast<uint32_t>(p * 4294967296.0);
      for (size_t i = 0; i < bits.size(); ++i) bits[i] = random() < threshold;
      Bytes out(bits.size());
      RangeEncoder encoder(out);
      AdaptiveBit model;
      for (const bool bit : bits) EncodeAdaptive(encoder, model, bit, rate);
      const Result<size_t> size = encoder.Finish();
      ASSERT_TRUE(size.ok());
      out.resize(*size);
      RangeDecoder decoder(out);
      model = {};
      for (size_t i = 0; i < bits.size(); ++i) {
        ASSERT_EQ(DecodeAdaptive(decoder, model, rate), bits[i]) << i;
      }
      EXPECT_TRUE(decoder.Finish().ok());
      // A state that forgets at 2^-rate wanders; to first order that costs 2^-rate / (4 ln 2) bits.
      const double entropy = -p * std::log2(p) - (1 - p) * std::log2(1 - p);
      const double cost = 8.0 * static_cast<double>(*size) / static_cast<double>(bits.size());
      EXPECT_LT(cost, entropy * 1.02 + std::ldexp(0.5, -rate)) << "rate " << rate << " p " << p;
    }
  }
}

}  // namespace
}  // namespace godwit
