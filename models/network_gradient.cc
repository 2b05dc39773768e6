#include "models/network_gradient.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "models/gradient_sums.h"
#include "models/layer_kernels.h"

namespace godwit {

// Groups work one after the other, and each writes whole lanes: what it writes too much is the next
// one's to overwrite, or lies behind the last channel.
struct NetworkGradient::State {
  struct BackwardLayer {
    std::vector<int16_t> weights;  // of each group as GradientSums has them, taps from the last
    std::vector<float> scale;      // [output]
    float limit = 0;               // of gradients in steps, so that sums stay in s32
  };

  State(const Network::State& network, SimdLevel level)
      : kernels(network, level), sum_row(GradientSumsFor(level)) {}

  struct Value {
    TensorView<uint8_t> bytes;  // of the picture; its border lies around it
    Tensor<uint8_t> memory;
    int64_t stride = 0;  // floats of a gradient's position
    size_t slot = 0;     // of `gradients`
    // Bytes that are not beyond the limits lie between, in the order that this makes of them.
    uint8_t flip = 0;
    bool reached = false;  // by Backward(): the gradient has something
  };

  int64_t Index(int64_t y, int64_t x) const { return y * width + x; }
  float* GradientAt(const Value& v, int64_t y, int64_t x) {
    return gradients[v.slot].data() + Index(y, x) * v.stride;
  }
  Activation ActivationOf(const Value& v) const { return {v.bytes, {0, 0, height, width}}; }
  void Reach(Value& v);
  float MaskGradient(size_t n);
  void FrameGradient(size_t n, float steps);
  void RunBackward(size_t n);
  void LimitInputGradient();

  LayerKernels kernels;
  GradientSumsFunction sum_row;
  std::vector<BackwardLayer> backward;
  std::vector<Value> values;
  std::vector<std::vector<float>> gradients;
  int64_t border = 0;
  int64_t height = 0, width = 0;
  // Of Backward(): gradients in steps, with zeros around, and a row of what comes of them.
  std::vector<int16_t> frame;
  std::vector<int32_t> framed;
};

namespace {

// Floats of a position of each value's gradient: room for the last group's lanes too.
std::vector<int64_t> Strides(const Graph& graph) {
  std::vector<int64_t> strides;
  for (const Value& v : graph.values) strides.push_back(v.channels);
  for (const Layer& l : graph.layers) {
    const int64_t width = l.conv.group_in();
    int64_t& stride = strides[static_cast<size_t>(l.input)];
    stride = std::max(stride, (l.conv.groups - 1) * width + PaddedToLanes(width));
  }
  for (int64_t& stride : strides) stride = PaddedToLanes(stride);
  return strides;
}

// Where the gradient of each value is kept: as few places as going through the layers from the last
// to the first needs.
struct GradientPlan {
  std::vector<size_t> slot;      // of each value
  std::vector<int64_t> strides;  // that each slot must hold
};

GradientPlan PlanGradients(const Graph& graph, const std::vector<int64_t>& strides) {
  constexpr size_t kNone = SIZE_MAX;
  GradientPlan plan{std::vector<size_t>(graph.values.size(), kNone), {}};
  std::vector<bool> taken;
  const auto take = [&](int value) {
    size_t& s = plan.slot[static_cast<size_t>(value)];
    if (s != kNone) return;
    s = static_cast<size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
    if (s == taken.size()) {
      taken.push_back(true);
      plan.strides.push_back(0);
    }
    taken[s] = true;
    plan.strides[s] = std::max(plan.strides[s], strides[static_cast<size_t>(value)]);
  };
  take(static_cast<int>(graph.layers.size()));
  for (size_t n = graph.layers.size(); n-- > 0;) {
    take(graph.layers[n].input);
    if (graph.layers[n].other >= 0) take(graph.layers[n].other);
    taken[plan.slot[n + 1]] = false;
  }
  return plan;
}

int64_t BorderOf(const Graph& graph) {
  int64_t border = 0;
  for (const Layer& l : graph.layers) border = std::max<int64_t>(border, l.conv.kernel / 2);
  return border;
}

int64_t PairsOf(const ConvSpec& conv) { return (conv.group_out() + 1) / 2; }
int64_t GroupWeights(const ConvSpec& conv) {
  return conv.taps() * PairsOf(conv) * 2 * PaddedToLanes(conv.group_in());
}

// Bytes of a value with its border; kernels read 64 past the last position.
int64_t BytesOf(const Value& v, int64_t border, int64_t height, int64_t width) {
  return (height + 2 * border) * (width + 2 * border) * v.col_stride() + 64;
}

// Sums of gradients in steps stay in s32.
float LimitOf(const ConvSpec& conv, const std::vector<int8_t>& weight) {
  std::vector<int64_t> sums(static_cast<size_t>(conv.in_channels));
  const int64_t ins = conv.group_in();
  for (int64_t at = 0; at < conv.weight_count(); ++at) {
    const int64_t group = at / ins / conv.taps() / conv.group_out();
    sums[static_cast<size_t>(group * ins + at % ins)] += std::abs(weight[static_cast<size_t>(at)]);
  }
  const int64_t most = std::max<int64_t>(*std::max_element(sums.begin(), sums.end()), 1);
  return static_cast<float>(std::min<int64_t>(INT32_MAX / most, INT16_MAX) - 1);
}

std::vector<int16_t> PackWeights(const ConvSpec& conv, const std::vector<int8_t>& weight) {
  const auto taps = static_cast<size_t>(conv.taps()), ins = static_cast<size_t>(conv.group_in()),
             outs = static_cast<size_t>(conv.group_out()),
             pairs = static_cast<size_t>(PairsOf(conv)),
             group_weights = static_cast<size_t>(GroupWeights(conv));
  std::vector<int16_t> packed(static_cast<size_t>(conv.groups) * group_weights);
  for (size_t c = 0; c < static_cast<size_t>(conv.out_channels); ++c) {
    const size_t group = c / outs, o = c % outs;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t i = 0; i < ins; ++i) {
        const size_t at =
            ((i / kSumLanes * taps + taps - 1 - tap) * pairs + o / 2) * kSumLanes + i % kSumLanes;
        packed[group * group_weights + at * 2 + o % 2] = weight[(c * taps + tap) * ins + i];
      }
    }
  }
  return packed;
}

// Nearest integer of what is below 2^22 in magnitude.
float Round(float x) { return (x + 12582912.0f) - 12582912.0f; }

// A hostile network's gradient may grow by 2^53 a layer: 2^30 of scale, 2^23 of weights. Where it
// is read it is at most this, so that what 64 layers make of it at 49 positions adds up to less
// than 1e38.
constexpr float kMostGradient = 1e18f;
// A layer whose gradient is smaller passes none on: steps by its inverse are finite.
constexpr float kLeastGradient = 1e-30f;

float Limited(float g) {
  g = g == g ? g : 0.0f;  // not of NaN
  g = g < kMostGradient ? g : kMostGradient;
  return g > -kMostGradient ? g : -kMostGradient;
}

}  // namespace

bool NetworkGradient::Supports(const Network& network) {
  const std::vector<Layer>& layers = network.state_->graph.layers;
  return std::all_of(layers.begin(), layers.end(),
                     [](const Layer& l) { return l.op == LayerOp::kConv && l.other != 0; });
}

uint64_t NetworkGradient::BytesFor(const Network& network, int64_t max_height, int64_t max_width) {
  const Graph& graph = network.state_->graph;
  const int64_t border = BorderOf(graph);
  const std::vector<int64_t> strides = Strides(graph);
  const int64_t most = *std::max_element(strides.begin(), strides.end());
  int64_t floats = 0, weights = 0, bytes = 0;
  for (const int64_t s : PlanGradients(graph, strides).strides)
    floats += max_height * max_width * s;
  for (const Layer& l : graph.layers) {
    weights += l.conv.groups * GroupWeights(l.conv);
    floats += l.conv.out_channels;
  }
  for (const Value& v : graph.values) bytes += BytesOf(v, border, max_height, max_width) + 63;
  const int64_t framed = (max_height + 4 * border) * (max_width + 4 * border) * most + 1;
  const int64_t row = (max_width + 2 * border) * most;
  return static_cast<uint64_t>(floats) * sizeof(float) +
         static_cast<uint64_t>(framed + weights) * sizeof(int16_t) +
         static_cast<uint64_t>(row) * sizeof(int32_t) + static_cast<uint64_t>(bytes);
}

NetworkGradient::NetworkGradient(const Network& network, SimdLevel level, int64_t max_height,
                                 int64_t max_width)
    : state_(std::make_unique<State>(*network.state_, level)) {
  State& s = *state_;
  const Graph& graph = network.state_->graph;
  const std::vector<int64_t> strides = Strides(graph);
  const int64_t most = *std::max_element(strides.begin(), strides.end());
  s.border = BorderOf(graph);
  for (size_t n = 0; n < graph.layers.size(); ++n) {
    const LayerTensors& t = network.state_->tensors[n];
    const ConvSpec& conv = graph.layers[n].conv;
    State::BackwardLayer layer{PackWeights(conv, t.weight), {}, LimitOf(conv, t.weight)};
    layer.scale.reserve(t.mult.size());
    for (size_t o = 0; o < t.mult.size(); ++o) {
      layer.scale.push_back(
          static_cast<float>(std::ldexp(static_cast<double>(t.mult[o]), -int{t.shift[o]})));
    }
    s.backward.push_back(std::move(layer));
  }
  const GradientPlan plan = PlanGradients(graph, strides);
  for (const int64_t stride : plan.strides)
    s.gradients.emplace_back(static_cast<size_t>(max_height * max_width * stride));
  for (size_t n = 0; n < graph.values.size(); ++n) {
    State::Value value;
    value.memory = Tensor<uint8_t>(1, BytesOf(graph.values[n], s.border, max_height, max_width));
    value.stride = strides[n];
    value.slot = plan.slot[n];
    value.flip = n == graph.layers.size() && graph.values[n].zero_point != 0 ? 0x80 : 0;
    s.values.push_back(std::move(value));
  }
  s.frame.resize(
      static_cast<size_t>((max_height + 4 * s.border) * (max_width + 4 * s.border) * most + 1));
  s.framed.resize(static_cast<size_t>((max_width + 2 * s.border) * most));
}

NetworkGradient::NetworkGradient(NetworkGradient&&) noexcept = default;
NetworkGradient& NetworkGradient::operator=(NetworkGradient&&) noexcept = default;
NetworkGradient::~NetworkGradient() = default;

void NetworkGradient::SetSize(int64_t height, int64_t width) {
  State& s = *state_;
  s.height = height;
  s.width = width;
  for (size_t n = 0; n < s.values.size(); ++n) {
    const Value& value = s.kernels.graph().values[n];
    const int64_t position = value.col_stride(), row = (width + 2 * s.border) * position;
    s.values[n].bytes = {s.values[n].memory.data() + s.border * (row + position),
                         height,
                         width,
                         value.channels,
                         row,
                         position};
  }
}
TensorView<uint8_t> NetworkGradient::InputRow(int64_t y) {
  return state_->values.front().bytes.Window(y, 0, 1, state_->width);
}
const uint8_t* NetworkGradient::Output(int64_t y, int64_t x) const {
  return state_->values.back().bytes.At(y, x);
}
float* NetworkGradient::OutputGradient(int64_t y, int64_t x) {
  return state_->GradientAt(state_->values.back(), y, x);
}
const float* NetworkGradient::InputGradient(int64_t y, int64_t x) const {
  return state_->GradientAt(state_->values.front(), y, x);
}

void NetworkGradient::Forward() {
  State& s = *state_;
  const int64_t b = s.border;
  ReplicateBorder(s.values.front().bytes, b, b, b, b);
  for (size_t n = 0; n < s.kernels.graph().layers.size(); ++n) {
    const Layer& layer = s.kernels.graph().layers[n];
    const Activation other =
        s.ActivationOf(s.values[static_cast<size_t>(std::max(layer.other, 0))]);
    s.kernels.Run(n, s.ActivationOf(s.values[static_cast<size_t>(layer.input)]),
                  layer.other >= 0 ? &other : nullptr, s.ActivationOf(s.values[n + 1]));
    ReplicateBorder(s.values[n + 1].bytes, b, b, b, b);
  }
}

// Before a gradient is first added to.
void NetworkGradient::State::Reach(Value& v) {
  if (!v.reached) std::fill_n(gradients[v.slot].begin(), height * width * v.stride, 0.0f);
  v.reached = true;
}

// Makes it the gradient by what the layer summed: what was limited has none. Adds it to that of the
// residual. Returns the largest magnitude, by unscaled sums.
float NetworkGradient::State::MaskGradient(size_t n) {
  const Layer& layer = kernels.graph().layers[n];
  const Value& out = values[n + 1];
  const float* const scale = backward[n].scale.data();
  const int64_t channels = out.bytes.channels;
  float most = 0;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const uint8_t* const value = out.bytes.At(y, x);
      float* const gradient = GradientAt(out, y, x);
      for (int64_t i = 0; i < channels; ++i) {
        const int held = value[i] ^ out.flip;
        const float g = held > 0 && held < 255 ? Limited(gradient[i]) : 0.0f;
        const float magnitude = std::abs(g) * scale[i];
        most = magnitude > most ? magnitude : most;
        gradient[i] = g;
      }
      if (layer.other < 0) continue;
      float* const other = GradientAt(values[static_cast<size_t>(layer.other)], y, x);
      for (int64_t i = 0; i < channels; ++i) other[i] += gradient[i];
    }
  }
  return most;
}

void NetworkGradient::State::FrameGradient(size_t n, float steps) {
  const Value& out = values[n + 1];
  const int64_t around = 2 * (kernels.graph().layers[n].conv.kernel / 2);
  const int64_t frame_w = width + 2 * around, channels = out.bytes.channels;
  const float* const scale = backward[n].scale.data();
  const float limit = backward[n].limit;
  std::fill_n(frame.begin(), (height + 2 * around) * frame_w * out.stride, int16_t{0});
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const float* const gradient = GradientAt(out, y, x);
      int16_t* const to = frame.data() + ((y + around) * frame_w + x + around) * out.stride;
      for (int64_t i = 0; i < channels; ++i) {
        float v = gradient[i] * scale[i] * steps;
        v = v > -limit ? v : -limit;
        v = v < limit ? v : limit;
        to[i] = static_cast<int16_t>(static_cast<int32_t>(Round(v)));
      }
    }
  }
}

// Adds to the gradients of the layer's input and residual.
void NetworkGradient::State::RunBackward(size_t n) {
  const Layer& layer = kernels.graph().layers[n];
  Value& in = values[static_cast<size_t>(layer.input)];
  const Value& out = values[n + 1];
  Reach(in);
  if (layer.other >= 0) Reach(values[static_cast<size_t>(layer.other)]);
  const float most = MaskGradient(n);
  if (most < kLeastGradient) return;
  const float steps = backward[n].limit / most, step = most / backward[n].limit;
  FrameGradient(n, steps);
  const int64_t reach = layer.conv.kernel / 2;
  const int64_t group_in = layer.conv.group_in(), group_out = layer.conv.group_out();
  const int64_t frame_row = (width + 4 * reach) * out.stride, full_w = width + 2 * reach;
  // Of the input with its border, which goes to the nearest inside.
  for (int64_t y = -reach; y < height + reach; ++y) {
    for (int64_t g = 0; g < layer.conv.groups; ++g) {
      sum_row({.in = frame.data() + (y + reach) * frame_row + g * group_out,
               .in_row = frame_row,
               .in_position = out.stride,
               .out = framed.data() + g * group_in,
               .out_position = in.stride,
               .width = full_w,
               .pairs = PairsOf(layer.conv),
               .outputs = PaddedToLanes(group_in),
               .kernel = layer.conv.kernel,
               .weights = backward[n].weights.data() + g * GroupWeights(layer.conv)});
    }
    const int64_t inside_y = std::clamp<int64_t>(y, 0, height - 1);
    for (int64_t x = -reach; x < width + reach; ++x) {
      float* const to = GradientAt(in, inside_y, std::clamp<int64_t>(x, 0, width - 1));
      const int32_t* const from = framed.data() + (x + reach) * in.stride;
      for (int64_t i = 0; i < in.bytes.channels; ++i) to[i] += static_cast<float>(from[i]) * step;
    }
  }
}

void NetworkGradient::State::LimitInputGradient() {
  const Value& in = values.front();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      float* const gradient = GradientAt(in, y, x);
      for (int64_t i = 0; i < in.bytes.channels; ++i) gradient[i] = Limited(gradient[i]);
    }
  }
}

void NetworkGradient::Backward() {
  State& s = *state_;
  for (State::Value& v : s.values) v.reached = false;
  for (size_t n = s.kernels.graph().layers.size(); n-- > 0;) s.RunBackward(n);
  s.LimitInputGradient();
}

}  // namespace godwit
