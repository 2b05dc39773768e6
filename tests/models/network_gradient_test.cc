#include "models/network_gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tests/models/test_network.h"

namespace godwit {
namespace {

TestLayer Conv(const char* name, const char* input, int kernel, int out, const char* other = "") {
  return {.op = "conv", .name = name, .input = input, .other = other, .kernel = kernel, .out = out};
}

// Residual blocks, as the synthesis of swift has them, with channels that fill no whole vector.
TestNetwork MakeNetwork() {
  TestNetwork net{
      19,
      /*input_signed=*/true,
      {Conv("head", "in", 1, 21), Conv("a", "head", 3, 18), Conv("b", "a", 3, 21, "head"),
       Conv("c", "b", 5, 21, "b"), Conv("tail", "c", 1, 10)}};
  net.layers[3].groups = 3;
  net.layers.back().is_signed = true;
  net.Randomise(3);
  return net;
}

TestPicture MakePicture(int64_t h, int64_t w, int64_t channels) {
  TestPicture p{h, w, channels, /*is_signed=*/true};
  std::mt19937 random(static_cast<unsigned>(h * 100 + w));
  for (int64_t i = 0; i < h * w * channels; ++i)
    p.values.push_back(static_cast<int>(random() % 256) - 128);
  return p;
}

void SetInput(NetworkGradient& gradient, TestPicture& picture) {
  gradient.SetSize(picture.height, picture.width);
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) {
      for (int64_t c = 0; c < picture.channels; ++c)
        gradient.Input(y, x)[c] = static_cast<float>(picture.At(y, x, c) + 128);
    }
  }
}

TEST(NetworkGradientTest, ForwardIsTheIntegerNetworkAtEverySize) {
  const TestNetwork net = MakeNetwork();
  const Network network = *net.Load();
  ASSERT_TRUE(NetworkGradient::Supports(network));
  NetworkGradient gradient(network, BestSimdLevel(), 9, 17);
  int64_t off = 0, count = 0;
  for (const auto& [h, w] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {1, 5}, {9, 17}, {4, 2}, {8, 13}}) {
    TestPicture picture = MakePicture(h, w, 19);
    SetInput(gradient, picture);
    gradient.Forward();
    TestPicture want = net.Reference(picture);
    for (int64_t y = 0; y < h; ++y) {
      for (int64_t x = 0; x < w; ++x) {
        for (int64_t c = 0; c < 10; ++c, ++count) {
          const float got = gradient.Output(y, x)[c];
          EXPECT_NEAR(got, want.At(y, x, c), 1) << h << 'x' << w << " at " << y << ',' << x;
          off += got != static_cast<float>(want.At(y, x, c));
        }
      }
    }
  }
  EXPECT_LT(off * 100, count);  // halves that round the other way
}

// A network whose values stay within their limits and whose roundings average out: a change of the
// input moves the outputs' weighted sum as the gradient says.
TEST(NetworkGradientTest, BackwardIsTheSlopeOfWhatForwardDoes) {
  TestNetwork net = MakeNetwork();
  for (TestLayer& layer : net.layers) {
    for (size_t o = 0; o < layer.shift.size(); ++o) {
      layer.shift[o] = static_cast<uint8_t>(layer.shift[o] + (layer.is_signed ? 1 : 2));
      // The middle of u8, in units of the sum.
      const double scale = std::ldexp(static_cast<double>(layer.mult[o]), -layer.shift[o]);
      const bool first = layer.name == "head" || layer.name == "a";
      layer.bias[o] = first ? static_cast<int32_t>(128 / scale) : 0;
    }
  }
  const Network network = *net.Load();
  constexpr int64_t h = 6, w = 7;
  NetworkGradient gradient(network, BestSimdLevel(), h, w);
  TestPicture picture = MakePicture(h, w, 19);
  for (int& v : picture.values) v /= 2;
  std::mt19937 random(5);
  std::vector<float> weight(h * w * 10), way(h * w * 19);
  for (float& v : weight) v = static_cast<float>(random() % 201) - 100;
  for (float& v : way) v = random() % 2 != 0 ? 24.0f : -24.0f;
  const auto sum = [&](float times) {
    SetInput(gradient, picture);
    for (int64_t i = 0; i < h * w * 19; ++i)
      gradient.Input(i / 19 / w, i / 19 % w)[i % 19] += times * way[static_cast<size_t>(i)];
    gradient.Forward();
    double total = 0;
    for (int64_t i = 0; i < h * w * 10; ++i) {
      total +=
          double{weight[static_cast<size_t>(i)]} * gradient.Output(i / 10 / w, i / 10 % w)[i % 10];
    }
    return total;
  };
  const double change = sum(1) - sum(-1);
  sum(0);
  for (int64_t i = 0; i < h * w * 10; ++i)
    gradient.OutputGradient(i / 10 / w, i / 10 % w)[i % 10] = weight[static_cast<size_t>(i)];
  gradient.Backward();
  double expected = 0;
  for (int64_t i = 0; i < h * w * 19; ++i) {
    expected +=
        2.0 * way[static_cast<size_t>(i)] * gradient.InputGradient(i / 19 / w, i / 19 % w)[i % 19];
  }
  EXPECT_GT(std::abs(expected), 1000);
  EXPECT_NEAR(change / expected, 1, 0.15);
}

TEST(NetworkGradientTest, EveryLevelMakesTheSameFloats) {
  const Network network = *MakeNetwork().Load();
  std::vector<float> want;
  for (const SimdLevel level : SupportedSimdLevels()) {
    NetworkGradient gradient(network, level, 8, 13);
    TestPicture picture = MakePicture(8, 13, 19);
    SetInput(gradient, picture);
    gradient.Forward();
    for (int64_t i = 0; i < 8 * 13 * 10; ++i) {
      gradient.OutputGradient(i / 10 / 13, i / 10 % 13)[i % 10] =
          0.37f * gradient.Output(i / 10 / 13, i / 10 % 13)[i % 10];
    }
    gradient.Backward();
    std::vector<float> got;
    for (int64_t i = 0; i < 8 * 13 * 19; ++i)
      got.push_back(gradient.InputGradient(i / 19 / 13, i / 19 % 13)[i % 19]);
    if (want.empty()) want = got;
    EXPECT_EQ(got, want) << SimdLevelName(level);
  }
}

TEST(NetworkGradientTest, NetworksOfOtherLayersAreNotSupported) {
  TestNetwork net{8, false, {Conv("a", "in", 3, 8), {.op = "lut", .name = "b", .input = "a"}}};
  net.Randomise(1);
  EXPECT_FALSE(NetworkGradient::Supports(*net.Load()));
}

}  // namespace
}  // namespace godwit
