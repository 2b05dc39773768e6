#include "entropy/range_coder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace godwit {
namespace {

constexpr uint32_t kScale = 1u << kScaleBits;

// Equal on every machine; std::mt19937 returns more than 32 bits here, which -Wconversion minds.
class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t operator()() { return static_cast<uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

// One call of either coder: what was coded and how.
struct Step {
  enum Kind { kInterval, kBit, kRaw } kind = kInterval;
  uint32_t low = 0;   // kInterval: the low end; kBit: the bit; kRaw: the value
  uint32_t size = 1;  // kInterval: the size; kBit: p1; kRaw: the number of bits
  double Bits() const {
    if (kind == kRaw) return size;
    const double share = kind == kInterval ? size : low ? size : kScale - size;
    return kScaleBits - std::log2(share);
  }
};

void EncodeStep(RangeEncoder& encoder, const Step& s) {
  if (s.kind == Step::kInterval) encoder.Encode({s.low, s.size});
  if (s.kind == Step::kBit) encoder.EncodeBit(s.low != 0, s.size);
  if (s.kind == Step::kRaw) encoder.EncodeRaw(s.low, static_cast<int>(s.size));
}

// Decodes a step as a model that knows the answer would; true if it comes out right.
bool DecodeStep(RangeDecoder& decoder, const Step& s) {
  if (s.kind == Step::kBit) return decoder.DecodeBit(s.size) == (s.low != 0);
  if (s.kind == Step::kRaw) return decoder.DecodeRaw(static_cast<int>(s.size)) == s.low;
  const uint32_t at = decoder.Peek();
  decoder.Take({s.low, s.size});
  return at >= s.low && at < s.low + s.size;
}

Bytes EncodeAll(const std::vector<Step>& steps, std::vector<uint32_t>* fingerprints = nullptr) {
  Bytes out(steps.size() * 2 + 16);
  RangeEncoder encoder(out);
  for (const Step& s : steps) {
    EncodeStep(encoder, s);
    if (fingerprints) fingerprints->push_back(encoder.fingerprint());
  }
  const Result<size_t> size = encoder.Finish();
  EXPECT_TRUE(size.ok());
  out.resize(size.ok() ? *size : 0);
  return out;
}

// Encodes, decodes and compares; returns the stream.
Bytes RoundTrip(const std::vector<Step>& steps) {
  std::vector<uint32_t> fingerprints;
  const Bytes stream = EncodeAll(steps, &fingerprints);
  RangeDecoder decoder(stream);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!DecodeStep(decoder, steps[i]) || decoder.fingerprint() != fingerprints[i]) {
      ADD_FAILURE() << "step " << i << " of " << steps.size();
      return stream;
    }
  }
  const Status status = decoder.Finish();
  EXPECT_TRUE(status.ok()) << status.message();
  return stream;
}

std::vector<Step> RandomSteps(uint32_t seed, size_t count) {
  Random random(seed);
  std::vector<Step> steps(count);
  for (Step& s : steps) {
    s.kind = static_cast<Step::Kind>(random() % 3);
    if (s.kind == Step::kInterval) {
      constexpr uint32_t kSizes[] = {1, 2, 255, 32768, 65535, 65536};
      s.size = random() % 2 ? kSizes[random() % 6] : 1 + random() % kScale;
      s.low = random() % (kScale - s.size + 1);
      if (random() % 4 == 0) s.low = kScale - s.size;  // the top of the scale makes runs of 0xff
      if (random() % 4 == 0) s.low = 0;
    } else if (s.kind == Step::kBit) {
      constexpr uint32_t kEdges[] = {1, 2, 32768, 65534, 65535};
      s.size = random() % 2 ? kEdges[random() % 5] : 1 + random() % (kScale - 1);
      s.low = random() % 2;
    } else {
      s.size = random() % 17;
      s.low = random() & ((1u << s.size) - 1);
    }
  }
  return steps;
}

TEST(RangeCoderTest, NoSymbolsGiveNoBytes) { EXPECT_EQ(RoundTrip({}).size(), 0u); }

TEST(RangeCoderTest, SymbolsAtTheBottomOfTheScaleGiveNoBytes) {
  for (size_t n : {1u, 2u, 3u, 100u}) {
    EXPECT_EQ(RoundTrip(std::vector<Step>(n, Step{Step::kInterval, 0, 1})).size(), 0u);
    EXPECT_EQ(RoundTrip(std::vector<Step>(n, Step{Step::kBit, 0, 65535})).size(), 0u);
    EXPECT_EQ(RoundTrip(std::vector<Step>(n, Step{Step::kRaw, 0, 16})).size(), 0u);
  }
}

TEST(RangeCoderTest, TheDocumentsExample) {  // docs/format/entropy.md section 2
  std::vector<uint32_t> ranges;
  const std::vector<Step> steps = {
      {Step::kBit, 1, 32768}, {Step::kRaw, 10, 4}, {Step::kInterval, 16384, 32768}};
  EXPECT_EQ(EncodeAll(steps, &ranges), Bytes{std::byte{0xd2}});
  EXPECT_EQ(ranges, (std::vector<uint32_t>{0x80000000, 0x08000000, 0x04000000}));
  RoundTrip(steps);
}

TEST(RangeCoderTest, RandomStepsComeBack) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RoundTrip(RandomSteps(seed, seed % 97));
    if (HasFailure()) return;
  }
  RoundTrip(RandomSteps(/*seed=*/1, 300000));
}

TEST(RangeCoderTest, ExtremeIntervalsAndBitsComeBack) {
  for (const Step s : {Step{Step::kInterval, 65535, 1}, Step{Step::kInterval, 0, 65535},
                       Step{Step::kInterval, 1, 65535}, Step{Step::kInterval, 0, 65536},
                       Step{Step::kBit, 0, 1}, Step{Step::kBit, 1, 1}, Step{Step::kBit, 0, 65535},
                       Step{Step::kBit, 1, 65535}, Step{Step::kRaw, 65535, 16}}) {
    for (size_t n = 1; n < 200; ++n) RoundTrip(std::vector<Step>(n, s));
  }
}

// Every last symbol of each small alphabet after every short prefix: all ways to end a stream.
TEST(RangeCoderTest, EveryShortStreamComesBack) {
  for (uint32_t size : {1u, 3u, 256u, 21845u}) {
    const uint32_t count = std::min(kScale / size, 700u);
    for (uint32_t a = 0; a < count; ++a) {
      for (uint32_t b : {0u, 1u, count / 2, count - 1}) {
        RoundTrip({{Step::kInterval, a * size, size}, {Step::kInterval, b * size, size}});
        if (HasFailure()) return;
      }
    }
  }
}

TEST(RangeCoderTest, RunsOfTheLargestRawValuesComeBack) {
  for (const size_t run : {1u, 3u, 4u, 5u, 50u, 5000u}) {
    for (const uint32_t start : {0u, 1u, 77u}) {
      std::vector<Step> carried;
      carried.push_back({Step::kRaw, start, 8});
      for (size_t i = 0; i < run; ++i) carried.push_back({Step::kRaw, 255, 8});
      std::vector<Step> under = carried;
      under.push_back({Step::kRaw, 0, 16});
      std::vector<Step> over = carried;
      for (int i = 0; i < 4; ++i) over.push_back({Step::kInterval, 65535, 1});
      RoundTrip(carried);
      RoundTrip(under);
      RoundTrip(over);
    }
  }
}

// Steers by exact arithmetic beside the coder: each bit is the one that keeps 0x80000000... inside
// the interval, so low stays at 0x7fffff..., a carry away from it.
TEST(RangeCoderTest, ACarryTurnsOverARunOfOnes) {
  std::vector<Step> steps;
  std::vector<uint8_t> low(4, 0);  // of the whole stream, most significant byte first
  uint32_t range = 0xffffffffu;
  const auto add = [&](uint32_t v) {
    size_t i = low.size();
    uint64_t carry = v;
    while (carry != 0) {
      --i;
      carry += low[i];
      low[i] = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
  };
  size_t longest = 0;
  Random random(5);
  for (int step = 0; step < 4000; ++step) {
    const uint32_t p1 = 1 + random() % (kScale - 1);
    const uint32_t bound = SplitRange(range, p1);
    std::vector<uint8_t> before = low;
    add(bound);
    const bool bit = low[0] < 0x80;
    if (!bit) low = before;
    range = bit ? range - bound : bound;
    for (; range < (1u << 24); range <<= 8) low.push_back(0);
    steps.push_back({Step::kBit, bit, p1});
    size_t ones = 0;
    while (ones + 5 < low.size() && low[ones + 1] == 0xff) ++ones;
    longest = std::max(longest, ones);
  }
  EXPECT_GT(longest, 300u);  // bytes of 0xff waiting for a carry
  const Bytes below = RoundTrip(steps);
  std::vector<Step> over = steps;
  for (int i = 0; i < 3; ++i) over.push_back({Step::kBit, 1, 1});
  const Bytes above = RoundTrip(over);
  EXPECT_EQ(above.front(), std::byte{0x80});
  std::vector<Step> under = steps;
  for (int i = 0; i < 3; ++i) under.push_back({Step::kBit, 0, 65535});
  EXPECT_EQ(RoundTrip(under).front(), std::byte{0x7f});
}

TEST(RangeCoderTest, AnyBufferThatHoldsTheStreamIsEnough) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const std::vector<Step> steps = RandomSteps(seed, seed % 31);
    const Bytes want = EncodeAll(steps);
    for (size_t capacity = 0; capacity <= want.size() + 2; ++capacity) {
      Bytes out(capacity + 1, std::byte{0xaa});
      RangeEncoder encoder({out.data(), capacity});
      for (const Step& s : steps) EncodeStep(encoder, s);
      const Result<size_t> size = encoder.Finish();
      EXPECT_EQ(out[capacity], std::byte{0xaa});
      if (capacity < want.size()) {
        ASSERT_FALSE(size.ok()) << "seed " << seed;
        EXPECT_EQ(size.status().code(), StatusCode::kOverLimit);
      } else {
        ASSERT_TRUE(size.ok()) << "seed " << seed;
        out.resize(*size);
        EXPECT_EQ(out, want);
      }
    }
  }
}

TEST(RangeCoderTest, AnAddedByteIsReportedUnlessItMakesOtherSymbols) {
  for (uint32_t seed = 0; seed < 500; ++seed) {
    const std::vector<Step> steps = RandomSteps(seed, seed % 31);
    for (int extra : {0, 1, 255}) {
      Bytes longer = EncodeAll(steps);
      longer.push_back(static_cast<std::byte>(extra));
      RangeDecoder decoder(longer);
      bool same = true;
      for (const Step& s : steps) same &= DecodeStep(decoder, s);
      EXPECT_FALSE(same && decoder.Finish().ok()) << "seed " << seed << " extra " << extra;
    }
  }
}

// Decodes `count` symbols of a fixed skewed model, whatever they are, and encodes them again.
bool DecodesExactly(const Bytes& stream, size_t count, Bytes* again) {
  RangeDecoder decoder(stream);
  std::vector<Step> steps;
  constexpr uint32_t kLow[] = {0, 30000, 50000, 60000, 65000, 65536};
  for (size_t i = 0; i < count; ++i) {
    const uint32_t at = decoder.Peek();
    int s = 0;
    while (at >= kLow[s + 1]) ++s;
    steps.push_back({Step::kInterval, kLow[s], kLow[s + 1] - kLow[s]});
    decoder.Take({steps.back().low, steps.back().size});
    steps.push_back({Step::kBit, decoder.DecodeBit(20000), 20000});
    steps.push_back({Step::kRaw, decoder.DecodeRaw(3), 3});
  }
  *again = EncodeAll(steps);
  return decoder.Finish().ok();
}

// The strongest thing that can be asked without redundancy: Finish() accepts a byte string exactly
// if it is what the encoder makes of the decoded symbols.
TEST(RangeCoderTest, FinishAcceptsTheEncodersBytesAndNothingElse) {
  Random random(11);
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    Bytes bytes(random() % 5);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random() % 3 ? random() : 0);
    Bytes again;
    const bool ok = DecodesExactly(bytes, random() % 5, &again);
    ASSERT_EQ(ok, again == bytes) << "i " << i;
    accepted += ok;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(RangeCoderTest, AStreamCutByTwoBytesOrMoreIsNearlyAlwaysReported) {
  Random random(12);
  int cut = 0, missed = 0;
  for (int i = 0; i < 2000; ++i) {
    const size_t count = 20 + random() % 20;
    Bytes source(40);
    for (std::byte& b : source) b = static_cast<std::byte>(random());
    Bytes stream, again;
    DecodesExactly(source, count, &stream);
    for (size_t size = 1; size + 2 <= stream.size(); ++size) {
      const Bytes prefix(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(size));
      ++cut;
      missed += DecodesExactly(prefix, count, &again);
    }
  }
  EXPECT_GT(cut, 10000);
  EXPECT_LT(missed, cut / 50) << "of " << cut;
  RecordProperty("missed_per_million", static_cast<int>(1e6 * missed / cut));
}

TEST(RangeCoderTest, HostileBytesNeverStopTheDecoder) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    Bytes bytes(random() % 40, std::byte{0xff});
    if (seed > 20) {
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    }
    RangeDecoder decoder(bytes);
    for (int i = 0; i < 200; ++i) {
      ASSERT_LT(decoder.Peek(), kScale);
      decoder.Take({1, 65535});  // not always the one that holds Peek()
      const int count = static_cast<int>(random() % 17);
      ASSERT_EQ(decoder.DecodeRaw(count) >> count, 0u);
      decoder.DecodeBit(1 + random() % 65535);
    }
    (void)decoder.Finish();
  }
}

// Stream length over the ideal -log2 of the shares, in parts of it, over a million symbols.
double Excess(const std::vector<Step>& steps) {
  double ideal = 0;
  for (const Step& s : steps) ideal += s.Bits();
  const double spent = 8.0 * static_cast<double>(RoundTrip(steps).size());
  return (spent - 8 - ideal) / ideal;  // 8: the end of a stream is a whole byte
}

TEST(RangeCoderTest, MultiSymbolExcessIsBelowOneInTwoThousand) {
  const auto laplace = [](double decay) {
    std::vector<double> w(33);
    for (int i = 0; i < 33; ++i) w[static_cast<size_t>(i)] = std::pow(decay, std::abs(i - 16));
    return w;
  };
  std::vector<std::vector<double>> models = {std::vector<double>(256, 1.0),
                                             std::vector<double>(3, 1.0), laplace(0.9),
                                             laplace(0.6), laplace(0.4)};
  for (size_t m = 0; m < models.size(); ++m) {
    std::vector<uint32_t> low = {0};
    double sum = 0, at = 0;
    for (double w : models[m]) sum += w;
    const double scale = kScale - static_cast<double>(models[m].size());
    for (double w : models[m]) {
      at += w;
      low.push_back(static_cast<uint32_t>(scale * at / sum) + static_cast<uint32_t>(low.size()));
    }
    low.back() = kScale;
    Random random(static_cast<uint32_t>(m));
    std::vector<Step> steps(1000000);
    for (Step& s : steps) {
      const uint32_t p = random() % kScale;
      const auto next = std::upper_bound(low.begin(), low.end(), p);
      s = {Step::kInterval, next[-1], next[0] - next[-1]};
    }
    const double excess = Excess(steps);
    RecordProperty("excess_" + std::to_string(m), std::to_string(excess));
    EXPECT_LT(excess, 0.0005) << "model " << m;
  }
}

TEST(RangeCoderTest, BitExcessIsBelowOneInTwoThousandHoweverSkewed) {
  for (uint32_t p1 : {1u, 16u, 256u, 4096u, 20000u, 32768u, 60000u, 65280u, 65520u, 65535u}) {
    Random random(p1);
    std::vector<Step> steps(1000000);
    for (Step& s : steps) s = {Step::kBit, random() % kScale < p1, p1};
    const double excess = Excess(steps);
    RecordProperty("excess_" + std::to_string(p1), std::to_string(excess));
    EXPECT_LT(excess, 0.0005) << "p1 " << p1;
  }
}

TEST(RangeCoderTest, RawBitsCostThemselves) {
  Random random(9);
  std::vector<Step> steps(1000000);
  for (Step& s : steps) {
    s = {Step::kRaw, 0, 1 + random() % 16};
    s.low = random() & ((1u << s.size) - 1);
  }
  EXPECT_LT(Excess(steps), 0.0005);
}

// Streams with open ends, one after the other: each tells where it ends, and no other end will do.
TEST(RangeCoderTest, OpenEndsTellWhereTheyAre) {
  Random random(7);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::vector<Step>> streams(1 + random() % 5);
    Bytes all(20000);
    size_t size = 0;
    std::vector<size_t> ends;
    for (auto& steps : streams) {
      RangeEncoder encoder(std::span<std::byte>(all).subspan(size));
      steps.resize(random() % 40);
      for (Step& s : steps) {
        s.kind = Step::kBit;
        s.low = random() & 1;
        s.size = trial % 3 == 0 ? 1 + random() % 40 : 1 + random() % 65535;
        encoder.EncodeBit(s.low != 0, s.size);
      }
      const auto count = encoder.FinishOpen();
      ASSERT_TRUE(count.ok());
      ASSERT_GT(*count, 0u);
      size += *count;
      ends.push_back(size);
    }
    all.resize(size);
    size_t at = 0;
    for (size_t i = 0; i < streams.size(); ++i) {
      for (const size_t cut : {size, ends[i]}) {  // whatever follows
        RangeDecoder decoder(std::span<const std::byte>(all).subspan(at, cut - at));
        for (const Step& s : streams[i]) ASSERT_EQ(decoder.DecodeBit(s.size), s.low != 0);
        const auto used = decoder.FinishOpen();
        ASSERT_TRUE(used.ok()) << trial << ": " << used.status().message();
        EXPECT_EQ(at + *used, ends[i]);
      }
      RangeDecoder cut(std::span<const std::byte>(all).subspan(at, ends[i] - at - 1));
      for (const Step& s : streams[i]) (void)cut.DecodeBit(s.size);
      EXPECT_FALSE(cut.FinishOpen().ok()) << trial;
      at = ends[i];
    }
  }
}

}  // namespace
}  // namespace godwit
