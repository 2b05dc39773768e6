#include "models/row_runner.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/models/test_network.h"

namespace godwit {
namespace {

// The outputs of `rect` as values, by strips of strip_w columns and steps of `steps` rows in turn.

std::vector<int> RunInStrips(const Network& network, SimdLevel level, const TestPicture& picture,
                             Rect rect, int64_t strip_w, const std::vector<int64_t>& steps) {
  const Tensor<uint8_t> input = InputBytes(picture);
  const int64_t scale = network.scale();
  Tensor<uint8_t> out(rect.h * scale, rect.w * scale, network.output_channels());
  const int64_t max_rows = *std::max_element(steps.begin(), steps.end());
  Result<RowRunner> runner = RowRunner::Create(network, level, strip_w, max_rows);
  EXPECT_TRUE(runner.ok()) << runner.status().message();
  for (int64_t x = 0; x < rect.w; x += strip_w) {
    const Rect strip{rect.y, rect.x + x, rect.h, std::min(strip_w, rect.w - x)};
    Status status = runner->Start(picture.height, picture.width, strip);
    EXPECT_TRUE(status.ok()) << status.message();
    int64_t next_in = std::max<int64_t>(rect.y - network.halo(), 0), next_out = rect.y;
    for (size_t i = 0; !runner->done(); ++i) {
      runner->Next(1 + static_cast<int64_t>(i) % max_rows);  // a plan that is not used
      const int64_t end = i % 3 == 0 ? next_out + 1 : INT64_MAX;
      const RowRunner::Step& step = runner->Next(steps[i % steps.size()], end);
      EXPECT_LE(step.out_rect.y + step.out_rect.h, end);
      EXPECT_LE(step.input_rect.h, steps[i % steps.size()]);
      EXPECT_EQ(step.input_rect.y, next_in);  // each row once, in order
      EXPECT_EQ(step.out_rect.y, next_out);
      for (int64_t y = 0; y < step.input_rect.h; ++y) {
        for (int64_t column = 0; column < step.input_rect.w; ++column) {
          std::memcpy(step.input.At(y, column),
                      input.view().At(step.input_rect.y + y, step.input_rect.x + column),
                      static_cast<size_t>(picture.channels));
        }
      }
      next_in += step.input_rect.h, next_out += step.out_rect.h;
      status = runner->Run(out.view().Window((step.out_rect.y - rect.y) * scale, x * scale,
                                             step.out_rect.h * scale, strip.w * scale));
      EXPECT_TRUE(status.ok()) << status.message();
    }
    EXPECT_EQ(next_out, rect.y + rect.h);
    EXPECT_EQ(next_in, std::min(rect.y + rect.h + network.halo(), picture.height));
  }
  std::vector<int> values;
  for (int64_t i = 0; i < out.size(); ++i) {
    values.push_back(network.output_signed() ? static_cast<int8_t>(out.data()[i]) : out.data()[i]);
  }
  return values;
}

std::vector<int> Cut(TestPicture picture, Rect rect, int64_t scale) {
  std::vector<int> values;
  for (int64_t y = rect.y * scale; y < (rect.y + rect.h) * scale; ++y) {
    for (int64_t x = rect.x * scale; x < (rect.x + rect.w) * scale; ++x) {
      for (int64_t c = 0; c < picture.channels; ++c) values.push_back(picture.At(y, x, c));
    }
  }
  return values;
}

// Residuals over layers with context, the input among their sources, no change of scale.
TestNetwork BlocksNetwork(unsigned seed) {
  TestNetwork net{.input_channels = 20, .input_signed = true};
  net.layers = {
      {.op = "conv", .name = "head", .input = "in", .kernel = 1, .out = 20},
      {.op = "conv", .name = "a", .input = "head", .kernel = 3, .out = 20},
      {.op = "conv", .name = "b", .input = "a", .other = "head", .kernel = 5, .out = 20},
      {.op = "conv", .name = "c", .input = "b", .other = "in", .kernel = 7, .out = 20},
      {.op = "add", .name = "d", .input = "c", .other = "head"},
      {.op = "conv", .name = "tail", .input = "d", .kernel = 1, .out = 33, .is_signed = true},
  };
  net.Randomise(seed);
  return net;
}

class RowRunnerTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(RowRunnerTest, EveryCutIntoStripsAndStepsEqualsTheReference) {
  for (const TestNetwork& net : {MixedNetwork(11), BlocksNetwork(12)}) {
    const Result<Network> network = net.Load();
    ASSERT_TRUE(network.ok()) << network.status().message();
    const TestPicture picture = RandomPicture(net, 29, 17, 4);
    const Rect whole{0, 0, 29, 17};
    const std::vector<int> want = net.Reference(picture).values;
    for (const int64_t width : {1, 4, 9, 16, 17, 40}) {
      for (const std::vector<int64_t>& steps :
           {std::vector<int64_t>{1}, {2}, {4}, {5, 1, 3}, {1, 16}, {29}, {200}}) {
        EXPECT_EQ(RunInStrips(*network, GetParam(), picture, whole, width, steps), want)
            << "strips of " << width << ", steps of " << steps[0];
      }
    }
  }
}

TEST_P(RowRunnerTest, PartsOfAPictureEqualTheReference) {
  for (const TestNetwork& net : {MixedNetwork(13), BlocksNetwork(14)}) {
    const Result<Network> network = net.Load();
    ASSERT_TRUE(network.ok()) << network.status().message();
    const TestPicture picture = RandomPicture(net, 31, 20, 5);
    const TestPicture want = net.Reference(picture);
    for (int64_t y = 0; y < 31; y += 3) {
      for (const int64_t h : {int64_t{1}, int64_t{4}, 31 - y}) {
        if (y + h > 31) continue;
        const Rect rect{y, y % 7, h, 1 + (y * 5) % (20 - y % 7)};
        EXPECT_EQ(RunInStrips(*network, GetParam(), picture, rect, 6, {3, 1}),
                  Cut(want, rect, network->scale()))
            << "rows " << y << " to " << y + h;
      }
    }
  }
}

TEST_P(RowRunnerTest, PicturesSmallerThanTheHaloEqualTheReference) {
  for (const TestNetwork& net : {MixedNetwork(15), BlocksNetwork(16)}) {
    const Result<Network> network = net.Load();
    ASSERT_TRUE(network.ok()) << network.status().message();
    for (int64_t height = 1; height <= 9; ++height) {
      for (int64_t width = 1; width <= 4; ++width) {
        const TestPicture picture = RandomPicture(net, height, width, 6);
        const std::vector<int> want = net.Reference(picture).values;
        for (const int64_t rows : {1, 2, 16}) {
          EXPECT_EQ(RunInStrips(*network, GetParam(), picture, {0, 0, height, width}, 2, {rows}),
                    want)
              << width << "x" << height << " steps of " << rows;
        }
      }
    }
  }
}

TEST_P(RowRunnerTest, ChannelsWrittenOnceStay) {
  const TestNetwork net = BlocksNetwork(17);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  TestPicture picture = RandomPicture(net, 40, 6, 7);
  for (int64_t y = 0; y < 40; ++y) {
    for (int64_t x = 0; x < 6; ++x) {
      for (int64_t c = 7; c < 20; ++c) picture.At(y, x, c) = static_cast<int>(c);
    }
  }
  const Tensor<uint8_t> input = InputBytes(picture);
  Result<RowRunner> runner = RowRunner::Create(*network, GetParam(), 6, 4);
  ASSERT_TRUE(runner.ok());
  Tensor<uint8_t> out(40, 6, 33);
  ASSERT_TRUE(runner->Start(40, 6, {0, 0, 40, 6}).ok());
  const TensorView<uint8_t> memory = runner->input_memory();
  for (int64_t y = 0; y < memory.height; ++y) {
    for (int64_t x = 0; x < memory.width; ++x)
      std::memcpy(memory.At(y, x), input.data(), static_cast<size_t>(memory.channels));
  }
  while (!runner->done()) {
    const RowRunner::Step& step = runner->Next(4);
    for (int64_t y = 0; y < step.input_rect.h; ++y) {
      for (int64_t x = 0; x < 6; ++x)
        std::memcpy(step.input.At(y, x), input.view().At(step.input_rect.y + y, x), 7);
    }
    ASSERT_TRUE(runner->Run(out.view().Window(step.out_rect.y, 0, step.out_rect.h, 6)).ok());
  }
  const std::vector<int> want = net.Reference(picture).values;
  for (int64_t i = 0; i < out.size(); ++i)
    ASSERT_EQ(static_cast<int8_t>(out.data()[i]), want[static_cast<size_t>(i)]);
}

TEST_P(RowRunnerTest, WhatDoesNotFitIsRefused) {
  const Result<Network> network = MixedNetwork(7).Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  EXPECT_FALSE(RowRunner::Create(*network, GetParam(), 0, 4).ok());
  EXPECT_FALSE(RowRunner::Create(*network, GetParam(), kMaxRunnerWindow + 1, 4).ok());
  EXPECT_FALSE(RowRunner::Create(*network, GetParam(), 4, 0).ok());
  EXPECT_FALSE(RowRunner::Create(*network, GetParam(), 4, kMaxStepRows + 1).ok());
  Result<RowRunner> runner = RowRunner::Create(*network, GetParam(), 8, 4);
  ASSERT_TRUE(runner.ok());
  EXPECT_TRUE(runner->done());
  EXPECT_FALSE(runner->Run({}).ok());  // nothing begun
  for (const Rect& rect : {Rect{0, 0, 20, 9},
                           {0, 13, 20, 8},
                           {1, 0, 20, 8},
                           {-1, 0, 4, 4},
                           {0, -1, 4, 4},
                           {0, 0, 0, 4},
                           {0, 0, 4, 0},
                           {INT64_MAX, 0, 1, 1},
                           {0, INT64_MAX, 1, 1},
                           {0, 0, INT64_MAX, 1},
                           {0, 0, 1, INT64_MAX}}) {
    EXPECT_EQ(runner->Start(20, 20, rect).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(runner->Start(0, 20, {0, 0, 1, 1}).ok());
  EXPECT_FALSE(runner->Start(20, INT64_MAX, {0, 0, 1, 1}).ok());
  ASSERT_TRUE(runner->Start(20, 20, {0, 0, 20, 8}).ok());
  Tensor<uint8_t> out(24, 48, 3);
  while (runner->Next(4).out_rect.h == 0) ASSERT_TRUE(runner->Run({}).ok());
  EXPECT_FALSE(runner->Run({}).ok());
  EXPECT_FALSE(runner->Run(out.view().Window(0, 0, 24, 47)).ok());
  const int64_t rows = runner->Next(4).out_rect.h;
  EXPECT_TRUE(runner->Run(out.view().Window(0, 0, rows * 6, 48)).ok());
  EXPECT_FALSE(runner->Run(out.view().Window(0, 0, rows * 6, 48)).ok());  // not planned
}

TEST(RowRunnerMemoryTest, FollowsTheWidthAndNotTheHeight) {
  const Result<Network> network = BlocksNetwork(1).Load();
  ASSERT_TRUE(network.ok());
  const uint64_t bytes = RowRunner::BytesFor(*network, 32, 4);
  EXPECT_GT(RowRunner::BytesFor(*network, 64, 4), bytes * 3 / 2);
  EXPECT_GT(RowRunner::BytesFor(*network, 32, 8), bytes);
  EXPECT_LT(bytes, 200000u);
}

INSTANTIATE_TEST_SUITE_P(Levels, RowRunnerTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

}  // namespace
}  // namespace godwit
