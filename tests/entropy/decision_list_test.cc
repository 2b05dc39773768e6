#include "entropy/decision_list.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace godwit {
namespace {

// Skewed bits of `contexts` contexts from `first` on, and now and then raw bits.
std::vector<Decision> RandomDecisions(uint32_t seed, size_t n, uint32_t first, uint32_t contexts) {
  std::mt19937 rng(seed);
  std::vector<Decision> list(n);
  for (Decision& d : list) {
    const uint32_t context = first + static_cast<uint32_t>(rng() % contexts);
    if (rng() % 20 == 0) {
      const uint32_t count = static_cast<uint32_t>(rng() % 17);
      d = kRawDecision | count << 16 | (static_cast<uint32_t>(rng()) & ((1u << count) - 1));
    } else {
      d = context * 2 + (rng() % 64 < context % 33);
    }
  }
  return list;
}

// What the plain coder makes of them.
Bytes Plainly(const std::vector<Decision>& list, std::vector<AdaptiveBit>& contexts) {
  Bytes out(3 * list.size() + 64);
  RangeEncoder encoder(out);
  for (const Decision d : list) {
    if ((d & kRawDecision) != 0) {
      encoder.EncodeRaw(d & 0xffff, static_cast<int>(d >> 16 & 31));
    } else {
      EncodeAdaptive(encoder, contexts[d >> 1], (d & 1) != 0, kDecisionRate);
    }
  }
  out.resize(encoder.Finish().value());
  return out;
}

Bytes Finished(DecisionEncoder& encoder) {
  const auto bytes = encoder.Finish();
  EXPECT_TRUE(bytes.ok());
  return Bytes(bytes->begin(), bytes->end());
}

class DecisionEncoderTest : public testing::TestWithParam<SimdLevel> {};

INSTANTIATE_TEST_SUITE_P(AllLevels, DecisionEncoderTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST_P(DecisionEncoderTest, EqualsThePlainCoderHoweverTheListIsCut) {
  DecisionEncoder encoder;  // used again and again
  for (const size_t n : {0u, 1u, 7u, 1000u, 30000u}) {
    const std::vector<Decision> list = RandomDecisions(static_cast<uint32_t>(n), n, 0, 40);
    std::vector<AdaptiveBit> plain(40), contexts(40);
    const Bytes want = Plainly(list, plain);
    for (const size_t cut : {n + 1, n / 3 + 1, size_t{5}}) {
      contexts.assign(40, {});
      encoder.Start();
      for (size_t i = 0; i < n; i += cut)
        encoder.Encode(GetParam(), {list.data() + i, std::min(cut, n - i)}, contexts.data());
      EXPECT_EQ(Finished(encoder), want) << n << " by " << cut;
      for (size_t i = 0; i < contexts.size(); ++i) EXPECT_EQ(contexts[i].p1, plain[i].p1);
    }
  }
}

// Lists of these lengths, each with contexts of its own, side by side and alone.
void ExpectSideBySideEqualsAlone(SimdLevel level, const std::vector<std::vector<Decision>>& lists,
                                 size_t contexts_each) {
  std::vector<AdaptiveBit> plain(lists.size() * contexts_each), contexts(plain);
  std::vector<DecisionEncoder> encoders(lists.size());
  std::vector<DecisionEncoder::Work> work;
  for (size_t i = 0; i < lists.size(); ++i) {
    encoders[i].Start();
    work.push_back({&encoders[i], lists[i]});
  }
  DecisionEncoder::EncodeSideBySide(level, work, contexts.data());
  for (size_t i = 0; i < lists.size(); ++i)
    EXPECT_EQ(Finished(encoders[i]), Plainly(lists[i], plain)) << "list " << i;
  for (size_t i = 0; i < contexts.size(); ++i) EXPECT_EQ(contexts[i].p1, plain[i].p1) << i;
}

TEST_P(DecisionEncoderTest, ListsSideBySideEqualEachAlone) {
  const std::vector<size_t> kSizes[] = {{},
                                        {500},
                                        {0, 9},
                                        {1000, 1000},
                                        {20000, 3, 8},
                                        {17, 5000, 16, 15},
                                        {900, 7, 0, 8, 2000, 3000, 64, 333},
                                        std::vector<size_t>(DecisionEncoder::kMostWork, 100)};
  for (const auto& sizes : kSizes) {
    std::vector<std::vector<Decision>> lists;
    for (const size_t n : sizes) {
      const auto at = static_cast<uint32_t>(lists.size());
      lists.push_back(RandomDecisions(at, n, at * 40, 40));
    }
    ExpectSideBySideEqualsAlone(GetParam(), lists, 40);
  }
}

// More bits in a few decisions than a lane can hold: long runs of likely bits, then unlikely ones
// and raw ones together.
TEST_P(DecisionEncoderTest, BurstsSideBySideEqualEachAlone) {
  std::vector<std::vector<Decision>> lists;
  for (uint32_t l = 0; l < 5; ++l) {
    std::vector<Decision> list;
    for (uint32_t burst = 1; burst < 40; ++burst) {
      for (uint32_t i = 0; i < 700 + l; ++i) list.push_back(2 * l + (l % 2));
      for (uint32_t i = 0; i < burst % 13; ++i) list.push_back(2 * l + (1 - l % 2));
      for (uint32_t i = 0; i < burst % 7; ++i) list.push_back(kRawDecision | 16u << 16 | 0xffff);
      if (burst % 3 == 0) list.push_back(kRawDecision);  // no bits
    }
    lists.push_back(std::move(list));
  }
  ExpectSideBySideEqualsAlone(GetParam(), lists, 1);
}

TEST(DecisionWriterTest, HandsOnEverythingInOrder) {
  struct Sink final : DecisionSink {
    std::vector<Decision> all;
    size_t calls = 0;
    void Take(std::span<const Decision> d) override {
      all.insert(all.end(), d.begin(), d.end());
      ++calls;
    }
  } sink;
  std::vector<Decision> batch(static_cast<size_t>(DecisionWriter::kBatch + DecisionWriter::kSlack)),
      want, block(DecisionWriter::kBlock);
  DecisionWriter writer(batch.data(), sink);
  for (uint32_t i = 0; i < 10000; ++i) {
    writer.Bit(i % 3 == 0, static_cast<int>(i % 100));
    want.push_back(i % 100 * 2 + (i % 3 == 0));
    writer.Raw(i % 8, 3);
    want.push_back(kRawDecision | 3 << 16 | i % 8);
    for (Decision& d : block) d = i % 77;
    writer.Some(block.data(), static_cast<int>(i % 5));
    want.insert(want.end(), i % 5, i % 77);
    writer.Pause();
  }
  writer.Flush();
  EXPECT_EQ(sink.all, want);
  EXPECT_GT(sink.calls, 2u);
  EXPECT_TRUE(writer.list().empty());
}

}  // namespace
}  // namespace godwit
