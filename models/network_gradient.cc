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
  void FrameGradient(const Layer& layer, Value& out);
  void RunBackward(size_t n);

  LayerKernels kernels;
  GradientSumsFunction sum_row;
  // Of each layer, [group][input / lanes][tap, from the last][output][lane].
  std::vector<std::vector<float>> weights;
  std::vector<Value> values;
  std::vector<std::vector<float>> gradients;
  int64_t border = 0;
  int64_t height = 0, width = 0;
  // Of Backward(): gradients with zeros around, and a row of what comes of them.
  std::vector<float> frame, framed;
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

int64_t WeightsOf(const ConvSpec& conv) {
  return conv.out_channels * conv.taps() * PaddedToLanes(conv.group_in());
}

// Bytes of a value with its border; kernels read 64 past the last position.
int64_t BytesOf(const Value& v, int64_t border, int64_t height, int64_t width) {
  return (height + 2 * border) * (width + 2 * border) * v.col_stride() + 64;
}

// Products of a transposed convolution are with the weight times the output's scale.
std::vector<float> PackWeights(const ConvSpec& conv, const LayerTensors& t) {
  const auto taps = static_cast<size_t>(conv.taps()), ins = static_cast<size_t>(conv.group_in()),
             outs = static_cast<size_t>(conv.group_out());
  const auto padded = static_cast<size_t>(PaddedToLanes(conv.group_in()));
  std::vector<float> packed(static_cast<size_t>(WeightsOf(conv)));
  for (size_t c = 0; c < static_cast<size_t>(conv.out_channels); ++c) {
    const size_t group = c / outs, o = c % outs;
    const auto scale =
        static_cast<float>(std::ldexp(static_cast<double>(t.mult[c]), -int{t.shift[c]}));
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t i = 0; i < ins; ++i) {
        const size_t block = group * padded / kSumLanes + i / kSumLanes;
        packed[((block * taps + taps - 1 - tap) * outs + o) * kSumLanes + i % kSumLanes] =
            static_cast<float>(t.weight[(c * taps + tap) * ins + i]) * scale;
      }
    }
  }
  return packed;
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
  int64_t floats =
      (max_height + 4 * border) * (max_width + 4 * border) * most + (max_width + 2 * border) * most;
  for (const int64_t s : PlanGradients(graph, strides).strides)
    floats += max_height * max_width * s;
  int64_t bytes = 0;
  for (const Layer& l : graph.layers) floats += WeightsOf(l.conv);
  for (const Value& v : graph.values) bytes += BytesOf(v, border, max_height, max_width) + 63;
  return static_cast<uint64_t>(floats) * sizeof(float) + static_cast<uint64_t>(bytes);
}

NetworkGradient::NetworkGradient(const Network& network, SimdLevel level, int64_t max_height,
                                 int64_t max_width)
    : state_(std::make_unique<State>(*network.state_, level)) {
  State& s = *state_;
  const Graph& graph = network.state_->graph;
  const std::vector<int64_t> strides = Strides(graph);
  const int64_t most = *std::max_element(strides.begin(), strides.end());
  s.border = BorderOf(graph);
  for (size_t n = 0; n < graph.layers.size(); ++n)
    s.weights.push_back(PackWeights(graph.layers[n].conv, network.state_->tensors[n]));
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
      static_cast<size_t>((max_height + 4 * s.border) * (max_width + 4 * s.border) * most));
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

// The gradient by what a layer summed, with zeros around: what was limited has none. Adds it to
// that of the residual.
void NetworkGradient::State::FrameGradient(const Layer& layer, Value& out) {
  const int64_t around = 2 * (layer.conv.kernel / 2), frame_w = width + 2 * around;
  const int64_t channels = out.bytes.channels;
  std::fill_n(frame.begin(), (height + 2 * around) * frame_w * out.stride, 0.0f);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const uint8_t* const value = out.bytes.At(y, x);
      const float* const gradient = GradientAt(out, y, x);
      float* const to = frame.data() + ((y + around) * frame_w + x + around) * out.stride;
      for (int64_t i = 0; i < channels; ++i) {
        const int held = value[i] ^ out.flip;
        to[i] = held > 0 && held < 255 ? gradient[i] : 0.0f;
      }
      if (layer.other < 0) continue;
      float* const other = GradientAt(values[static_cast<size_t>(layer.other)], y, x);
      for (int64_t i = 0; i < channels; ++i) other[i] += to[i];
    }
  }
}

// Adds to the gradients of the layer's input and residual.
void NetworkGradient::State::RunBackward(size_t n) {
  const Layer& layer = kernels.graph().layers[n];
  Value& in = values[static_cast<size_t>(layer.input)];
  Value& out = values[n + 1];
  Reach(in);
  if (layer.other >= 0) Reach(values[static_cast<size_t>(layer.other)]);
  FrameGradient(layer, out);
  const int64_t reach = layer.conv.kernel / 2;
  const int64_t group_in = layer.conv.group_in(), group_out = layer.conv.group_out();
  const int64_t group_weights = WeightsOf(layer.conv) / layer.conv.groups;
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
               .inputs = group_out,
               .outputs = PaddedToLanes(group_in),
               .kernel = layer.conv.kernel,
               .weights = weights[n].data() + g * group_weights});
    }
    const int64_t inside_y = std::clamp<int64_t>(y, 0, height - 1);
    for (int64_t x = -reach; x < width + reach; ++x) {
      float* const to = GradientAt(in, inside_y, std::clamp<int64_t>(x, 0, width - 1));
      const float* const from = framed.data() + (x + reach) * in.stride;
      for (int64_t i = 0; i < in.bytes.channels; ++i) to[i] += from[i];
    }
  }
}

void NetworkGradient::Backward() {
  State& s = *state_;
  for (State::Value& v : s.values) v.reached = false;
  for (size_t n = s.kernels.graph().layers.size(); n-- > 0;) s.RunBackward(n);
}

}  // namespace godwit
