#include "models/network.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/models/test_network.h"

namespace godwit {
namespace {

// Runs the picture in tiles of at most tile_h x tile_w positions and returns values.
TestPicture RunTiled(const Network& network, SimdLevel level, const TestPicture& picture,
                     int64_t tile_h, int64_t tile_w, bool whole_input = true) {
  const Tensor<uint8_t> input = InputBytes(picture);
  const int64_t scale = network.scale();
  Tensor<uint8_t> out(picture.height * scale, picture.width * scale, network.output_channels());
  Result<NetworkRunner> runner = NetworkRunner::Create(network, level, tile_h, tile_w);
  EXPECT_TRUE(runner.ok()) << runner.status().message();
  for (int64_t y = 0; y < picture.height; y += tile_h) {
    for (int64_t x = 0; x < picture.width; x += tile_w) {
      const Rect rect{y, x, std::min(tile_h, picture.height - y),
                      std::min(tile_w, picture.width - x)};
      Rect given{0, 0, picture.height, picture.width};
      if (!whole_input) {  // just what is needed
        const int64_t halo = network.halo();
        given.y = std::max<int64_t>(y - halo, 0), given.x = std::max<int64_t>(x - halo, 0);
        given.h = std::min(y + rect.h + halo, picture.height) - given.y;
        given.w = std::min(x + rect.w + halo, picture.width) - given.x;
      }
      const Status status =
          runner->Run(input.view().Window(given.y, given.x, given.h, given.w), given,
                      picture.height, picture.width, rect,
                      out.view().Window(y * scale, x * scale, rect.h * scale, rect.w * scale));
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
  TestPicture result{out.height(), out.width(), out.channels(), network.output_signed()};
  for (int64_t i = 0; i < out.size(); ++i) {
    result.values.push_back(network.output_signed() ? static_cast<int8_t>(out.data()[i])
                                                    : out.data()[i]);
  }
  return result;
}

class NetworkTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(NetworkTest, EqualsTheReference) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    const TestNetwork net = MixedNetwork(seed);
    const Result<Network> network = net.Load();
    ASSERT_TRUE(network.ok()) << network.status().message();
    const TestPicture picture = RandomPicture(net, 14, 19, seed);
    const TestPicture want = net.Reference(picture);
    EXPECT_EQ(RunTiled(*network, GetParam(), picture, 14, 19).values, want.values);
    // A test of the test: results are neither constant nor mostly saturated.
    const auto inside = std::count_if(want.values.begin(), want.values.end(),
                                      [](int v) { return v > -128 && v < 127; });
    EXPECT_GT(inside, static_cast<int64_t>(want.values.size()) / 4);
  }
}

TEST_P(NetworkTest, EveryTilingGivesTheSameSamples) {
  const TestNetwork net = MixedNetwork(4);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  const TestPicture picture = RandomPicture(net, 13, 17, 4);
  const TestPicture want = net.Reference(picture);
  const int64_t tiles[][2] = {{1, 1}, {1, 17}, {2, 3}, {5, 4}, {7, 16}, {12, 9}, {13, 1}, {64, 64}};
  for (const auto& [tile_h, tile_w] : tiles) {
    for (const bool whole_input : {true, false}) {
      EXPECT_EQ(RunTiled(*network, GetParam(), picture, tile_h, tile_w, whole_input).values,
                want.values)
          << tile_w << "x" << tile_h << " whole_input " << whole_input;
    }
  }
}

TEST_P(NetworkTest, PicturesSmallerThanTheHaloEqualTheReference) {
  const TestNetwork net = MixedNetwork(5);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  ASSERT_GT(network->halo(), 4);
  for (int64_t height = 1; height <= 4; ++height) {
    for (int64_t width = 1; width <= 4; ++width) {
      const TestPicture picture = RandomPicture(net, height, width, 6);
      const TestPicture want = net.Reference(picture);
      EXPECT_EQ(RunTiled(*network, GetParam(), picture, height, width).values, want.values);
      EXPECT_EQ(RunTiled(*network, GetParam(), picture, 1, 2).values, want.values);
    }
  }
}

TEST_P(NetworkTest, EachLastLayerWritesTheCallersBytes) {
  for (const bool is_signed : {false, true}) {
    for (const std::string op : {"conv", "lut", "depth_to_space", "add", "shuffle"}) {
      if (op == "add" && is_signed) continue;
      TestNetwork net{.input_channels = 8, .input_signed = op != "conv" && is_signed};
      net.layers = {{.op = "conv",
                     .name = "a",
                     .input = "in",
                     .kernel = 3,
                     .out = 12,
                     .is_signed = (op == "depth_to_space" || op == "shuffle") && is_signed},
                    {.op = op,
                     .name = "b",
                     .input = "a",
                     .other = op == "add" ? "a" : "",
                     .kernel = 3,
                     .groups = op == "shuffle" ? 4 : 1,
                     .out = 5,
                     .is_signed = is_signed}};
      net.Randomise(1);
      const Result<Network> network = net.Load();
      ASSERT_TRUE(network.ok()) << network.status().message();
      EXPECT_EQ(network->output_signed(), is_signed);
      const TestPicture picture = RandomPicture(net, 6, 9, 1);
      EXPECT_EQ(RunTiled(*network, GetParam(), picture, 4, 5).values, net.Reference(picture).values)
          << op << " signed " << is_signed;
    }
  }
}

TEST_P(NetworkTest, RunnersOnSeveralThreadsShareANetwork) {
  const TestNetwork net = MixedNetwork(6);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  const TestPicture picture = RandomPicture(net, 8, 8, 6);
  const TestPicture want = net.Reference(picture);
  std::vector<TestPicture> got(4);
  std::vector<std::thread> threads;
  for (TestPicture& result : got) {
    threads.emplace_back([&] { result = RunTiled(*network, GetParam(), picture, 3, 5); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const TestPicture& result : got) EXPECT_EQ(result.values, want.values);
}

TEST_P(NetworkTest, WindowsThatDoNotFitAreRefused) {
  const TestNetwork net = MixedNetwork(7);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  Result<NetworkRunner> runner = NetworkRunner::Create(*network, GetParam(), 4, 4);
  ASSERT_TRUE(runner.ok());
  const Tensor<uint8_t> input(20, 20, 10);
  Tensor<uint8_t> out(24, 24, 3);
  const Rect all{0, 0, 20, 20}, good{8, 8, 4, 4};
  const auto run = [&](Rect input_rect, Rect out_rect) {
    return runner->Run(input.view(), input_rect, 20, 20, out_rect, out.view()).code();
  };
  EXPECT_EQ(run(all, good), StatusCode::kOk);
  EXPECT_EQ(run(all, {8, 8, 5, 4}), StatusCode::kInvalidArgument);   // beyond the runner's size
  EXPECT_EQ(run(all, {17, 8, 4, 4}), StatusCode::kInvalidArgument);  // beyond the picture
  EXPECT_EQ(run(all, {-1, 8, 4, 4}), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(all, {8, 8, 0, 4}), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(all, {8, INT64_MAX, 4, 4}), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(all, {8, 8, 3, 4}), StatusCode::kInvalidArgument);     // `out` has another shape
  EXPECT_EQ(run({6, 0, 20, 20}, good), StatusCode::kInvalidArgument);  // halo is missing
  EXPECT_EQ(run({0, 0, 19, 20}, good), StatusCode::kInvalidArgument);  // not the view's shape
  EXPECT_EQ(run({INT64_MAX - 3, 0, 20, 20}, good), StatusCode::kInvalidArgument);
  EXPECT_FALSE(NetworkRunner::Create(*network, GetParam(), 0, 4).ok());
  EXPECT_FALSE(NetworkRunner::Create(*network, GetParam(), 4, (1 << 16) + 1).ok());
}

INSTANTIATE_TEST_SUITE_P(Levels, NetworkTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

// The file and the numbers at the end of docs/format/network.md.
TEST(NetworkFormatTest, TheWorkedExampleHolds) {
  const std::string header =
      R"({"__metadata__":{"network.n":"{\"input_channels\":2,\"input_zero_point\":128,)"
      R"(\"layers\":[{\"op\":\"conv\",\"name\":\"a\",\"input\":\"in\",\"kernel\":1,)"
      R"(\"groups\":1,\"out\":1,\"residual\":null,\"output\":\"s8\",)"
      R"(\"input_zero_point\":128}]}"},)"
      R"("n.a.bias":{"data_offsets":[0,4],"dtype":"I32","shape":[1]},)"
      R"("n.a.mult":{"data_offsets":[4,8],"dtype":"I32","shape":[1]},)"
      R"("n.a.shift":{"data_offsets":[8,9],"dtype":"U8","shape":[1]},)"
      R"("n.a.weight":{"data_offsets":[9,11],"dtype":"I8","shape":[1,1,1,2]}})";
  ASSERT_EQ(header.size(), 0x1E8u);
  const uint8_t data[] = {7, 0, 0, 0, 0, 0, 0, 0x40, 0x22, 10, 0xEC};
  ByteWriter bytes;
  bytes.U64(header.size());
  bytes.Append(std::as_bytes(std::span(header)));
  bytes.Append(AsBytes(data));
  const Result<SafeTensors> file = SafeTensors::Parse(bytes.Release());
  ASSERT_TRUE(file.ok()) << file.status().message();
  const Result<Network> network = Network::Load(*file, "n");
  ASSERT_TRUE(network.ok()) << network.status().message();
  for (const SimdLevel level : SupportedSimdLevels()) {
    const TestPicture picture{1, 2, 2, true, {2, -8, -2, 8}};
    EXPECT_EQ(RunTiled(*network, level, picture, 1, 2).values, (std::vector<int>{12, -11}));
  }
}

// Two grouped 1x1 layers with a shuffle between them: sums of all inputs, each by its own path.
TEST(NetworkShuffleTest, EveryOutputOfAMonarchLayerSeesEveryInput) {
  const TestNetwork net = MonarchNetwork(1);
  const Result<Network> network = net.Load();
  ASSERT_TRUE(network.ok()) << network.status().message();
  EXPECT_EQ(network->macs_per_position(), 12u * (12 / 3 + 12 / 4));
  TestPicture picture{1, 1, 12, false, std::vector<int>(12)};
  const TestPicture dark = net.Reference(picture);
  for (int i = 0; i < 12; ++i) {
    picture.values.assign(12, 0);
    picture.values[static_cast<size_t>(i)] = 200;
    const TestPicture want = net.Reference(picture);
    for (size_t o = 0; o < 12; ++o) EXPECT_NE(want.values[o], dark.values[o]) << i << " to " << o;
    for (const SimdLevel level : SupportedSimdLevels()) {
      EXPECT_EQ(RunTiled(*network, level, picture, 1, 1).values, want.values);
    }
  }
}

TEST(NetworkShapeTest, FollowsFromTheGraph) {
  const Result<Network> network = MixedNetwork(1).Load();
  ASSERT_TRUE(network.ok());
  EXPECT_EQ(network->input_channels(), 10);
  EXPECT_EQ(network->input_zero_point(), 128);
  EXPECT_EQ(network->output_channels(), 3);
  EXPECT_TRUE(network->output_signed());
  EXPECT_EQ(network->scale(), 6);
  // 3x3 and 7x7 at scale 3: 4 pixels, 2 positions. Before: 3x3, 5x5 and 3x3.
  EXPECT_EQ(network->halo(), 2 + 1 + 2 + 1);
  EXPECT_EQ(network->macs_per_position(), 90u * 24 + 25 * 24 + 24 * 24 + 72 * 24 + 24 * 24 +
                                              24 * 72 + 9 * (72 * 8 + 49 * 8 * 12));
}

}  // namespace
}  // namespace godwit
