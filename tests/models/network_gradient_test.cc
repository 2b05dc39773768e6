#include "models/network_gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/models/test_network.h"

namespace godwit {
namespace {

TestLayer Conv(const char* name, const char* input, int kernel, int out, const char* other = "",
               int groups = 1) {
  return {.op = "conv",
          .name = name,
          .input = input,
          .other = other,
          .kernel = kernel,
          .groups = groups,
          .out = out};
}

// Residual blocks, as the synthesis of swift has them, with channels that fill no whole vector.
TestNetwork MakeNetwork() {
  TestNetwork net{
      19,
      /*input_signed=*/true,
      {Conv("head", "in", 1, 21), Conv("a", "head", 3, 18), Conv("b", "a", 3, 21, "head"),
       Conv("c", "b", 5, 21, "b", 3), Conv("tail", "c", 1, 10)}};
  net.layers.back().is_signed = true;
  net.Randomise(3);
  return net;
}

// Some orientations side by side: 16 channels to 19 and values of s8 inside, also as a residual,
// then groups of whole and of broken vectors.
TestNetwork MakeGroupedNetwork() {
  TestNetwork net{48,
                  /*input_signed=*/true,
                  {Conv("turned", "in", 3, 57, "", 3), Conv("head", "turned", 1, 64),
                   Conv("a", "head", 3, 64, "", 4), Conv("b", "a", 3, 64, "head", 4),
                   Conv("signed", "b", 3, 36, "", 2), Conv("more", "signed", 1, 36, "signed", 6),
                   Conv("less", "more", 3, 36, "signed", 12), Conv("tail", "less", 1, 10)}};
  for (const size_t n : {0, 4, 5, 7}) net.layers[n].is_signed = true;
  net.Randomise(4);
  return net;
}

class NetworkGradientTest : public testing::TestWithParam<bool> {
 protected:
  static TestNetwork Make() { return GetParam() ? MakeGroupedNetwork() : MakeNetwork(); }
};
INSTANTIATE_TEST_SUITE_P(Networks, NetworkGradientTest, testing::Bool(),
                         [](const auto& p) { return p.param ? "Grouped" : "Dense"; });

TestPicture MakePicture(int64_t h, int64_t w, int64_t channels) {
  TestPicture p{h, w, channels, /*is_signed=*/true};
  std::mt19937 random(static_cast<unsigned>(h * 100 + w));
  for (int64_t i = 0; i < h * w * channels; ++i)
    p.values.push_back(static_cast<int>(random() % 256) - 128);
  return p;
}

void SetInput(NetworkGradient& gradient, const TestPicture& picture) {
  gradient.SetSize(picture.height, picture.width);
  const Tensor<uint8_t> bytes = InputBytes(picture);
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x)
      std::copy_n(bytes.view().At(y, x), picture.channels, gradient.InputRow(y).At(0, x));
  }
}

int OutputAt(const NetworkGradient& gradient, int64_t y, int64_t x, int64_t c) {
  return static_cast<int8_t>(gradient.Output(y, x)[c]);
}

TEST_P(NetworkGradientTest, ForwardIsTheIntegerNetworkAtEverySizeAndLevel) {
  const TestNetwork net = Make();
  const Network network = *net.Load();
  ASSERT_TRUE(NetworkGradient::Supports(network));
  for (const SimdLevel level : SupportedSimdLevels()) {
    NetworkGradient gradient(network, level, 9, 17);
    for (const auto& [h, w] :
         std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {1, 5}, {9, 17}, {4, 2}, {8, 13}}) {
      const TestPicture picture = MakePicture(h, w, net.input_channels);
      SetInput(gradient, picture);
      gradient.Forward();
      TestPicture want = net.Reference(picture);
      for (int64_t y = 0; y < h; ++y) {
        for (int64_t x = 0; x < w; ++x) {
          for (int64_t c = 0; c < 10; ++c)
            ASSERT_EQ(OutputAt(gradient, y, x, c), want.At(y, x, c))
                << SimdLevelName(level) << ' ' << h << 'x' << w << " at " << y << ',' << x;
        }
      }
    }
  }
}

// A network whose values stay within their limits and whose roundings average out: a change of half
// the inputs, uphill, moves the outputs' weighted sum as the gradient says.
TEST_P(NetworkGradientTest, BackwardIsTheSlopeOfWhatForwardDoes) {
  TestNetwork net = Make();
  const int channels = net.input_channels;
  for (TestLayer& layer : net.layers) {
    for (size_t o = 0; o < layer.shift.size(); ++o) {
      layer.shift[o] =
          static_cast<uint8_t>(layer.shift[o] + (layer.name == "tail" || layer.is_signed ? 1 : 2));
      // The middle of u8, in units of the sum.
      const double scale = std::ldexp(static_cast<double>(layer.mult[o]), -layer.shift[o]);
      const bool first = layer.name == "head" || layer.name == "a" || layer.name == "less";
      layer.bias[o] = first ? static_cast<int32_t>(128 / scale) : 0;
    }
  }
  const Network network = *net.Load();
  constexpr int64_t h = 6, w = 7;
  constexpr int kStep = 6;
  NetworkGradient gradient(network, BestSimdLevel(), h, w);
  TestPicture picture = MakePicture(h, w, channels);
  for (int& v : picture.values) v /= 2;
  std::mt19937 random(5);
  std::vector<float> weight(h * w * 10);
  std::vector<int> way(static_cast<size_t>(h * w * channels));
  for (float& v : weight) v = static_cast<float>(random() % 201) - 100;
  const auto sum = [&](int times) {
    TestPicture moved = picture;
    for (size_t i = 0; i < way.size(); ++i) moved.values[i] += times * way[i];
    SetInput(gradient, moved);
    gradient.Forward();
    double total = 0;
    for (int64_t i = 0; i < h * w * 10; ++i) {
      total += double{weight[static_cast<size_t>(i)]} *
               OutputAt(gradient, i / 10 / w, i / 10 % w, i % 10);
    }
    return total;
  };
  sum(0);
  for (int64_t i = 0; i < h * w * 10; ++i)
    gradient.OutputGradient(i / 10 / w, i / 10 % w)[i % 10] = weight[static_cast<size_t>(i)];
  gradient.Backward();
  std::vector<float> slope;
  for (int64_t i = 0; i < h * w * channels; ++i)
    slope.push_back(gradient.InputGradient(i / channels / w, i / channels % w)[i % channels]);
  for (int pass = 0; pass < 4; ++pass) {
    double expected = 0;
    for (size_t i = 0; i < way.size(); ++i) {
      way[i] = random() % 2 == 0 ? 0 : slope[i] < 0 ? -kStep : kStep;
      expected += 2.0 * way[i] * double{slope[i]};
    }
    EXPECT_GT(expected, 1000);
    EXPECT_NEAR((sum(1) - sum(-1)) / expected, 1, 0.1);
  }
}

TEST_P(NetworkGradientTest, EveryLevelMakesTheSameFloats) {
  const TestNetwork net = Make();
  const Network network = *net.Load();
  const int channels = net.input_channels;
  std::vector<float> want;
  for (const SimdLevel level : SupportedSimdLevels()) {
    NetworkGradient gradient(network, level, 8, 13);
    TestPicture picture = MakePicture(8, 13, channels);
    SetInput(gradient, picture);
    gradient.Forward();
    for (int64_t i = 0; i < 8 * 13 * 10; ++i) {
      gradient.OutputGradient(i / 10 / 13, i / 10 % 13)[i % 10] =
          0.37f * static_cast<float>(OutputAt(gradient, i / 10 / 13, i / 10 % 13, i % 10));
    }
    gradient.Backward();
    std::vector<float> got;
    for (int64_t i = 0; i < 8 * 13 * channels; ++i)
      got.push_back(gradient.InputGradient(i / channels / 13, i / channels % 13)[i % channels]);
    if (want.empty()) want = got;
    EXPECT_EQ(got, want) << SimdLevelName(level);
  }
}

// 16 bits times these weights would leave s32.
TEST(NetworkGradientLimitTest, TheLargestSumsDoNotOverflow) {
  constexpr int kChannels = 512;
  TestNetwork net{kChannels, false, {Conv("a", "in", 3, kChannels)}};
  net.Randomise(1);
  TestLayer& layer = net.layers[0];
  std::fill(layer.weight.begin(), layer.weight.end(), int8_t{63});
  std::fill(layer.bias.begin(), layer.bias.end(), 1 << 30);  // an output of 64
  std::fill(layer.mult.begin(), layer.mult.end(), 1 << 30);
  std::fill(layer.shift.begin(), layer.shift.end(), uint8_t{54});
  const Network network = *net.Load();
  for (const SimdLevel level : SupportedSimdLevels()) {
    NetworkGradient gradient(network, level, 3, 3);
    SetInput(gradient, {3, 3, kChannels, false, std::vector<int>(9 * kChannels, 1)});
    gradient.Forward();
    for (int64_t i = 0; i < 9; ++i)
      std::fill_n(gradient.OutputGradient(i / 3, i % 3), kChannels, 5.0f);
    gradient.Backward();
    const double want = std::ldexp(5.0 * 9 * kChannels * 63, -24);
    EXPECT_NEAR(gradient.InputGradient(1, 1)[kChannels - 1] / want, 1, 1e-5)
        << SimdLevelName(level);
  }
}

// Layers that multiply by 2^22 and give a constant 0 within their limits: they may be loaded, and
// without a bound the gradient is infinite after six, then not a number.
TEST(NetworkGradientLimitTest, AHostileNetworksGradientIsFinite) {
  constexpr int kChannels = 17, kLayers = 9;
  constexpr int64_t kSize = 4;
  for (const bool residual : {false, true}) {
    TestNetwork net{kChannels, true, {}};
    for (int n = 0; n < kLayers; ++n) {
      TestLayer layer{.op = "conv",
                      .name = NumberedName(n),
                      .input = n > 0 ? NumberedName(n - 1) : "in",
                      .other = residual && n > 1 ? NumberedName(n - 2) : "",
                      .kernel = 3,
                      .out = kChannels,
                      .is_signed = true};
      const size_t taps = size_t{kChannels} * 9;
      layer.weight.assign(kChannels * taps, 0);
      for (size_t c = 0; c < kChannels; ++c) {  // the middle tap, of either sign
        layer.weight[c * taps + 4 * kChannels + c] = static_cast<int8_t>(c % 2 == 0 ? 1 : -1);
      }
      layer.bias.assign(kChannels, 0);
      layer.mult.assign(kChannels, 1 << 30);
      layer.shift.assign(kChannels, n == 0 ? 40 : 8);
      net.layers.push_back(layer);
    }
    const Network network = *net.Load();
    for (const SimdLevel level : SupportedSimdLevels()) {
      NetworkGradient gradient(network, level, kSize, kSize);
      SetInput(gradient, MakePicture(kSize, kSize, kChannels));
      gradient.Forward();
      for (const float slope : {0.5f, 1e-45f, 1e-35f, 1e38f}) {
        for (int64_t i = 0; i < kSize * kSize; ++i) {
          for (int c = 0; c < kChannels; ++c)
            gradient.OutputGradient(i / kSize, i % kSize)[c] = c % 3 == 0 ? -slope : slope;
        }
        gradient.Backward();
        float most = 0;
        for (int64_t i = 0; i < kSize * kSize; ++i) {
          for (int c = 0; c < kChannels; ++c) {
            const float g = gradient.InputGradient(i / kSize, i % kSize)[c];
            ASSERT_TRUE(std::isfinite(g)) << SimdLevelName(level) << " slope " << slope;
            most = std::max(most, std::abs(g));
          }
        }
        EXPECT_LE(most, 1e18f);
        EXPECT_EQ(most > 1e8f, slope > 1e-38f) << slope;  // a limit, not none
      }
    }
  }
}

TEST(NetworkGradientSupportTest, NetworksOfOtherLayersAreNotSupported) {
  TestNetwork net{8, false, {Conv("a", "in", 3, 8), {.op = "lut", .name = "b", .input = "a"}}};
  net.Randomise(1);
  EXPECT_FALSE(NetworkGradient::Supports(*net.Load()));
}

}  // namespace
}  // namespace godwit
