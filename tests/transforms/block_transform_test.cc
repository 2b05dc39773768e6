#include "transforms/block_transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace godwit {
namespace {

// The orthonormal 8-point DCT and opponent colours, rounded to the fixed points of the header.
BlockTransform DctTransform() {
  BlockTransform t{};
  const double colour[9] = {
      1 / std::sqrt(3),  1 / std::sqrt(3), 1 / std::sqrt(3),  1 / std::sqrt(2), 0,
      -1 / std::sqrt(2), 1 / std::sqrt(6), -2 / std::sqrt(6), 1 / std::sqrt(6)};
  for (size_t p = 0; p < 3; ++p) {
    for (size_t c = 0; c < 3; ++c) {
      t.colour[p * 3 + c] = static_cast<int32_t>(std::lround(colour[p * 3 + c] * 16384));
      t.colour_inverse[c * 3 + p] = static_cast<int32_t>(std::lround(colour[p * 3 + c] * 8192));
    }
  }
  for (size_t k = 0; k < 8; ++k) {
    for (size_t i = 0; i < 8; ++i) {
      const double m = std::cos(M_PI * static_cast<double>((2 * i + 1) * k) / 16) * 0.5 *
                       (k == 0 ? std::sqrt(0.5) : 1);
      t.forward[k * 8 + i] = static_cast<int16_t>(std::lround(m * 32768));
      t.inverse[i * 8 + k] = static_cast<int16_t>(std::lround(m * 16384));
    }
  }
  return t;
}

template <typename T>
std::vector<T> Random(uint32_t seed, size_t n, int low, int high) {
  std::mt19937 rng(seed);
  std::vector<T> v(n);
  for (T& x : v)
    x = static_cast<T>(low + static_cast<int>(rng() % static_cast<uint32_t>(high - low + 1)));
  return v;
}

class BlockTransformTest : public testing::TestWithParam<SimdLevel> {
 protected:
  const BlockTransformKernels& scalar_ = BlockTransformKernelsFor(SimdLevel::kScalar);
  const BlockTransformKernels& tested_ = BlockTransformKernelsFor(GetParam());
  const BlockTransform t_ = DctTransform();
};

TEST_P(BlockTransformTest, ColourForwardAndGreyEqualScalar) {
  for (const size_t n : {32u, 64u, 96u, 1024u}) {
    for (uint32_t seed = 0; seed < 8; ++seed) {
      // Seed 0 has only the extremes.
      std::vector<uint8_t> rgb = Random<uint8_t>(seed, 3 * n, 0, 255);
      if (seed == 0) {
        for (uint8_t& v : rgb) v = v < 128 ? 0 : 255;
      }
      std::vector<int16_t> want(3 * n), got(3 * n);
      int16_t* const want_planes[3] = {&want[0], &want[n], &want[2 * n]};
      int16_t* const got_planes[3] = {&got[0], &got[n], &got[2 * n]};
      scalar_.colour_forward(t_, rgb.data(), n, want_planes);
      tested_.colour_forward(t_, rgb.data(), n, got_planes);
      EXPECT_EQ(got, want) << "n=" << n << " seed=" << seed;
      scalar_.grey_forward(t_, rgb.data(), n, want.data());
      tested_.grey_forward(t_, rgb.data(), n, got.data());
      EXPECT_EQ(got, want) << "n=" << n << " seed=" << seed;
    }
  }
}

TEST_P(BlockTransformTest, BlockForwardEqualsScalar) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const int range = seed < 10 ? 14208 : 200;
    std::vector<int16_t> rows = Random<int16_t>(seed, 8 * 128, -range, range);
    if (seed == 0) {
      for (int16_t& v : rows) v = static_cast<int16_t>(v < 0 ? -14208 : 14208);
    }
    std::vector<int16_t> want(64 * 12), got(64 * 12);
    scalar_.block_forward(t_, rows.data(), 128, 12, want.data());
    tested_.block_forward(t_, rows.data(), 128, 12, got.data());
    EXPECT_EQ(got, want) << "seed=" << seed;
  }
}

TEST_P(BlockTransformTest, QuantiseEqualsScalarForEveryCoefficient) {
  PlaneQuantiser q;
  for (const int shift : {0, 3, 9}) {
    for (size_t i = 0; i < 64; ++i) {
      q.bias[i] = static_cast<uint16_t>(i * 1000);
      q.reciprocal[i] = static_cast<uint16_t>(65535 - i * 700);
    }
    q.shift = shift;
    std::vector<int16_t> c(65536);
    for (size_t i = 0; i < c.size(); ++i) c[i] = static_cast<int16_t>(static_cast<int>(i) - 32768);
    std::vector<int16_t> want(c.size()), got(c.size());
    std::vector<uint64_t> want_mask(c.size() / 64), got_mask(c.size() / 64);
    scalar_.quantise(q, c.data(), c.size() / 64, want.data(), want_mask.data());
    tested_.quantise(q, c.data(), c.size() / 64, got.data(), got_mask.data());
    EXPECT_EQ(got, want) << "shift=" << shift;
    EXPECT_EQ(got_mask, want_mask) << "shift=" << shift;
  }
}

TEST_P(BlockTransformTest, FoldedForwardEqualsScalarForEveryPlane) {
  BlockTransform folded = t_;
  ASSERT_TRUE(CanFoldForward(folded));
  folded.fold_forward = true;
  const int bound = static_cast<int>(std::sqrt(3.0) * 128 * 64) + 2;  // white and black, f=6
  for (uint32_t seed = 0; seed < 12; ++seed) {
    std::vector<int16_t> rows = Random<int16_t>(seed, 8 * 96, -bound, bound);
    if (seed < 4) {  // only the extremes
      for (int16_t& v : rows) v = static_cast<int16_t>(v < 0 ? -bound : bound);
    }
    std::vector<int16_t> want(64 * 12), got(64 * 12);
    scalar_.block_forward(t_, rows.data(), 96, 12, want.data());
    tested_.block_forward(folded, rows.data(), 96, 12, got.data());
    EXPECT_EQ(got, want) << "seed=" << seed;
  }
  folded.forward[1] = static_cast<int16_t>(folded.forward[1] + 1);  // no longer even
  EXPECT_FALSE(CanFoldForward(folded));
}

TEST_P(BlockTransformTest, ReconstructEqualsScalarForHostileSymbolsToo) {
  for (const int32_t step : {1, 37, 4096, 65535}) {
    PlaneSteps s;
    for (size_t i = 0; i < 64; ++i) {
      s.step[i] = step;
      s.correction[i] = 65535 - static_cast<int32_t>(i);
    }
    std::vector<int16_t> q = Random<int16_t>(7, 64 * 64, -32768, 32767);
    for (size_t i = 0; i < 2048; ++i) q[i] = static_cast<int16_t>(q[i] >> 11);
    const std::vector<int8_t> d = Random<int8_t>(8, 64 * 192, -128, 127);
    std::vector<int16_t> want(q.size()), got(q.size());
    scalar_.reconstruct(s, q.data(), d.data(), 192, 64, want.data());
    tested_.reconstruct(s, q.data(), d.data(), 192, 64, got.data());
    EXPECT_EQ(got, want) << "step=" << step;
  }
}

TEST_P(BlockTransformTest, InverseEqualsScalarForAnyCoefficients) {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    const int range = seed < 6 ? 32767 : 3000;
    const std::vector<int16_t> c = Random<int16_t>(seed, 64 * 12, -range - 1, range);
    std::vector<int16_t> want(8 * 96), got(8 * 96);
    scalar_.block_inverse(t_, c.data(), 12, want.data(), 96);
    tested_.block_inverse(t_, c.data(), 12, got.data(), 96);
    EXPECT_EQ(got, want) << "seed=" << seed;
    std::vector<uint8_t> want_rgb(3 * 256), got_rgb(3 * 256);
    const int16_t* const planes[3] = {&want[0], &want[256], &want[512]};
    scalar_.colour_inverse(t_, planes, 256, want_rgb.data());
    tested_.colour_inverse(t_, planes, 256, got_rgb.data());
    EXPECT_EQ(got_rgb, want_rgb) << "seed=" << seed;
    scalar_.grey_inverse(t_, want.data(), 256, want_rgb.data());
    tested_.grey_inverse(t_, want.data(), 256, got_rgb.data());
    EXPECT_EQ(got_rgb, want_rgb) << "seed=" << seed;
  }
}

TEST_P(BlockTransformTest, CompandEqualsScalarForEveryValueAndTail) {
  uint8_t lut[64];
  for (size_t i = 0; i < 64; ++i) lut[i] = static_cast<uint8_t>(i * 2 + (i == 0));
  std::vector<int16_t> x(65536);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int16_t>(static_cast<int>(i) - 32768);
  std::vector<uint8_t> want(x.size()), got(x.size());
  scalar_.compand(lut, x.data(), x.size(), want.data());
  tested_.compand(lut, x.data(), x.size(), got.data());
  EXPECT_EQ(got, want);
  for (size_t n = 0; n <= 67; ++n) {
    std::vector<uint8_t> tail_want(n + 1, 9), tail_got(n + 1, 9);
    scalar_.compand(lut, x.data() + 32768 - 30, n, tail_want.data());
    tested_.compand(lut, x.data() + 32768 - 30, n, tail_got.data());
    EXPECT_EQ(tail_got, tail_want) << "n=" << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, BlockTransformTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& param_info) {
                           return std::string(SimdLevelName(param_info.param));
                         });

TEST(BlockTransformRoundTrip, NoiseComesBackWithinOneLevel) {
  const BlockTransform t = DctTransform();
  ASSERT_TRUE(CheckTransform(t));
  const BlockTransformKernels& k = BlockTransformKernelsFor(SimdLevel::kScalar);
  const std::vector<uint8_t> rgb = Random<uint8_t>(3, 3 * 256, 0, 255);  // 32 x 8
  std::vector<int16_t> planes(3 * 256), c(3 * 256), back(3 * 256);
  int16_t* const forward[3] = {&planes[0], &planes[256], &planes[512]};
  const int16_t* const inverse[3] = {&back[0], &back[256], &back[512]};
  k.colour_forward(t, rgb.data(), 256, forward);
  for (size_t p = 0; p < 3; ++p) {
    k.block_forward(t, &planes[256 * p], 32, 4, &c[256 * p]);
    k.block_inverse(t, &c[256 * p], 4, &back[256 * p], 32);
  }
  std::vector<uint8_t> got(rgb.size());
  k.colour_inverse(t, inverse, 256, got.data());
  for (size_t i = 0; i < rgb.size(); ++i) EXPECT_NEAR(got[i], rgb[i], 1) << "i=" << i;
}

TEST(BlockTransformCheck, RefusesMatricesThatOverflow) {
  BlockTransform t = DctTransform();
  t.forward.fill(32767);
  EXPECT_FALSE(CheckTransform(t));
  t = DctTransform();
  t.colour[0] = 40000;
  EXPECT_FALSE(CheckTransform(t));
}

}  // namespace
}  // namespace godwit
