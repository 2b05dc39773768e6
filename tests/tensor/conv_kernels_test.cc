#include "tensor/conv_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace godwit {
namespace {

constexpr uint8_t kGuard = 0xA5;  // fills the output before a run

struct Case {
  ConvSpec spec;
  int64_t height = 1, width = 5;
  bool residual = false;
  int16_t offset = 0;
  uint8_t flip = 0;
};

std::string Describe(const Case& c) {
  return "in " + std::to_string(c.spec.in_channels) + " out " +
         std::to_string(c.spec.out_channels) + " kernel " + std::to_string(c.spec.kernel) +
         " groups " + std::to_string(c.spec.groups) + " size " + std::to_string(c.width) + "x" +
         std::to_string(c.height);
}

// Parameters and samples of one convolution; tests may overwrite them before Run().
struct Problem {
  Problem(const Case& given, unsigned seed) : c(given), random(seed) {
    const ConvSpec& spec = c.spec;
    for (int64_t i = 0; i < spec.weight_count(); ++i) {
      weight.push_back(static_cast<int8_t>(static_cast<int>(random() % 128) - 64));
    }
    for (int o = 0; o < spec.out_channels; ++o) {
      bias.push_back(static_cast<int32_t>(random() % 40001) - 20000);
      mult.push_back(static_cast<int32_t>(1 + random() % 0x7FFFFFFF));
      // Scales sums of a few thousand to about [-300, 300].
      shift.push_back(static_cast<uint8_t>(35 + random() % 5));
    }
    in_stride = (spec.in_channels + 15) / 16 * 16;
    in_width = c.width + spec.kernel - 1;
    in = Tensor<uint8_t>(1, (c.height + spec.kernel - 1) * in_width * in_stride + 64);
    residual = Tensor<uint8_t>(1, c.height * c.width * out_stride() + 64);
    for (int64_t i = 0; i < in.size(); ++i) in.data()[i] = static_cast<uint8_t>(random());
    for (int64_t i = 0; i < residual.size(); ++i) {
      residual.data()[i] = static_cast<uint8_t>(random());
    }
  }
  // One byte between positions, so that a write past the channels shows.
  int64_t out_stride() const { return c.spec.out_channels + 1; }

  std::vector<uint8_t> Run(SimdLevel level, const uint8_t* rest = nullptr) const {
    const ConvKernels& kernels = ConvKernelsFor(level);
    const PackedConv packed =
        kernels.pack({c.spec, weight.data(), bias.data(), mult.data(), shift.data()});
    std::vector<uint8_t> out(c.height * c.width * out_stride(), kGuard);
    ConvArgs args{.in = in.data(),
                  .in_row_stride = in_width * in_stride,
                  .in_col_stride = in_stride,
                  .out = out.data(),
                  .out_row_stride = c.width * out_stride(),
                  .out_col_stride = out_stride(),
                  .height = c.height,
                  .width = c.width,
                  .offset = c.offset,
                  .flip = c.flip};
    if (c.residual) {
      args.residual = residual.data();
      args.residual_row_stride = args.out_row_stride;
      args.residual_col_stride = args.out_col_stride;
    }
    if (rest != nullptr) {
      kernels.run_resting(packed, MakeResting(packed, rest), args);
    } else {
      kernels.run(packed, args);
    }
    return out;
  }

  Case c;
  std::mt19937 random;
  int64_t in_stride, in_width;
  std::vector<int8_t> weight;
  std::vector<int32_t> bias, mult;
  std::vector<uint8_t> shift;
  Tensor<uint8_t> in, residual;
};

class ConvKernelsTest : public testing::TestWithParam<SimdLevel> {
 protected:
  void ExpectEqualsScalar(const Case& c, unsigned seed = 1) {
    const Problem problem(c, seed);
    EXPECT_EQ(problem.Run(GetParam()), problem.Run(SimdLevel::kScalar))
        << Describe(c) << " seed " << seed;
  }
};

TEST_P(ConvKernelsTest, EveryOutputTailEqualsScalar) {
  for (int out = 1; out <= 131; ++out) {
    ExpectEqualsScalar({.spec = {5, out, 1, 1}}, out);
    if (out <= 67) ExpectEqualsScalar({.spec = {16, out, 3, 1}, .height = 2}, out);
  }
}

TEST_P(ConvKernelsTest, EveryInputTailEqualsScalar) {
  for (int in = 1; in <= 131; ++in) {
    ExpectEqualsScalar({.spec = {in, 17, 1, 1}}, in);
    if (in <= 67) ExpectEqualsScalar({.spec = {in, 3, 3, 1}, .height = 2}, in);
  }
}

TEST_P(ConvKernelsTest, EveryWidthEqualsScalar) {
  for (int64_t width = 1; width <= 67; ++width) {
    for (const int out : {8, 16, 32, 48, 64}) {  // each count of registers in a block
      ExpectEqualsScalar({.spec = {16, out, 1, 1}, .height = 2, .width = width});
      ExpectEqualsScalar({.spec = {7, out, 3, 1}, .width = width});
    }
  }
}

TEST_P(ConvKernelsTest, EveryKernelSizeEqualsScalar) {
  for (const int kernel : {1, 3, 5, 7}) {
    for (const int groups : {1, 2, 20}) {
      ExpectEqualsScalar({.spec = {20, 40, kernel, groups}, .height = 3, .width = 13});
    }
    ExpectEqualsScalar({.spec = {20, 20, kernel, 20}, .height = 3, .width = 13});
  }
}

TEST_P(ConvKernelsTest, EveryDepthwiseTailEqualsScalar) {
  for (int channels = 2; channels <= 131; ++channels) {
    ExpectEqualsScalar({.spec = {channels, channels, 3, channels}, .height = 2}, channels);
  }
}

TEST_P(ConvKernelsTest, EveryGroupingOfAFewChannelsEqualsScalar) {
  for (const int in : {6, 12, 36, 48}) {
    for (const int out : {12, 24, 72, 96}) {
      for (int groups = 1; groups <= in; ++groups) {
        if (in % groups != 0 || out % groups != 0) continue;
        ExpectEqualsScalar({.spec = {in, out, 3, groups}, .height = 2});
      }
    }
  }
}

TEST_P(ConvKernelsTest, ResidualOffsetAndFlipEqualScalar) {
  unsigned seed = 0;
  for (const int out : {1, 3, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 96, 112, 130}) {
    for (const int16_t offset : std::initializer_list<int16_t>{0, 128, -128}) {
      for (const uint8_t flip : std::initializer_list<uint8_t>{0, 0x80}) {
        for (const bool residual : {false, true}) {
          const Case dense{.spec = {9, out, 1, 1},
                           .height = 3,
                           .width = 7,
                           .residual = residual,
                           .offset = offset,
                           .flip = flip};
          ExpectEqualsScalar(dense, ++seed);
          Case depthwise = dense;
          depthwise.spec = {out, out, 3, out};
          ExpectEqualsScalar(depthwise, ++seed);
        }
      }
    }
  }
}

// The largest sums that the load-time proof lets through: s16 pairs of maddubs at their ends,
// biases that leave less than one product to 2^31.
TEST_P(ConvKernelsTest, ExtremesEqualScalar) {
  for (const int weight : {-64, 63}) {
    for (const int sample : {0, 255}) {
      for (const int sign : {-1, 1}) {
        for (const ConvSpec spec : {ConvSpec{1024, 17, 1, 1}, ConvSpec{64, 33, 7, 1},
                                    ConvSpec{70, 70, 7, 70}, ConvSpec{48, 48, 3, 3}}) {
          Problem problem({.spec = spec, .residual = true}, 1);
          std::fill(problem.weight.begin(), problem.weight.end(), static_cast<int8_t>(weight));
          std::memset(problem.in.data(), sample, problem.in.size());
          const int64_t products = int64_t{spec.taps()} * spec.group_in() * 255 * std::abs(weight);
          for (int o = 0; o < spec.out_channels; ++o) {
            problem.bias[o] = static_cast<int32_t>(sign * (INT32_MAX - products));
            problem.mult[o] = o % 2 == 0 ? INT32_MAX : 1;
            problem.shift[o] = static_cast<uint8_t>(o % 2 == 0 ? 31 + o % 32 : 1 + o % 62);
          }
          EXPECT_EQ(problem.Run(GetParam()), problem.Run(SimdLevel::kScalar))
              << Describe(problem.c) << " weight " << weight << " sample " << sample << " sign "
              << sign;
        }
      }
    }
  }
}

// Weights alternate so that acc is the bias: every shift meets sums of every size and sign.
TEST_P(ConvKernelsTest, EveryShiftEqualsScalar) {
  for (int shift = 1; shift <= 62; ++shift) {
    Problem problem({.spec = {4, 64, 1, 1}, .height = 4, .width = 16, .offset = 128}, shift);
    std::mt19937 random(shift);
    for (int o = 0; o < 64; ++o) {
      // |acc| <= 2^20 + 2^16 and mult < 2^(10 + shift) keep the result in s32.
      problem.bias[o] = static_cast<int32_t>(random() % (1 << 21)) - (1 << 20);
      problem.bias[o] >>= random() % 21;
      problem.mult[o] =
          static_cast<int32_t>(1 + random() % ((int64_t{1} << std::min(31, 9 + shift)) - 1));
      problem.shift[o] = static_cast<uint8_t>(shift);
    }
    EXPECT_EQ(problem.Run(GetParam()), problem.Run(SimdLevel::kScalar)) << "shift " << shift;
  }
}

// From no channel that differs from rest to all of them, so either way of going on.
TEST_P(ConvKernelsTest, RestingInputEqualsScalar) {
  const ConvKernels& kernels = ConvKernelsFor(GetParam());
  unsigned seed = 1;
  for (const int in : {1, 4, 63, 64, 208, 255, 256}) {
    for (const int out : {3, 16, 32, 48, 64, 96}) {
      const Case c{.spec = {in, out, 1, 1}, .height = 2, .width = 131, .residual = out == 48};
      if (!kernels.CanRest(c.spec)) continue;
      for (const uint32_t differ : {0u, 3u, 30u, 100u}) {  // of 100 channels
        Problem problem(c, seed++);
        std::vector<uint8_t> rest(static_cast<size_t>(in));
        for (uint8_t& r : rest) r = static_cast<uint8_t>(problem.random());
        for (int64_t x = 0; x < c.height * c.width; ++x) {
          for (int64_t i = 0; i < in; ++i) {
            uint8_t& channel = problem.in.data()[x * problem.in_stride + i];
            if (problem.random() % 100 >= differ) channel = rest[static_cast<size_t>(i)];
          }
        }
        EXPECT_EQ(problem.Run(GetParam(), rest.data()), problem.Run(SimdLevel::kScalar))
            << Describe(c) << " differ " << differ;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, ConvKernelsTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

TEST(RequantiseTest, RoundsHalvesUp) {
  constexpr int32_t kMult = 1 << 30;
  EXPECT_EQ(Requantise(187, kMult, 34), 12);    // 11.6875
  EXPECT_EQ(Requantise(-187, kMult, 34), -12);  // -11.6875
  EXPECT_EQ(Requantise(8, kMult, 34), 1);       // 0.5
  EXPECT_EQ(Requantise(-8, kMult, 34), 0);      // -0.5
  EXPECT_EQ(Requantise(-9, kMult, 34), -1);     // -0.5625
  EXPECT_EQ(Requantise(INT32_MAX, INT32_MAX, 62), 1);
  EXPECT_EQ(Requantise(-INT32_MAX, INT32_MAX, 62), -1);
}

// A plain sum written apart from the kernels, with rounding by division.
TEST(ConvScalarTest, EqualsPlainArithmetic) {
  Problem problem({.spec = {6, 4, 3, 2}, .height = 3, .width = 4}, 3);
  const std::vector<uint8_t> got = problem.Run(SimdLevel::kScalar);
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t x = 0; x < 4; ++x) {
      for (int o = 0; o < 4; ++o) {
        int64_t sum = problem.bias[o];
        for (int i = 0; i < 27; ++i) {
          const int tap = i / 3, channel = o / 2 * 3 + i % 3;
          const int64_t at =
              ((y + tap / 3) * problem.in_width + x + tap % 3) * problem.in_stride + channel;
          sum += int64_t{problem.in.data()[at]} * problem.weight[o * 27 + i];
        }
        const long double real = static_cast<long double>(sum) * problem.mult[o] /
                                 static_cast<long double>(int64_t{1} << problem.shift[o]);
        const auto rounded = static_cast<int64_t>(std::floor(real + 0.5L));
        EXPECT_EQ(got[(y * 4 + x) * 5 + o], std::clamp<int64_t>(rounded, 0, 255));
      }
      EXPECT_EQ(got[(y * 4 + x) * 5 + 4], kGuard);
    }
  }
}

}  // namespace
}  // namespace godwit
