// Model files come from strangers: each way of being wrong is refused, with a place.
#include <gtest/gtest.h>

#include <functional>

#include "tests/models/test_network.h"

namespace godwit {
namespace {

TestNetwork SmallNetwork() {
  TestNetwork net{.input_channels = 8};
  net.layers = {{.op = "conv", .name = "a", .input = "in", .kernel = 3, .out = 12},
                {.op = "lut", .name = "b", .input = "a"},
                {.op = "add", .name = "c", .input = "a", .other = "b"},
                {.op = "depth_to_space", .name = "d", .input = "c"},
                {.op = "shuffle", .name = "e", .input = "d", .groups = 3}};
  net.Randomise(1);
  return net;
}

Status LoadWithGraph(const std::string& graph) {
  SafeTensorsWriter writer = SmallNetwork().Writer("net");
  writer.SetMetadata("network.net", graph);
  const Result<SafeTensors> file = SafeTensors::Parse(writer.Finish());
  if (!file.ok()) return file.status();
  return Network::Load(*file, "net").status();
}

// The small network's graph with one piece of text replaced.
Status LoadEdited(const std::string& from, const std::string& to) {
  std::string graph = SmallNetwork().GraphText();
  const size_t at = graph.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return LoadWithGraph(graph.replace(at, from.size(), to));
}

TEST(NetworkRefusalTest, TheUneditedNetworkLoads) {
  EXPECT_TRUE(LoadEdited("\"a\"", "\"a\"").ok());
}

TEST(NetworkRefusalTest, MalformedGraphsAreRefused) {
  const std::pair<std::string, std::string> edits[] = {
      {"{\"input_channels\"", "[\"input_channels\""},
      {"\"input_channels\":8", "\"input_channels\":0"},
      {"\"input_channels\":8", "\"input_channels\":1025"},
      {"\"input_channels\":8", "\"input_channels\":9"},
      {"\"input_channels\":8", "\"input_channels\":8.0"},
      {"\"input_channels\":8", "\"input_channels\":8,\"input_channels\":8"},
      {"\"input_channels\":8", "\"input_channels\":8,\"extra\":1"},
      {"\"input_channels\":8", "\"input_channels\":18446744073709551624"},
      {"\"input_zero_point\":0", "\"input_zero_point\":1"},
      {"\"input_zero_point\":0", "\"input_zero_point\":128"},  // layer a says 0
      {"\"op\":\"conv\"", "\"op\":\"pool\""},
      {"\"op\":\"conv\"", "\"op\":7"},
      {"\"op\":\"conv\",", ""},
      {"\"name\":\"a\"", "\"name\":\"\""},
      {"\"name\":\"a\"", "\"name\":\"in\""},
      {"\"name\":\"a\"", "\"name\":\"A.b\""},
      {"\"name\":\"b\"", "\"name\":\"a\""},
      {"\"input\":\"in\"", "\"input\":\"a\""},  // itself
      {"\"input\":\"in\"", "\"input\":\"b\""},  // later
      {"\"input\":\"c\"", "\"input\":\"a\""},   // leaves c unused
      {"\"kernel\":3", "\"kernel\":2"},
      {"\"kernel\":3", "\"kernel\":9"},
      {"\"kernel\":3", "\"kernel\":5"},  // not the tensor's
      {"\"kernel\":3", "\"kernel\":-3"},
      {"\"groups\":1", "\"groups\":3"},
      {"\"groups\":1", "\"groups\":0"},
      {"\"groups\":1", "\"groups\":2"},
      {"\"out\":12", "\"out\":13"},
      {"\"out\":12", "\"out\":2000"},
      {"\"residual\":null", "\"residual\":\"in\""},  // 8 channels, not 12
      {"\"residual\":null", "\"residual\":\"zz\""},
      {"\"residual\":null", "\"residual\":7"},
      {"\"output\":\"u8\"", "\"output\":\"u16\""},
      {"\"output\":\"u8\"", "\"output\":\"s8\""},  // add takes no s8
      {"\"other\":\"b\"", "\"other\":\"in\""},
      {"\"block\":2", "\"block\":1"},
      {"\"block\":2", "\"block\":4"},
      {"\"block\":2", "\"block\":17"},
      {"\"block\":2", "\"block\":2,\"kernel\":1"},
      {"\"groups\":3", "\"groups\":1"},
      {"\"groups\":3", "\"groups\":2"},  // of 3 channels
      {"\"groups\":3", "\"groups\":0"},
      {"\"groups\":3", "\"groups\":-3"},
      {"\"groups\":3", "\"groups\":3000"},
      {"\"groups\":3", "\"groups\":3,\"out\":3"},
      {",\"groups\":3", ""},
      {"]}", "]"},
      {"]}", ",7]}"},
  };
  for (const auto& [from, to] : edits) {
    const Status status = LoadEdited(from, to);
    EXPECT_EQ(status.code(), StatusCode::kModelRefused) << from << " -> " << to;
    EXPECT_NE(status.message(), "") << from << " -> " << to;
  }
  EXPECT_EQ(LoadWithGraph("").code(), StatusCode::kModelRefused);
  EXPECT_EQ(LoadWithGraph("{\"input_channels\":8,\"input_zero_point\":0,\"layers\":[]}").code(),
            StatusCode::kModelRefused);
  EXPECT_EQ(LoadWithGraph(std::string(100000, '[')).code(), StatusCode::kModelRefused);
}

TEST(NetworkRefusalTest, TooManyLayersAreRefused) {
  for (const int count : {64, 65}) {
    TestNetwork net{.input_channels = 1};
    for (int i = 0; i < count; ++i) {
      net.layers.push_back(
          {.op = "lut", .name = NumberedName(i), .input = i == 0 ? "in" : NumberedName(i - 1)});
    }
    net.Randomise(1);
    EXPECT_EQ(net.Load().ok(), count == 64);
  }
}

TEST(NetworkRefusalTest, ScaleIsBounded) {
  TestNetwork net{.input_channels = 1024};
  net.layers = {{.op = "depth_to_space", .name = "a", .input = "in", .block = 16},
                {.op = "conv", .name = "b", .input = "a", .out = 64},
                {.op = "depth_to_space", .name = "c", .input = "b", .block = 4}};
  net.Randomise(1);
  EXPECT_TRUE(net.Load().ok());
  net.layers.back().block = 8;
  EXPECT_EQ(net.Load().status().code(), StatusCode::kModelRefused);
}

TEST(NetworkRefusalTest, NumbersThatMightOverflowAreRefused) {
  struct Edit {
    const char* what;
    std::function<void(TestLayer&)> make;
    bool accepted;
  };
  // 72 products of at most 255 * 64, of which Randomise() leaves no more than this.
  const auto products = [](const TestLayer& l) {
    int32_t sum = 0;
    for (int i = 0; i < 72; ++i) sum += std::abs(l.weight[i]) * 255;
    return sum;
  };
  const auto with_bias = [&](TestLayer& l, int64_t bias) {
    l.bias[0] = static_cast<int32_t>(bias), l.mult[0] = 1, l.shift[0] = 10;
  };
  const Edit edits[] = {
      {"weight 63", [](TestLayer& l) { l.weight[5] = 63; }, true},
      {"weight 64", [](TestLayer& l) { l.weight[5] = 64; }, false},
      {"weight -64", [](TestLayer& l) { l.weight[5] = -64; }, true},
      {"weight -65", [](TestLayer& l) { l.weight[5] = -65; }, false},
      {"mult 0", [](TestLayer& l) { l.mult[11] = 0; }, false},
      {"mult -1", [](TestLayer& l) { l.mult[0] = -1; }, false},
      {"mult 1", [](TestLayer& l) { l.mult[0] = 1; }, true},
      {"shift 0", [](TestLayer& l) { l.shift[0] = 0; }, false},
      {"shift 62", [](TestLayer& l) { l.shift[0] = 62; }, true},
      {"shift 63", [](TestLayer& l) { l.shift[0] = 63; }, false},
      {"shift 255", [](TestLayer& l) { l.shift[11] = 255; }, false},
      {"largest bias", [&](TestLayer& l) { with_bias(l, INT32_MAX - products(l)); }, true},
      {"bias + 1", [&](TestLayer& l) { with_bias(l, INT32_MAX - products(l) + 1); }, false},
      {"least bias", [&](TestLayer& l) { with_bias(l, -INT32_MAX + products(l)); }, true},
      {"bias - 1", [&](TestLayer& l) { with_bias(l, -INT32_MAX + products(l) - 1); }, false},
      {"bias INT32_MIN", [&](TestLayer& l) { with_bias(l, INT32_MIN); }, false},
      {"result beyond s32", [](TestLayer& l) { l.mult[0] = INT32_MAX, l.shift[0] = 1; }, false},
  };
  for (const Edit& edit : edits) {
    TestNetwork net = SmallNetwork();
    edit.make(net.layers[0]);
    const Status status = net.Load().status();
    EXPECT_EQ(status.code(), edit.accepted ? StatusCode::kOk : StatusCode::kModelRefused)
        << edit.what << ": " << status.message();
    if (!edit.accepted) {
      EXPECT_NE(status.message().find("net.a channel"), std::string::npos) << status.message();
    }
  }
}

TEST(NetworkRefusalTest, TheZeroPointCountsInTheProof) {
  TestNetwork net{.input_channels = 4, .input_signed = true};
  net.layers = {{.op = "conv", .name = "a", .input = "in", .out = 1}};
  net.Randomise(1);
  net.layers[0].weight = {63, 63, 63, 63};  // folds to bias - 128 * 252
  net.layers[0].shift = {40};
  net.layers[0].bias = {INT32_MAX - 255 * 252 + 128 * 252};
  EXPECT_TRUE(net.Load().ok());
  ++net.layers[0].bias[0];
  EXPECT_EQ(net.Load().status().code(), StatusCode::kModelRefused);
}

TEST(NetworkRefusalTest, MissingOrIllShapedTensorsAreRefused) {
  const std::vector<int32_t> twelve(12, 1);
  const std::vector<int8_t> weights(12 * 72);
  const auto load = [](const SafeTensorsWriter& writer, std::string_view name = "net") {
    const Result<SafeTensors> file = SafeTensors::Parse(writer.Finish());
    EXPECT_TRUE(file.ok()) << file.status().message();
    return Network::Load(*file, name).status().code();
  };
  SafeTensorsWriter writer = SmallNetwork().Writer("net");
  EXPECT_EQ(load(writer), StatusCode::kOk);
  EXPECT_EQ(load(writer, "other"), StatusCode::kModelRefused);
  writer.Add<int32_t>("net.a.bias", {12, 1}, twelve);
  EXPECT_EQ(load(writer), StatusCode::kModelRefused);
  writer.Add<int32_t>("net.a.bias", {12}, twelve);
  EXPECT_EQ(load(writer), StatusCode::kOk);
  writer.Add<int32_t>("net.a.shift", {12}, twelve);  // u8 is wanted
  EXPECT_EQ(load(writer), StatusCode::kModelRefused);
  writer = SmallNetwork().Writer("net");
  writer.Add<int8_t>("net.a.weight", {12, 8, 3, 3}, weights);
  EXPECT_EQ(load(writer), StatusCode::kModelRefused);
  writer = SmallNetwork().Writer("net");
  writer.Add<uint8_t>("net.b.lut", {255}, std::vector<uint8_t>(255));
  EXPECT_EQ(load(writer), StatusCode::kModelRefused);
  SafeTensorsWriter empty;
  empty.SetMetadata("network.net", SmallNetwork().GraphText());
  EXPECT_EQ(load(empty), StatusCode::kModelRefused);
}

}  // namespace
}  // namespace godwit
