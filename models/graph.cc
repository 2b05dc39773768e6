#include "models/graph.h"

#include <algorithm>

#include "models/strict_json.h"

namespace godwit {
namespace {

using nlohmann::json;

constexpr int kMaxGraphDepth = 3;  // graph, layers, layer
constexpr size_t kMaxGraphText = 1 << 18;

Result<std::string> ParseName(const json& object) {
  GODWIT_ASSIGN_OR_RETURN(std::string name, JsonString(object, "name"));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (name.empty() || name.size() > 32 || !plain || name == "in") {
    return Refuse("name \"" + name + "\" is not 1 to 32 of a-z, 0-9 and _, or is \"in\"");
  }
  return name;
}

// The value that `key` names: "in" or an earlier layer.
Result<int> Resolve(const Graph& graph, const json& object, const char* key) {
  GODWIT_ASSIGN_OR_RETURN(const std::string name, JsonString(object, key));
  if (name == "in") return 0;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    if (graph.layers[i].name == name) return static_cast<int>(i) + 1;
  }
  return Refuse(std::string("\"") + key + "\": no earlier layer is named " + name);
}

Result<int> ParseZeroPoint(const json& object, const char* key) {
  GODWIT_ASSIGN_OR_RETURN(const int64_t value, JsonInt(object, key, 0, 128));
  if (value != 0 && value != 128) return Refuse(std::string("\"") + key + "\" is not 0 or 128");
  return static_cast<int>(value);
}

// "output": "u8" or "s8", as a zero point.
Result<int> ParseOutput(const json& object) {
  GODWIT_ASSIGN_OR_RETURN(const std::string kind, JsonString(object, "output"));
  if (kind == "u8") return 0;
  if (kind == "s8") return 128;
  return Refuse("\"output\" is neither u8 nor s8");
}

Status SameShape(const Value& a, const Value& b) {
  if (a.channels == b.channels && a.scale == b.scale) return {};
  return Refuse("operands differ in channels or scale");
}

// Each parser below fills the layer and the value it makes from the value it reads.
Status ParseConv(const Graph& graph, const json& object, Layer* layer, Value* out) {
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"op", "name", "input", "kernel", "groups", "out",
                                            "residual", "output", "input_zero_point"}));
  const Value& in = graph.values[layer->input];
  GODWIT_ASSIGN_OR_RETURN(const int64_t kernel, JsonInt(object, "kernel", 1, kMaxConvKernel));
  GODWIT_ASSIGN_OR_RETURN(const int64_t groups, JsonInt(object, "groups", 1, kMaxChannels));
  GODWIT_ASSIGN_OR_RETURN(const int64_t channels, JsonInt(object, "out", 1, kMaxChannels));
  if (kernel % 2 == 0) return Refuse("\"kernel\" is even");
  if (in.channels % groups != 0 || channels % groups != 0) {
    return Refuse("\"groups\" does not divide " + std::to_string(in.channels) + " and " +
                  std::to_string(channels));
  }
  GODWIT_ASSIGN_OR_RETURN(const int zero_point, ParseZeroPoint(object, "input_zero_point"));
  if (zero_point != in.zero_point) {
    return Refuse("\"input_zero_point\" is not its input's " + std::to_string(in.zero_point));
  }
  layer->op = LayerOp::kConv;
  layer->conv = {.in_channels = in.channels,
                 .out_channels = static_cast<int>(channels),
                 .kernel = static_cast<int>(kernel),
                 .groups = static_cast<int>(groups)};
  out->channels = layer->conv.out_channels;
  GODWIT_ASSIGN_OR_RETURN(out->zero_point, ParseOutput(object));
  const auto residual = object.find("residual");
  if (residual == object.end() || residual->is_null()) return {};
  GODWIT_ASSIGN_OR_RETURN(layer->other, Resolve(graph, object, "residual"));
  return SameShape(graph.values[layer->other], *out);
}

Status ParseLut(const Graph& graph, const json& object, Layer* layer, Value* out) {
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"op", "name", "input", "output"}));
  layer->op = LayerOp::kLut;
  out->channels = graph.values[layer->input].channels;
  GODWIT_ASSIGN_OR_RETURN(out->zero_point, ParseOutput(object));
  return {};
}

Status ParseDepthToSpace(const Graph& graph, const json& object, Layer* layer, Value* out) {
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"op", "name", "input", "block"}));
  const Value& in = graph.values[layer->input];
  GODWIT_ASSIGN_OR_RETURN(const int64_t block, JsonInt(object, "block", 2, 16));
  if (in.channels % (block * block) != 0) return Refuse("\"block\" squared divides no channels");
  if (in.scale * block > kMaxScale) return Refuse("scale passes " + std::to_string(kMaxScale));
  layer->op = LayerOp::kDepthToSpace;
  layer->block = static_cast<int>(block);
  out->channels = in.channels / (layer->block * layer->block);
  out->scale = in.scale * layer->block;
  out->zero_point = in.zero_point;
  return {};
}

Status ParseAdd(const Graph& graph, const json& object, Layer* layer, Value* out) {
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"op", "name", "input", "other"}));
  const Value& in = graph.values[layer->input];
  layer->op = LayerOp::kAdd;
  GODWIT_ASSIGN_OR_RETURN(layer->other, Resolve(graph, object, "other"));
  const Value& other = graph.values[layer->other];
  if (in.zero_point != 0 || other.zero_point != 0) return Refuse("an operand is s8");
  out->channels = in.channels;
  return SameShape(in, other);
}

Status ParseShuffle(const Graph& graph, const json& object, Layer* layer, Value* out) {
  GODWIT_RETURN_IF_ERROR(CheckKeys(object, {"op", "name", "input", "groups"}));
  const Value& in = graph.values[layer->input];
  GODWIT_ASSIGN_OR_RETURN(const int64_t groups, JsonInt(object, "groups", 2, kMaxChannels));
  if (in.channels % groups != 0) return Refuse("\"groups\" divides no channels");
  layer->op = LayerOp::kShuffle;
  layer->groups = static_cast<int>(groups);
  out->channels = in.channels;
  out->zero_point = in.zero_point;
  return {};
}

Status ParseLayer(const json& object, Graph* graph) {
  if (!object.is_object()) return Refuse("not an object");
  Layer layer;
  GODWIT_ASSIGN_OR_RETURN(layer.name, ParseName(object));
  for (const Layer& earlier : graph->layers) {
    if (earlier.name == layer.name) return Refuse("name " + layer.name + " twice");
  }
  GODWIT_ASSIGN_OR_RETURN(const std::string op, JsonString(object, "op"));
  GODWIT_ASSIGN_OR_RETURN(layer.input, Resolve(*graph, object, "input"));
  using Parser = Status (*)(const Graph&, const json&, Layer*, Value*);
  constexpr std::pair<std::string_view, Parser> kParsers[] = {{"conv", ParseConv},
                                                              {"lut", ParseLut},
                                                              {"depth_to_space", ParseDepthToSpace},
                                                              {"add", ParseAdd},
                                                              {"shuffle", ParseShuffle}};
  for (const auto& [name, parse] : kParsers) {
    if (op != name) continue;
    Value out{.scale = graph->values[layer.input].scale};
    GODWIT_RETURN_IF_ERROR(parse(*graph, object, &layer, &out));
    graph->layers.push_back(std::move(layer));
    graph->values.push_back(out);
    return {};
  }
  return Refuse("unknown op " + op);
}

// Context follows from the last layer backwards.
Status Analyse(Graph* graph) {
  const int count = static_cast<int>(graph->layers.size());
  graph->values.back().used = true;
  for (int i = count - 1; i >= 0; --i) {
    const Layer& layer = graph->layers[i];
    Value& out = graph->values[i + 1];
    if (!out.used) return Refuse("layer " + layer.name + " is never used");
    int border = 0, halo = out.halo;
    if (layer.op == LayerOp::kConv) halo += border = layer.conv.kernel / 2;
    if (layer.op == LayerOp::kDepthToSpace) {
      halo = (halo + layer.block - 1) / layer.block;
      out.halo = halo * layer.block;  // whole blocks are made
    }
    const auto use = [&](int index, int value_border, int value_halo) {
      Value& value = graph->values[index];
      value.used = true;
      value.border = std::max(value.border, value_border);
      value.halo = std::max(value.halo, value_halo);
    };
    use(layer.input, border, halo);
    if (layer.other >= 0) use(layer.other, 0, out.halo);
  }
  return {};
}

Status ParseLayers(const json& root, Graph* graph) {
  const auto layers = root.find("layers");
  if (layers == root.end() || !layers->is_array() || layers->empty() ||
      layers->size() > kMaxLayers) {
    return Refuse("\"layers\" is not an array of 1 to 64");
  }
  for (size_t i = 0; i < layers->size(); ++i) {
    GODWIT_RETURN_IF_ERROR(
        ParseLayer((*layers)[i], graph).WithPrefix("layer " + std::to_string(i) + ": "));
  }
  return Analyse(graph);
}

}  // namespace

Result<Graph> ParseGraph(std::string_view text) {
  if (text.size() > kMaxGraphText) return Refuse("graph text passes 256 KiB");
  GODWIT_ASSIGN_OR_RETURN(const json root, ParseStrictJson(text, kMaxGraphDepth));
  GODWIT_RETURN_IF_ERROR(CheckKeys(root, {"input_channels", "input_zero_point", "layers"}));
  Graph graph;
  Value in;
  GODWIT_ASSIGN_OR_RETURN(const int64_t channels, JsonInt(root, "input_channels", 1, kMaxChannels));
  in.channels = static_cast<int>(channels);
  GODWIT_ASSIGN_OR_RETURN(in.zero_point, ParseZeroPoint(root, "input_zero_point"));
  graph.values.push_back(in);
  GODWIT_RETURN_IF_ERROR(ParseLayers(root, &graph));
  return graph;
}

}  // namespace godwit
