// models/graph.h: a network's layers and what follows from them; private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tensor/conv_kernels.h"

namespace godwit {

inline constexpr int kMaxLayers = 64;
inline constexpr int kMaxChannels = 1024;
inline constexpr int kMaxScale = 64;  // output pixels a side per input position

enum class LayerOp : uint8_t { kConv, kLut, kDepthToSpace, kAdd, kShuffle };

// Values are numbered: 0 is the network's input, i + 1 the output of layer i.
struct Layer {
  LayerOp op = LayerOp::kConv;
  std::string name;
  int input = 0;
  int other = -1;  // conv: the residual, or -1; add: the second operand
  ConvSpec conv;
  int block = 1;   // depth_to_space
  int groups = 1;  // shuffle
};

struct Value {
  int channels = 0;
  int zero_point = 0;  // 0: u8; 128: s8, held as value + 128
  int scale = 1;       // pixels a side per input position
  bool used = false;   // by a later layer, or as the output
  int border = 0;      // replicated positions beyond the picture that some reader needs
  int halo = 0;        // positions beyond the output window that some reader needs, border included
  int64_t col_stride() const {
    return (channels + kChannelAlign - 1) / kChannelAlign * kChannelAlign;
  }
};

struct Graph {
  std::vector<Layer> layers;
  std::vector<Value> values;  // layers.size() + 1
  const Value& input() const { return values.front(); }
  const Value& output() const { return values.back(); }
};

// From the JSON text of docs/format/network.md. Every failure is kModelRefused.
Result<Graph> ParseGraph(std::string_view text);

}  // namespace godwit
