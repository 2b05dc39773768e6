#include "transforms/packets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "transforms/packet_stream.h"

namespace godwit {
namespace {

using Samples = std::vector<int32_t>;

Samples Random(uint32_t seed, size_t n, int bits) {
  std::mt19937 rng(seed);
  Samples v(n);
  for (int32_t& x : v) x = static_cast<int32_t>(rng()) >> (32 - bits);
  return v;
}

void Forward(SimdLevel level, Wavelet wavelet, std::span<const PacketAxis> axes, Samples& data) {
  Samples scratch(PacketScratch(axes));
  ForwardPackets(LiftingKernelsFor(level), wavelet, axes, data.data(), scratch);
}
void Inverse(SimdLevel level, Wavelet wavelet, std::span<const PacketAxis> axes, Samples& data) {
  Samples scratch(PacketScratch(axes));
  InversePackets(LiftingKernelsFor(level), wavelet, axes, data.data(), scratch);
}

class LiftingTest : public testing::TestWithParam<SimdLevel> {
 protected:
  const LiftingKernels& scalar_ = LiftingKernelsFor(SimdLevel::kScalar);
  const LiftingKernels& tested_ = LiftingKernelsFor(GetParam());
};

TEST_P(LiftingTest, EveryTailOfEveryKernelEqualsScalar) {
  for (uint32_t n = 0; n <= 67; ++n) {
    const Samples a = Random(n, n + 1, 32), b = Random(n + 100, n + 1, 32);
    const Samples x = Random(n + 200, n + 1, 32);
    const auto same = [&](auto kernel, auto... factor) {
      Samples want = x, got = x;
      (scalar_.*kernel)(want.data(), a.data(), b.data(), n, factor...);
      (tested_.*kernel)(got.data(), a.data(), b.data(), n, factor...);
      EXPECT_EQ(got, want) << "n=" << n;
    };
    same(&LiftingKernels::predict53);
    same(&LiftingKernels::unpredict53);
    same(&LiftingKernels::update53);
    same(&LiftingKernels::unupdate53);
    for (const int32_t factor : k97Factors) {
      same(&LiftingKernels::lift, factor);
      same(&LiftingKernels::unlift, factor);
    }
    const auto split = [&](const LiftingKernels& k) {
      Samples even(n + 1), odd(n + 1), merged(n + 1), left = a, right = b;
      k.split(x.data(), n, even.data(), odd.data());
      k.merge(a.data(), b.data(), n, merged.data());
      k.butterfly(left.data(), right.data(), n);
      for (const Samples* s : {&odd, &merged, &left, &right}) {
        even.insert(even.end(), s->begin(), s->end());
      }
      return even;
    };
    EXPECT_EQ(split(tested_), split(scalar_)) << "n=" << n;
  }
}

TEST_P(LiftingTest, PacketsOfAnyShapeEqualScalarAndInvert) {
  uint32_t seed = 0;
  for (const Wavelet wavelet : {Wavelet::k53, Wavelet::k97}) {
    for (const PacketTree tree : {PacketTree::kFull, PacketTree::kLow}) {
      for (const auto& [z, y, x, levels] : {std::array{1, 1, 1, 3},
                                            {1, 1, 2, 1},
                                            {1, 1, 301, 5},
                                            {1, 7, 1, 2},
                                            {1, 37, 66, 3},
                                            {5, 1, 3, 4},
                                            {9, 20, 35, 2},
                                            {16, 16, 16, 4}}) {
        const std::array axes = {PacketAxis{z, levels, tree}, PacketAxis{y, levels, tree},
                                 PacketAxis{x, levels, tree}};
        const Samples data = Random(++seed, static_cast<size_t>(z * y * x), 32);
        Samples want = data, got = data;
        Forward(SimdLevel::kScalar, wavelet, axes, want);
        Forward(GetParam(), wavelet, axes, got);
        EXPECT_EQ(got, want) << "seed=" << seed;
        Inverse(GetParam(), wavelet, axes, got);
        EXPECT_EQ(got, data) << "seed=" << seed;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, LiftingTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST(PacketsTest, TheDocumentsExamples) {
  Samples v53 = {10, 12, 20, 8, 4}, v97 = {1000, 1200, 2000, 800, 400};
  const std::array axes = {PacketAxis{5, 1, PacketTree::kFull}};
  Forward(SimdLevel::kScalar, Wavelet::k53, axes, v53);
  EXPECT_EQ(v53, (Samples{9, 18, 2, -3, -4}));
  Forward(SimdLevel::kScalar, Wavelet::k97, axes, v97);
  EXPECT_EQ(v97, (Samples{1138, 2096, 454, -269, -299}));
}

// bior4.4 as its published taps, whole-sample symmetry at the ends.
TEST(PacketsTest, OneLevelOf97IsTheFilterBankBior44) {
  const double low[] = {0.852698679009, 0.377402855613, -0.110624404418, -0.023849465019,
                        0.037828455507};
  const double high[] = {-0.788485616406, 0.418092273222, 0.040689417610, -0.064538882629};
  const double scale = 1.149604398860241;
  for (const int n : {9, 10, 31, 64}) {
    const Samples x = Random(static_cast<uint32_t>(n), static_cast<size_t>(n), 24);
    Samples got = x;
    const std::array axes = {PacketAxis{n, 1, PacketTree::kFull}};
    Forward(SimdLevel::kScalar, Wavelet::k97, axes, got);
    const auto at = [&](int i) {
      i = i < 0 ? -i : i;
      return double{1} * x[static_cast<size_t>(i < n ? i : 2 * (n - 1) - i)];
    };
    for (int k = 0; k < n; ++k) {
      const bool is_high = k % 2 == 1;
      double want = is_high ? high[0] * at(k) : low[0] * at(k);
      for (int t = 1; t < (is_high ? 4 : 5); ++t) {
        want += (is_high ? high[t] : low[t]) * (at(k - t) + at(k + t));
      }
      const int32_t coefficient = got[static_cast<size_t>(is_high ? (n + 1) / 2 + k / 2 : k / 2)];
      // 2^-14 of samples below 2^23: the factors are rounded to 2^-17 and four steps add up.
      EXPECT_NEAR(is_high ? -coefficient / scale : coefficient * scale, want, 512) << k;
    }
  }
}

TEST(PacketsTest, BandsFollowOneAnotherAndCountFilters) {
  for (const int64_t length : {1, 2, 5, 8, 13, 100}) {
    for (const PacketTree tree : {PacketTree::kFull, PacketTree::kLow}) {
      const PacketAxis axis{length, 3, tree};
      int64_t end = 0;
      for (int b = 0; b < axis.bands(); ++b) {
        const PacketBand band = PacketBandOf(axis, b);
        EXPECT_EQ(band.begin, end) << length << ' ' << b;
        end = band.begin + band.size;
        if (tree == PacketTree::kLow) continue;
        EXPECT_EQ(band.highs, std::popcount(static_cast<unsigned>(b)));
      }
      EXPECT_EQ(end, length);
    }
  }
}

TEST(PacketsTest, AConstantHasOnlyLowBands) {
  Samples v(64, 1000);
  const std::array axes = {PacketAxis{64, 3, PacketTree::kFull}};
  Forward(SimdLevel::kScalar, Wavelet::k53, axes, v);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(v[i], i < 8 ? 1000 : 0) << i;
}

TEST(WalshHadamardTest, EqualsTheMatrixAndItsOwnInverse) {
  for (const size_t n : {1u, 2u, 8u, 16u}) {
    for (const size_t width : {1u, 3u, 40u}) {
      const Samples x = Random(static_cast<uint32_t>(n), n * width, 20);
      Samples got = x;
      WalshHadamard(LiftingKernelsFor(BestSimdLevel()), got.data(), n, width);
      for (size_t k = 0; k < n; ++k) {
        for (size_t c = 0; c < width; ++c) {
          int32_t want = 0;
          for (size_t i = 0; i < n; ++i) {
            want += (std::popcount(i & k) % 2 == 0 ? 1 : -1) * x[i * width + c];
          }
          EXPECT_EQ(got[k * width + c], want) << n << ' ' << k;
        }
      }
      WalshHadamard(LiftingKernelsFor(SimdLevel::kScalar), got.data(), n, width);
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_EQ(got[i], x[i] * static_cast<int32_t>(n));
      }
    }
  }
}

TEST(PacketStreamTest, PiecesEqualTheWholeBothWaysWithinTheDelay) {
  std::mt19937 rng(7);
  for (const Wavelet wavelet : {Wavelet::k53, Wavelet::k97}) {
    for (const PacketTree tree : {PacketTree::kFull, PacketTree::kLow}) {
      for (const int levels : {0, 1, 2, 3, 5}) {
        for (const int n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 1001}) {
          const Samples x = Random(static_cast<uint32_t>(n), static_cast<size_t>(n), 20);
          Samples whole = x;
          const std::array axes = {PacketAxis{std::max(n, 1), levels, tree}};
          if (n > 0) Forward(SimdLevel::kScalar, wavelet, axes, whole);
          PacketAnalyser analyser(wavelet, tree, levels);
          PacketSynthesiser synthesiser(wavelet, tree, levels);
          const auto bands = static_cast<size_t>(analyser.bands());
          ASSERT_EQ(synthesiser.bands(), analyser.bands());
          std::vector<Samples> got(bands);
          for (size_t done = 0; done < x.size();) {
            const size_t piece = std::min<size_t>(rng() % 20, x.size() - done);
            analyser.Push(std::span(x).subspan(done, piece), got);
            done += piece;
            int64_t given = 0;
            for (const Samples& b : got) given += static_cast<int64_t>(b.size());
            ASSERT_LE(static_cast<int64_t>(done) - given, PacketDelay(wavelet, levels));
          }
          analyser.Finish(got);
          Samples back, joined;
          std::vector<size_t> at(bands);
          for (bool more = true; more;) {  // bands in pieces, some ahead of others
            more = false;
            for (size_t b = 0; b < bands; ++b) {
              const size_t piece = std::min<size_t>(rng() % 4, got[b].size() - at[b]);
              synthesiser.Push(static_cast<int>(b), std::span(got[b]).subspan(at[b], piece), back);
              at[b] += piece;
              more |= at[b] < got[b].size();
            }
          }
          synthesiser.Finish(back);
          for (const Samples& b : got) joined.insert(joined.end(), b.begin(), b.end());
          ASSERT_EQ(joined, whole) << "n=" << n << " levels=" << levels;
          ASSERT_EQ(back, x) << "n=" << n << " levels=" << levels;
        }
      }
    }
  }
}

// Lines of any length: their scratch is part of what decoders promise to take.
TEST(PacketsTest, ALineNeedsScratchOfItsLength) {
  const PacketAxis line{100000, 5}, row{3000, 2}, column{200, 2}, few{7, 1};
  const auto scratch = [](std::vector<PacketAxis> axes) { return PacketScratch(axes); };
  EXPECT_EQ(scratch({line}), 100000u);
  EXPECT_EQ(scratch({line, few}), 700000u);
  EXPECT_EQ(scratch({column, row}), 2u * 200 * 64);
  EXPECT_EQ(scratch({few, column, row}), 2u * 200 * 64);
}

}  // namespace
}  // namespace godwit
