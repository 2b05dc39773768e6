#include "tests/codecs/test_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "codecs/image/full_model.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_synthesis.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"
#include "tests/models/test_network.h"

namespace godwit {
namespace {

using swift::ContextParameters;
using swift::kCoarse;
using swift::kGroups;
using swift::kLayers;
using swift::kMaxStepIndex;
using swift::kPlanes;

constexpr int64_t kSymbolRows = kPlanes * swift::kChannels, kCoarseRows = kPlanes * kCoarse;

template <typename T>
std::vector<T> Filled(int64_t count, T value) {
  return std::vector<T>(static_cast<size_t>(count), value);
}

// Rows are frequencies of the orthonormal DCT; `inverse` transposes.
std::vector<int16_t> Dct(size_t n, int fraction_bits, bool inverse) {
  std::vector<int16_t> m(n * n);
  for (size_t k = 0; k < n; ++k) {
    for (size_t i = 0; i < n; ++i) {
      const double side = static_cast<double>(n);
      const double angle = std::numbers::pi * static_cast<double>((2 * i + 1) * k) / (2 * side);
      const double entry = std::cos(angle) * std::sqrt((k == 0 ? 1.0 : 2.0) / side);
      m[inverse ? i * n + k : k * n + i] =
          static_cast<int16_t>(std::lround(std::ldexp(entry, fraction_bits)));
    }
  }
  return m;
}

// Rows: luma, red-blue, green-magenta, orthonormal; `inverse` transposes.
std::vector<int32_t> Colour(int fraction_bits, bool inverse) {
  constexpr double kRows[3][3] = {{1, 1, 1}, {1, 0, -1}, {1, -2, 1}}, kNorm[3] = {3, 2, 6};
  std::vector<int32_t> m(9);
  for (size_t p = 0; p < 3; ++p) {
    for (size_t c = 0; c < 3; ++c) {
      m[inverse ? c * 3 + p : p * 3 + c] = static_cast<int32_t>(
          std::lround(std::ldexp(kRows[p][c] / std::sqrt(kNorm[p]), fraction_bits)));
    }
  }
  return m;
}

void AddContext(SafeTensorsWriter& writer) {
  const auto groups = static_cast<int64_t>(kGroups);
  const auto add_u8 = [&](const char* name, int64_t rows, size_t columns, uint8_t value) {
    const auto width = static_cast<int64_t>(columns);
    writer.Add<uint8_t>(name, {rows, width}, Filled<uint8_t>(rows * width, value));
  };
  const auto add_u16 = [&](const char* name, int64_t count, uint16_t value) {
    writer.Add<uint16_t>(name, {count}, Filled<uint16_t>(count, value));
  };
  // Small weights of both signs, each row its own.
  const auto add_means = [&](const char* name, int64_t rows, size_t columns, int range) {
    const auto width = static_cast<int64_t>(columns);
    std::vector<int16_t> w(static_cast<size_t>(rows * width));
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = static_cast<int16_t>(static_cast<int>(i * 101 % (2 * static_cast<size_t>(range) + 1)) -
                                  range);
    }
    writer.Add<int16_t>(name, {rows, width}, w);
  };
  add_u8("context.cell.weight", groups, swift::kCellFeatures, 4);
  add_u16("context.cell.bias", groups, 1);
  add_u8("context.flag.weight", groups, swift::kFlagFeatures, 4);
  add_u16("context.flag.bias", groups, 1);
  add_u8("context.symbol.weight", kSymbolRows, swift::kSymbolFeatures, 4);
  add_u16("context.symbol.bias", kSymbolRows, 4);
  add_means("context.mean.weight", kSymbolRows, swift::kMeanFeatures, 150);
  add_u8("context.coarse_flag.weight", kPlanes, swift::kCoarseFlagFeatures, 4);
  add_u16("context.coarse_flag.bias", kPlanes, 1);
  add_u8("context.coarse.weight", kCoarseRows, swift::kCoarseFeatures, 6);
  add_u16("context.coarse.bias", kCoarseRows, 4);
  add_means("context.coarse_mean.weight", kCoarseRows, swift::kCoarseMeanFeatures, 60);
  std::vector<int16_t> dc;
  for (int p = 0; p < kPlanes; ++p) dc.insert(dc.end(), {192, 192, -128, 0});
  writer.Add<int16_t>("context.coarse_dc.weight", {kPlanes, 4}, dc);
  constexpr auto kContexts = static_cast<int64_t>(ContextParameters::kContexts);
  writer.Add<uint16_t>("context.start", {ContextParameters::kStepRanges, kContexts},
                       Filled<uint16_t>(ContextParameters::kStepRanges * kContexts, 32768));
}

// Three layers with a halo of 1 + 2 blocks; corrections of a few 1/64 of a step.
TestNetwork TinyNetwork() {
  TestNetwork net{.input_channels = swift::kNetworkInputs, .input_signed = true};
  net.layers = {
      {.op = "conv", .name = "stem", .input = "in", .kernel = 3, .out = 8},
      {.op = "conv", .name = "dw", .input = "stem", .kernel = 5, .groups = 8, .out = 8},
      {.op = "conv",
       .name = "last",
       .input = "dw",
       .kernel = 1,
       .out = swift::kNetworkOutputs,
       .is_signed = true},
  };
  net.Randomise(/*seed=*/7);
  for (uint8_t& shift : net.layers.back().shift) shift = static_cast<uint8_t>(shift + 8);
  return net;
}

template <typename T>
T Must(Result<T> result, const char* what) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", what, result.status().message().c_str());
    std::abort();
  }
  return *std::move(result);
}

ImageModel* LoadModel(int variant, const std::string& entropy_size = "") {
  const Bytes bytes = TestStreamModelFile(variant);
  const uint64_t id = ModelIdOf(bytes);
  const SafeTensors file = Must(SafeTensors::Parse(bytes), "test stream model");
  auto* const model = new ImageModel(Must(ImageModel::Load(file, id), "test stream model"));
  const Bytes entropy = TestEntropyFile(id, 1, entropy_size);
  const SafeTensors weights = Must(SafeTensors::Parse(entropy), "test entropy model");
  const Status set = model->SetEntropy(weights, ModelIdOf(entropy));
  if (!set.ok()) {
    std::fprintf(stderr, "test entropy model: %s\n", set.message().c_str());
    std::abort();
  }
  return model;
}

ImageSynthesis* LoadSynthesis(uint64_t stream_id) {
  const SafeTensors file = Must(SafeTensors::Parse(TestSynthesisFile(stream_id)), "test synthesis");
  return new ImageSynthesis(Must(ImageSynthesis::Load(file), "test synthesis"));
}

}  // namespace

Bytes TestStreamModelFile(int variant) {
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "swift");
  writer.SetMetadata("godwit.kind", "stream");
  writer.SetMetadata("godwit.name", "test");
  writer.Add<int32_t>("transform.colour", {9}, Colour(14, false));
  writer.Add<int32_t>("transform.colour_inverse", {9}, Colour(13, true));
  writer.Add<int16_t>("transform.forward", {64}, Dct(8, 15, false));
  writer.Add<int16_t>("transform.inverse", {64}, Dct(8, 14, true));
  writer.Add<int16_t>("transform.coarse_forward", {16}, Dct(4, 14, false));
  writer.Add<int16_t>("transform.coarse_inverse", {16}, Dct(4, 14, true));
  writer.Add<uint8_t>("rounding", {1}, Filled<uint8_t>(1, static_cast<uint8_t>(112 + variant)));
  AddContext(writer);
  return writer.Finish();
}

Bytes TestSynthesisFile(uint64_t stream_id) {
  SafeTensorsWriter writer = TinyNetwork().Writer("synthesis");
  writer.SetMetadata("godwit.codec", "swift");
  writer.SetMetadata("godwit.kind", "synthesis");
  writer.SetMetadata("godwit.synthesis.size", "small");
  writer.SetMetadata("godwit.synthesis.stream", ModelIdHex(stream_id));
  std::vector<uint8_t> compand;
  for (int m = 0; m < 64; ++m)
    compand.push_back(static_cast<uint8_t>(std::lround(127 * std::log2(1 + m) / 6)));
  std::vector<uint8_t> steps, layers;
  for (int i = 0; i <= kMaxStepIndex; ++i) {
    for (int k = 0; k < swift::kStepFeatures; ++k) {
      const int distance = std::abs(i - 64 * k);
      steps.push_back(static_cast<uint8_t>(128 + std::max(0, 127 - 2 * distance)));
    }
  }
  for (int n = 0; n <= kLayers; ++n) {
    for (int k = 1; k <= swift::kLayerFeatures; ++k) layers.push_back(k < n ? 255 : 128);
  }
  writer.Add<uint8_t>("input.compand", {64}, compand);
  writer.Add<uint8_t>("input.step", {kMaxStepIndex + 1, swift::kStepFeatures}, steps);
  writer.Add<uint8_t>("input.layers", {kLayers + 1, swift::kLayerFeatures}, layers);
  writer.Add<uint16_t>("input.step_floor", {kLayers + 1},
                       std::vector<uint16_t>{0, 243, 211, 192, 179, 160, 128, 96, 0});
  return writer.Finish();
}

namespace {

// One network of random weights; its log odds are a few units.
class EntropyWriter {
 public:
  EntropyWriter(SafeTensorsWriter& writer, uint32_t seed) : writer_(writer), state_(seed) {}
  void Network(const std::string& name, int values, bool flag, int common, int even, int odd,
               int hidden) {
    const bool odd_hidden = hidden > 8;  // smaller networks have none
    Weights(name + ".first", common + even, hidden, 900);
    Biases(name + ".first_bias", hidden, 30000);
    if (flag) {
      Weights(name + ".flag", hidden, 1, 1500);
      Biases(name + ".flag_bias", 1, 1 << 18);
    }
    if (values == 0) return;
    Weights(name + ".out", hidden, 4 * values, 1500);
    Biases(name + ".out_bias", 4 * values, 1 << 18);
    Weights(name + ".ahead", values, 4 * values, 900);
    if (odd_hidden) Weights(name + ".odd_first", common + odd, 16, 900);
    Weights(name + ".odd_direct", common + odd, values, 300);
    if (odd_hidden) Weights(name + ".odd_out", 16, values, 900);
    Weights(name + ".odd_ahead", values, values, 900);
    writer_.Add<uint16_t>(name + ".sign_gain", {4}, std::vector<uint16_t>{256, 300, 340, 400});
  }
  template <typename T>
  void Table(const std::string& name, std::initializer_list<int64_t> shape, int least, int most) {
    int64_t count = 1;
    for (const int64_t n : shape) count *= n;
    std::vector<T> data(static_cast<size_t>(count));
    for (T& x : data)
      x = static_cast<T>(least + static_cast<int>(Next() % static_cast<uint32_t>(most - least)));
    writer_.Add<T>(name, shape, data);
  }

 private:
  uint32_t Next() { return (state_ = state_ * 1664525 + 1013904223) >> 8; }
  void Weights(const std::string& name, int64_t rows, int64_t columns, int range) {
    Table<int16_t>(name, {rows, columns}, -range, range);
  }
  void Biases(const std::string& name, int64_t count, int range) {
    Table<int32_t>(name, {count}, -range, range);
  }
  SafeTensorsWriter& writer_;
  uint32_t state_;
};

}  // namespace

Bytes TestEntropyFile(uint64_t stream_id, uint32_t seed, const std::string& size) {
  const bool mid = size == "mid";
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "swift");
  writer.SetMetadata("godwit.kind", "entropy");
  writer.SetMetadata("godwit.name", "test");
  writer.SetMetadata("godwit.entropy.stream", ModelIdHex(stream_id));
  if (!size.empty()) writer.SetMetadata("godwit.entropy.size", size);
  EntropyWriter w(writer, seed);
  std::vector<uint8_t> level;
  for (int m = 0; m < 256; ++m)
    level.push_back(static_cast<uint8_t>(std::min(127L, std::lround(16 * std::log2(1 + m)))));
  writer.Add<uint8_t>("level", {256}, level);
  for (int p = 0; p < kPlanes; ++p) {
    const int wide = p == 0 ? 64 : 32;
    for (int b = 0; b < swift::FullBands(p); ++b) {
      const swift::FullBandShape shape(p, b);
      const std::string place = std::to_string(p) + "." + std::to_string(b);
      w.Network("band." + place, shape.values, true, shape.common, shape.even, shape.odd,
                mid ? 8 : wide);
      w.Network("cell." + place, 0, true, 0, shape.cell_even, 0, mid ? 8 : 16);
    }
    const std::string plane = std::to_string(p);
    w.Network("coarse." + plane, kCoarse - 1, true, 50 + 20 * p, 32, 0, mid ? 8 : 32);
    w.Network("coarse_dc." + plane, 1, false, 8 + p, 2, 0, mid ? 8 : 16);
  }
  using swift::kFullDecisions, swift::kFullGroups;
  constexpr int64_t kFull = kFullGroups, kDecisions = kFullDecisions;
  w.Table<int32_t>("start.weights", {kFull, kDecisions, swift::kFullOpinions}, -8000, 30000);
  w.Table<uint16_t>("start.refined", {kFull, kDecisions, swift::kFullSteps}, 2000, 60000);
  w.Table<uint16_t>("start.place", {kFull, kDecisions, swift::kFullLanes}, 2000, 60000);
  w.Table<uint16_t>("start.exponent", {kFull, swift::kFullScales, swift::kFullExponents}, 2000,
                    60000);
  w.Table<uint16_t>("start.mantissa", {kFull, swift::kFullExponents, swift::kFullMantissas}, 2000,
                    60000);
  return writer.Finish();
}

const ImageModel& TestImageModel() {
  static const ImageModel* const model = LoadModel(0);
  return *model;
}

const ImageModel& TestMidModel() {
  static const ImageModel* const model = LoadModel(0, "mid");
  return *model;
}

const ImageSynthesis& TestImageSynthesis() {
  static const ImageSynthesis* const synthesis = LoadSynthesis(TestImageModel().id());
  return *synthesis;
}

const ImageModel& OtherImageModel() {
  static const ImageModel* const model = LoadModel(1);
  return *model;
}

const ImageSynthesis& OtherImageSynthesis() {
  static const ImageSynthesis* const synthesis = LoadSynthesis(OtherImageModel().id());
  return *synthesis;
}

}  // namespace godwit
