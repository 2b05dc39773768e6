// The sums behind contexts: every level equal to the scalar definition, for any neighbours.
#include "codecs/image/swift_context.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_coarse_context.h"

namespace godwit::swift {
namespace {

TEST(ScaleClassTest, EqualsTheDocumentsRuleForEverySum) {
  for (uint32_t sum = 0; sum < (1u << 21); ++sum) {
    const uint32_t t = sum >> 1;
    uint32_t want = t;
    if (t >= 2) {
      uint32_t top = 0;
      while (t >> (top + 1) != 0) ++top;
      want = 2 * top + (t >> (top - 1) & 1);
    }
    ASSERT_EQ(ScaleClass(sum), static_cast<int>(std::min(want, 25u))) << sum;
    ASSERT_EQ(VectorScaleClass(sum), static_cast<int>(std::min(want, 25u))) << sum;
  }
}

class ContextLevelTest : public testing::TestWithParam<SimdLevel> {
 protected:
  int Random(int low, int high) {
    return low + static_cast<int>(rng_() % static_cast<uint32_t>(high - low + 1));
  }
  template <typename T>
  std::vector<T> Numbers(size_t n, int low, int high) {
    std::vector<T> v(n);
    for (T& x : v) x = static_cast<T>(Random(low, high));
    return v;
  }
  BlockEdges Edges(int range) {
    BlockEdges e;
    for (auto* side : {&e.left, &e.top, &e.right, &e.bottom}) {
      for (int16_t& v : *side) v = static_cast<int16_t>(Random(-range - 1, range));
    }
    return e;
  }
  std::mt19937 rng_{11};
};

TEST_P(ContextLevelTest, BandContextsEqualScalar) {
  const BandKernels& scalar = BandKernelsFor(SimdLevel::kScalar);
  const BandKernels& tested = BandKernelsFor(GetParam());
  for (int round = 0; round < 60; ++round) {
    for (int band = 0; band < kBands; ++band) {
      const Band& table = kBandTable[static_cast<size_t>(band)];
      // Round 0 has only the extremes, where sums saturate; later ones grow from what is usual.
      const int size = round == 0 ? 127 : 1 << (round % 8);
      BandWeights w;
      for (size_t i = 0; i < table.size; ++i) {
        for (auto& row : w.magnitude)
          row[i] = static_cast<uint8_t>(round == 0 ? 127 : Random(0, 127));
        for (auto& row : w.mean)
          row[i] = static_cast<int16_t>(round == 0 ? 4095 : Random(-4095, 4095));
        w.bias[i] = round == 0 ? 32767 : Random(0, round % 2 == 0 ? 200 : 32767);
      }
      w.Pack();
      const auto residuals = [&] {
        return Numbers<int8_t>(128, round == 0 ? size : -std::min(size, 127), std::min(size, 127));
      };
      const auto block = residuals(), left = residuals(), up = residuals(), corner = residuals(),
                 other_corner = residuals(), luma = residuals(), other = residuals();
      const int range = round == 0 ? 32767 : 40 << (round % 10);
      const BlockEdges here = Edges(range), west = Edges(range), north = Edges(range),
                       east = Edges(range), south = Edges(range);
      const BandNeighbours n{block.data(),
                             left.data(),
                             up.data(),
                             corner.data(),
                             other_corner.data(),
                             round % 3 > 0 ? luma.data() : nullptr,
                             round % 3 > 1 ? other.data() : nullptr,
                             &here,
                             &west,
                             &north,
                             &east,
                             round % 4 == 3 ? nullptr : &south,
                             round == 0 ? 127 : Random(0, 127)};
      BandContexts want, got;
      scalar.contexts(band, w, n, want);
      tested.contexts(band, w, n, got);
      for (size_t i = 0; i < table.size; ++i) {
        ASSERT_EQ(got.mean[i], want.mean[i])
            << "round " << round << " band " << band << " lane " << i;
        ASSERT_EQ(got.scale_class[i], want.scale_class[i])
            << "round " << round << " band " << band << " lane " << i;
      }
      for (int k = 0; k < 20; ++k) {
        const auto nonzero = static_cast<uint32_t>(k == 0 ? 1 << (table.size - 1)
                                                          : Random(1, (1 << table.size) - 1));
        uint32_t want_bits[kLanes] = {}, got_bits[kLanes] = {};
        scalar.decide(want, nonzero, table.size, 1000, want_bits);
        tested.decide(want, nonzero, table.size, 1000, got_bits);
        for (size_t i = 0; i < table.size; ++i)
          ASSERT_EQ(got_bits[i], want_bits[i])
              << "band " << band << " lanes " << nonzero << " lane " << i;
      }
    }
  }
}

// What docs/format/entropy.md section 4.4 says of a block that has something, of values up to 2.
std::vector<uint32_t> Decisions(const BandContexts& contexts, const int16_t* values,
                                uint32_t nonzero, int size, int kind) {
  using P = ContextParameters;
  std::array<uint32_t, kLanes> zero{};
  BandKernelsFor(SimdLevel::kScalar)
      .decide(contexts, nonzero, size, static_cast<uint32_t>(P::ZeroContext(kind, 0)), zero.data());
  std::vector<uint32_t> out;
  for (int i = 0; i < size; ++i) {
    const auto iz = static_cast<size_t>(i);
    const int v = values[iz], t = contexts.mean[iz];
    if (i < size - 1 || nonzero != uint32_t{1} << (size - 1)) out.push_back(zero[iz]);
    if (v == 0) continue;
    out.push_back(
        static_cast<uint32_t>(2 * P::SignContext(kind, SignLevel(t)) + ((v < 0) != (t < 0))));
    const int magnitude = 2 * P::MagnitudeContext(kind, contexts.scale_class[iz]);
    out.push_back(static_cast<uint32_t>(magnitude + (std::abs(v) > 1)));
    if (std::abs(v) > 1) out.push_back(static_cast<uint32_t>(magnitude + 2));
  }
  return out;
}

TEST_P(ContextLevelTest, DecidedBlocksAreTheDocuments) {
  const auto decide = BandKernelsFor(GetParam()).decide_blocks;
  constexpr size_t kBlocks = 9;
  for (int round = 0; round < 400; ++round) {
    const int band = round % kBands, kind = ContextParameters::KindOf(round % 3, band),
              size = kBandTable[static_cast<size_t>(band)].size;
    std::vector<BandContexts> contexts(kBlocks);
    std::vector<int16_t> values(kBlocks * kLanes);
    std::vector<uint16_t> nonzero(kBlocks);
    // The block that is too large, if any, by its value or its class.
    const auto stop = static_cast<size_t>(Random(0, kBlocks));
    std::vector<uint32_t> want;
    for (size_t k = 0; k < kBlocks; ++k) {
      for (size_t i = 0; i < kLanes; ++i) {
        contexts[k].scale_class[i] = static_cast<uint8_t>(Random(0, 17));
        contexts[k].mean[i] = static_cast<int16_t>(Random(-40, 40) * (i % 3 == 0 ? 100 : 1));
      }
      nonzero[k] = static_cast<uint16_t>(k == 1 ? 1 << (size - 1) : Random(1, (1 << size) - 1));
      for (size_t i = 0; i < kLanes; ++i) {
        if ((nonzero[k] >> i & 1) == 0) {
          contexts[k].scale_class[i] = static_cast<uint8_t>(Random(0, kClasses - 1));
          continue;
        }
        values[k * kLanes + i] =
            static_cast<int16_t>((Random(0, 1) * 2 - 1) *
                                 (k == stop && round % 2 == 0 ? Random(3, 32767) : Random(1, 2)));
        if (k == stop && round % 2 == 1)
          contexts[k].scale_class[i] = static_cast<uint8_t>(Random(18, kClasses - 1));
      }
      if (k >= stop) continue;
      const auto block = Decisions(contexts[k], values.data() + k * kLanes, nonzero[k], size, kind);
      want.insert(want.end(), block.begin(), block.end());
    }
    using P = ContextParameters;
    const KindDecisions of_kind{static_cast<uint32_t>(2 * P::ZeroContext(kind, 0)),
                                static_cast<uint32_t>(2 * P::SignContext(kind, 0)),
                                static_cast<uint32_t>(2 * P::MagnitudeContext(kind, 0))};
    std::vector<uint32_t> got(kBlocks * kMostDecided + kDecidedSlack);
    const DecidedBlocks done =
        decide(contexts.data(), values.data(), nonzero.data(), kBlocks, size, of_kind, got.data());
    ASSERT_EQ(done.blocks, stop) << "round " << round;
    got.resize(done.decisions);
    ASSERT_EQ(got, want) << "round " << round;
  }
}

// Their sum as Add() makes it lane by lane.
TEST(BlockEdgesTest, LanesAddUp) {
  std::mt19937 rng(5);
  for (int round = 0; round < 300; ++round) {
    const Band& band = kBandTable[static_cast<size_t>(round % kBands)];
    const uint32_t lanes = round < kBands
                               ? 1u << (band.size - 1)
                               : 1 + static_cast<uint32_t>(rng()) % ((1u << band.size) - 1);
    std::array<int16_t, kLanes> values{};
    BlockEdges want{}, got{};
    for (size_t i = 0; i < band.size; ++i) {
      if ((lanes >> i & 1) == 0) continue;
      values[i] = static_cast<int16_t>(rng() % 1000) - 500;
      want.Add(band.channel[i], values[i]);
    }
    got.AddLanes(band, lanes, values.data());
    EXPECT_EQ(got.left, want.left);
    EXPECT_EQ(got.top, want.top);
    EXPECT_EQ(got.right, want.right);
    EXPECT_EQ(got.bottom, want.bottom);
  }
}

TEST_P(ContextLevelTest, GatheredBandsEqualScalar) {
  for (const int range : {1, 3, 130, 32767}) {
    for (int band = 0; band < kBands; ++band) {
      for (int round = 0; round < 8; ++round) {
        const auto symbols = Numbers<int16_t>(kChannels, -range - 1, range);
        std::vector<int16_t> want(kLanes), got(kLanes);
        std::vector<int8_t> want_bytes(kLanes), got_bytes(kLanes);
        const GatheredBand a = BandKernelsFor(SimdLevel::kScalar)
                                   .gather(band, symbols.data(), want.data(), want_bytes.data());
        const GatheredBand b =
            BandKernelsFor(GetParam()).gather(band, symbols.data(), got.data(), got_bytes.data());
        ASSERT_EQ(got, want) << "band " << band;
        ASSERT_EQ(got_bytes, want_bytes) << "band " << band;
        ASSERT_EQ(b.nonzero, a.nonzero) << "band " << band;
        ASSERT_EQ(b.sum, a.sum) << "band " << band;
      }
    }
  }
}

TEST_P(ContextLevelTest, SumsOfFlagsEqualScalar) {
  for (int64_t count = 4; count <= 140; count += 4) {
    const int64_t pitch = count + 2;
    const auto a = Numbers<uint8_t>(static_cast<size_t>(5 * 3 * pitch), 0, 255);
    const auto plane = [&](int64_t p) { return a.data() + (3 * p + 1) * pitch + 1; };
    const auto weights = Numbers<uint8_t>(10, 0, 255);
    std::vector<uint8_t> flags(static_cast<size_t>(count + 1));
    for (size_t i = 1; i < flags.size(); ++i) flags[i] = Random(0, 1) != 0 ? kFlagSet : 0;
    for (int variant = 0; variant < 3; ++variant) {
      const auto run = [&](SimdLevel level) {
        std::vector<uint32_t> sum(static_cast<size_t>(count)), out(static_cast<size_t>(2 * count));
        SumFlagRow(level, {plane(0), plane(1), variant > 0 ? plane(2) : nullptr,
                           variant > 0 ? plane(3) : nullptr, variant > 1 ? plane(4) : nullptr,
                           variant == 0 ? a.data() : nullptr, pitch, variant == 1 ? 0 : pitch,
                           count, weights.data(), 777, sum.data()});
        DecideFlags(level, {flags.data() + 1, count, weights[0], 40, 19, sum.data(), out.data()});
        sum.insert(sum.end(), out.begin(), out.end());
        out.assign(static_cast<size_t>(count), 0);
        SumCellFlagRow(
            level, {plane(0), plane(1), variant > 0 ? plane(2) : nullptr,
                    variant > 1 ? plane(3) : nullptr, pitch, count, weights.data(), 5, out.data()});
        sum.insert(sum.end(), out.begin(), out.end());
        return sum;
      };
      ASSERT_EQ(run(GetParam()), run(SimdLevel::kScalar)) << count << " variant " << variant;
    }
  }
}

TEST_P(ContextLevelTest, CoarseContextsEqualScalar) {
  for (int round = 0; round < 200; ++round) {
    CoarseWeights w;
    for (auto& row : w.magnitude) {
      for (int16_t& x : row) x = static_cast<int16_t>(Random(0, 255));
    }
    for (int32_t& x : w.bias) x = Random(0, 65535);
    for (auto& row : w.mean) {
      for (int16_t& x : row) x = static_cast<int16_t>(Random(-4095, 4095));
    }
    const int range = round % 2 == 0 ? 32767 : 60;
    const auto r = Numbers<int8_t>(6 * kCoarse, -127, 127);
    const auto q = Numbers<int16_t>(2 * kCoarse, -range, range);
    const auto at = [&](int i) { return r.data() + i * kCoarse; };
    const CoarseNeighbours n{at(0),
                             at(1),
                             at(2),
                             at(3),
                             round % 3 > 0 ? at(4) : nullptr,
                             round % 3 > 1 ? at(5) : nullptr,
                             q.data(),
                             q.data() + kCoarse,
                             Random(-2 * range, 2 * range),
                             Random(-2 * range, 2 * range)};
    CoarseContexts want, got;
    SumCoarse(SimdLevel::kScalar, w, n, want);
    SumCoarse(GetParam(), w, n, got);
    ASSERT_EQ(got.mean, want.mean) << round;
    ASSERT_EQ(got.scale_class, want.scale_class) << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, ContextLevelTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST(BlockEdgesTest, AddFollowsTheDocumentsFactors) {
  constexpr int kFactor[8] = {6, 8, 7, 7, 6, 4, 3, 2};
  for (int c = 0; c < kChannels; ++c) {
    for (const int value : {1, -3, 200, 255, 300, -32768}) {
      BlockEdges e;
      e.Add(c, value);
      const int x = std::clamp(value, -255, 255), u = c / 8, v = c % 8;
      for (int i = 0; i < 8; ++i) {
        const auto iz = static_cast<size_t>(i);
        ASSERT_EQ(e.left[iz], i == v ? kFactor[u] * x : 0);
        ASSERT_EQ(e.right[iz], i == v ? kFactor[u] * x * (u % 2 != 0 ? -1 : 1) : 0);
        ASSERT_EQ(e.top[iz], i == u ? kFactor[v] * x : 0);
        ASSERT_EQ(e.bottom[iz], i == u ? kFactor[v] * x * (v % 2 != 0 ? -1 : 1) : 0);
      }
    }
  }
}

}  // namespace
}  // namespace godwit::swift
