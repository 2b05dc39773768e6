// tests/models/test_network.h: networks made of random numbers, and a second opinion on what they
// compute: plain loops over whole pictures, written from docs/format/network.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "models/network.h"
#include "models/safetensors_writer.h"

namespace godwit {

struct TestLayer {
  std::string op, name, input;
  std::string other = "";  // conv: residual; add: second operand
  int kernel = 1, groups = 1, out = 0, block = 2;
  bool is_signed = false;
  std::vector<int8_t> weight = {};
  std::vector<int32_t> bias = {}, mult = {};
  std::vector<uint8_t> shift = {}, lut = {};
};

// Whole picture, values as the law means them: [0, 255] or [-128, 127].
struct TestPicture {
  int64_t height = 0, width = 0, channels = 0;
  bool is_signed = false;
  std::vector<int> values = {};
  int& At(int64_t y, int64_t x, int64_t c) { return values[(y * width + x) * channels + c]; }
};

struct TestNetwork {
  int input_channels = 0;
  bool input_signed = false;
  std::vector<TestLayer> layers = {};

  // Fills weights and tables whose results use the whole output range.
  void Randomise(unsigned seed) {
    std::mt19937 random(seed);
    std::map<std::string, int> channels{{"in", input_channels}};
    for (TestLayer& layer : layers) {
      const int in = channels[layer.input];
      int out = in;
      if (layer.op == "conv") {
        out = layer.out;
        const int fan = layer.kernel * layer.kernel * in / layer.groups;
        for (int i = 0; i < out * fan; ++i) {
          layer.weight.push_back(static_cast<int8_t>(static_cast<int>(random() % 128) - 64));
        }
        int gain = 0;  // about 60 / sqrt(fan) output steps per weight step times sample
        while ((1 << (2 * gain)) < fan) ++gain;
        for (int o = 0; o < out; ++o) {
          layer.bias.push_back(static_cast<int32_t>(random() % 8001) - 2000);
          layer.mult.push_back(static_cast<int32_t>((1u << 30) + random() % (1u << 30)));
          layer.shift.push_back(static_cast<uint8_t>(35 + gain));
        }
      } else if (layer.op == "lut") {
        for (int i = 0; i < 256; ++i) layer.lut.push_back(static_cast<uint8_t>(random()));
      } else if (layer.op == "depth_to_space") {
        out = in / (layer.block * layer.block);
      }
      channels[layer.name] = out;
    }
  }

  std::string GraphText() const {
    std::map<std::string, bool> is_signed{{"in", input_signed}};
    std::string text = "{\"input_channels\":" + std::to_string(input_channels) +
                       ",\"input_zero_point\":" + (input_signed ? "128" : "0") + ",\"layers\":[";
    for (const TestLayer& l : layers) {
      const auto quoted = [](const std::string& s) { return std::string("\"").append(s) + "\""; };
      if (&l != &layers.front()) text += ",";
      text += "{\"op\":" + quoted(l.op) + ",\"name\":" + quoted(l.name) +
              ",\"input\":" + quoted(l.input);
      const std::string output = std::string(",\"output\":") + (l.is_signed ? "\"s8\"" : "\"u8\"");
      is_signed[l.name] = l.is_signed;
      if (l.op == "conv") {
        text += ",\"kernel\":" + std::to_string(l.kernel);
        text += ",\"groups\":" + std::to_string(l.groups);
        text += ",\"out\":" + std::to_string(l.out);
        text += ",\"residual\":" + (l.other.empty() ? "null" : quoted(l.other)) + output;
        text += std::string(",\"input_zero_point\":") + (is_signed[l.input] ? "128" : "0");
      } else if (l.op == "lut") {
        text += output;
      } else if (l.op == "shuffle") {
        text += ",\"groups\":" + std::to_string(l.groups);
        is_signed[l.name] = is_signed[l.input];
      } else if (l.op == "depth_to_space") {
        text += ",\"block\":" + std::to_string(l.block);
        is_signed[l.name] = is_signed[l.input];
      } else {
        text += ",\"other\":" + quoted(l.other);
      }
      text += "}";
    }
    return text + "]}";
  }

  SafeTensorsWriter Writer(const std::string& name) const {
    SafeTensorsWriter writer;
    AddTo(writer, name);
    return writer;
  }
  void AddTo(SafeTensorsWriter& writer, const std::string& name) const {
    writer.SetMetadata("network." + name, GraphText());
    for (const TestLayer& l : layers) {
      const std::string place = name + "." + l.name;
      if (l.op == "conv") {
        const int64_t out = l.out, k = l.kernel;
        const int64_t in = static_cast<int64_t>(l.weight.size()) / (out * k * k);
        writer.Add<int8_t>(place + ".weight", {out, k, k, in}, l.weight);
        writer.Add<int32_t>(place + ".bias", {out}, l.bias);
        writer.Add<int32_t>(place + ".mult", {out}, l.mult);
        writer.Add<uint8_t>(place + ".shift", {out}, l.shift);
      } else if (l.op == "lut") {
        writer.Add<uint8_t>(place + ".lut", {256}, l.lut);
      }
    }
  }

  Result<Network> Load() const {
    GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, SafeTensors::Parse(Writer("net").Finish()));
    return Network::Load(file, "net");
  }

  TestPicture Reference(const TestPicture& input) const {
    std::map<std::string, TestPicture> made{{"in", input}};
    for (const TestLayer& layer : layers) {
      TestPicture in = made[layer.input];
      TestPicture other = layer.other.empty() ? TestPicture() : made[layer.other];
      TestPicture& out = made[layer.name];
      out = {in.height, in.width, in.channels, layer.is_signed};
      if (layer.op == "depth_to_space") {
        const int r = layer.block;
        out = {in.height * r, in.width * r, in.channels / (r * r), in.is_signed};
      }
      if (layer.op == "conv") out.channels = layer.out;
      if (layer.op == "shuffle") out.is_signed = in.is_signed;
      out.values.resize(out.height * out.width * out.channels);
      for (int64_t y = 0; y < out.height; ++y) {
        for (int64_t x = 0; x < out.width; ++x) {
          for (int64_t c = 0; c < out.channels; ++c) {
            int& value = out.At(y, x, c);
            if (layer.op == "conv") {
              value = ConvSample(layer, in, layer.other.empty() ? nullptr : &other, y, x, c);
            } else if (layer.op == "lut") {
              const int entry = layer.lut[in.At(y, x, c) + (in.is_signed ? 128 : 0)];
              value = entry - (layer.is_signed ? 128 : 0);
            } else if (layer.op == "shuffle") {
              value =
                  in.At(y, x, c % layer.groups * (in.channels / layer.groups) + c / layer.groups);
            } else if (layer.op == "depth_to_space") {
              const int r = layer.block;
              value = in.At(y / r, x / r, (y % r * r + x % r) * out.channels + c);
            } else {
              value = std::min(in.At(y, x, c) + other.At(y, x, c), 255);
            }
          }
        }
      }
    }
    return made[layers.back().name];
  }

 private:
  static int ConvSample(const TestLayer& layer, TestPicture& in, TestPicture* residual, int64_t y,
                        int64_t x, int64_t o) {
    const int k = layer.kernel, group_in = static_cast<int>(in.channels) / layer.groups;
    const int64_t group = o / (layer.out / layer.groups);
    int64_t acc = layer.bias[o];
    for (int ky = 0; ky < k; ++ky) {
      for (int kx = 0; kx < k; ++kx) {
        for (int i = 0; i < group_in; ++i) {
          const int64_t yy = std::clamp<int64_t>(y + ky - k / 2, 0, in.height - 1);
          const int64_t xx = std::clamp<int64_t>(x + kx - k / 2, 0, in.width - 1);
          acc += in.At(yy, xx, group * group_in + i) *
                 layer.weight[((o * k + ky) * k + kx) * group_in + i];
        }
      }
    }
    // floor(acc * mult / 2^shift + 1/2)
    const int64_t unit = int64_t{1} << layer.shift[o];
    const int64_t numerator = acc * layer.mult[o] + unit / 2;
    int64_t r = numerator / unit - (numerator % unit < 0 ? 1 : 0);
    if (residual != nullptr) r += residual->At(y, x, o);
    return static_cast<int>(layer.is_signed ? std::clamp<int64_t>(r, -128, 127)
                                            : std::clamp<int64_t>(r, 0, 255));
  }
};

inline TestPicture RandomPicture(const TestNetwork& network, int64_t height, int64_t width,
                                 unsigned seed) {
  std::mt19937 random(seed);
  TestPicture picture{height, width, network.input_channels, network.input_signed};
  for (int64_t i = 0; i < height * width * picture.channels; ++i) {
    picture.values.push_back(static_cast<int>(random() % 256) - (picture.is_signed ? 128 : 0));
  }
  return picture;
}

// Layer names "l0", "l1"... (gcc 12 warns without cause of "l" + std::to_string(i))
inline std::string NumberedName(int i) { return std::string("l").append(std::to_string(i)); }

// As Run() takes them: signed inputs are bytes of value + 128.
inline Tensor<uint8_t> InputBytes(const TestPicture& picture) {
  Tensor<uint8_t> bytes(picture.height, picture.width, picture.channels);
  for (int64_t i = 0; i < bytes.size(); ++i) {
    bytes.data()[i] = static_cast<uint8_t>(picture.values[i] + (picture.is_signed ? 128 : 0));
  }
  return bytes;
}

// Every op, residuals over several layers, s8 and u8, layers after an upsampling.
inline TestNetwork MixedNetwork(unsigned seed) {
  TestNetwork net{.input_channels = 10, .input_signed = true};
  net.layers = {
      {.op = "conv", .name = "stem", .input = "in", .kernel = 3, .out = 24},
      {.op = "conv", .name = "dw", .input = "stem", .kernel = 5, .groups = 24, .out = 24},
      {.op = "conv", .name = "pw", .input = "dw", .other = "stem", .kernel = 1, .out = 24},
      {.op = "lut", .name = "curve", .input = "pw"},
      {.op = "conv",
       .name = "grouped",
       .input = "curve",
       .kernel = 3,
       .groups = 3,
       .out = 24,
       .is_signed = true},
      {.op = "shuffle", .name = "mixed", .input = "grouped", .groups = 3},
      {.op = "conv", .name = "wide", .input = "mixed", .other = "grouped", .kernel = 1, .out = 24},
      {.op = "add", .name = "sum", .input = "wide", .other = "pw"},
      {.op = "conv", .name = "up", .input = "sum", .kernel = 1, .out = 72},
      {.op = "depth_to_space", .name = "fine", .input = "up", .block = 3},
      {.op = "conv", .name = "smooth", .input = "fine", .other = "fine", .kernel = 3, .out = 8},
      {.op = "conv", .name = "last", .input = "smooth", .kernel = 7, .out = 12, .is_signed = true},
      {.op = "depth_to_space", .name = "out", .input = "last", .block = 2},
  };
  net.Randomise(seed);
  return net;
}

// Grouped 1x1, shuffle, grouped 1x1: 12 channels, all weights far from 0.
inline TestNetwork MonarchNetwork(unsigned seed) {
  TestNetwork net{.input_channels = 12};
  net.layers = {{.op = "conv", .name = "first", .input = "in", .groups = 3, .out = 12},
                {.op = "shuffle", .name = "mixed", .input = "first", .groups = 3},
                {.op = "conv",
                 .name = "second",
                 .input = "mixed",
                 .groups = 4,
                 .out = 12,
                 .is_signed = true}};
  net.Randomise(seed);
  for (TestLayer& layer : net.layers) {
    for (int8_t& w : layer.weight) w = static_cast<int8_t>(w < 0 ? w / 4 + 40 : w / 4 + 30);
    std::fill(layer.bias.begin(), layer.bias.end(), 0);
  }
  return net;
}

}  // namespace godwit
