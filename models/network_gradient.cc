#include "models/network_gradient.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "models/network_state.h"

namespace godwit {
namespace {

constexpr int64_t kLane = 16;  // floats that are summed side by side: channels are padded to it

// Sixteen floats whatever the level: the compiler splits them where registers are shorter.
typedef float Lanes __attribute__((vector_size(64)));

int64_t Padded(int64_t channels) { return (channels + kLane - 1) / kLane * kLane; }

// A window's sums: out[x][o] = start[o] + sum over taps and inputs. All inputs of all taps are in
// memory. Some positions side by side share each weight.
struct Sums {
  const float* in;
  int64_t in_row, in_position;  // floats from one to the next
  float* out;
  int64_t out_position;
  int64_t width, inputs, outputs;  // of the group; outputs: a multiple of kLane
  int kernel;
  const float* weights;  // [ky][kx][input][output]
  const float* start;    // [output]
};

template <int kPositions>
__attribute__((always_inline)) inline void SumPositions(const Sums& s, int64_t x, int64_t o) {
  Lanes sum[kPositions];
  Lanes start, weight;
  std::memcpy(&start, s.start + o, sizeof start);
  for (int p = 0; p < kPositions; ++p) sum[p] = start;
  for (int ky = 0; ky < s.kernel; ++ky) {
    for (int kx = 0; kx < s.kernel; ++kx) {
      const float* const in = s.in + ky * s.in_row + (x + kx) * s.in_position;
      const float* w = s.weights + (ky * s.kernel + kx) * s.inputs * s.outputs + o;
      for (int64_t i = 0; i < s.inputs; ++i, w += s.outputs) {
        std::memcpy(&weight, w, sizeof weight);
        for (int p = 0; p < kPositions; ++p) sum[p] += weight * in[p * s.in_position + i];
      }
    }
  }
  for (int p = 0; p < kPositions; ++p)
    std::memcpy(s.out + (x + p) * s.out_position + o, &sum[p], sizeof sum[p]);
}

template <int kPositions>
__attribute__((always_inline)) inline void SumRow(const Sums& s) {
  for (int64_t o = 0; o < s.outputs; o += kLane) {
    int64_t x = 0;
    for (; x + kPositions <= s.width; x += kPositions) SumPositions<kPositions>(s, x, o);
    for (; x < s.width; ++x) SumPositions<1>(s, x, o);
  }
}

void SumRowScalar(const Sums& s) { SumRow<2>(s); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) void SumRowAvx2(const Sums& s) { SumRow<6>(s); }
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void SumRowAvx512(const Sums& s) {
  SumRow<12>(s);
}
#endif

using SumRowFunction = void (*)(const Sums&);
SumRowFunction SumRowFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return SumRowAvx512;
  if (level == SimdLevel::kAvx2) return SumRowAvx2;
#endif
  (void)level;
  return SumRowScalar;
}

// Nearest integer of what is below 2^22 in magnitude.
float Round(float x) { return (x + 12582912.0f) - 12582912.0f; }

}  // namespace

// Groups work one after the other, and each writes whole lanes: what it writes too much is the next
// one's to overwrite, or lies behind the last channel.
struct NetworkGradient::State {
  struct Layer {
    int input = 0, other = -1, kernel = 1;
    int64_t groups = 1, group_in = 0, group_out = 0;
    // [group][tap][input][output, padded]; [group][tap, from the last][output][input, padded]
    std::vector<float> forward, backward;
    std::vector<float> start;     // [group][output, padded]
    std::vector<float> scale;     // [output]
    float offset = 0;             // to how the output is held, from how the residual is
    float least = 0, most = 255;  // as held
  };
  struct Value {
    int64_t channels = 0, stride = 0;  // stride: floats from one position to the next
    std::vector<float> at;
    size_t slot = 0;       // of `gradients`
    bool reached = false;  // by Backward(): the gradient has something
  };

  int64_t Index(int64_t y, int64_t x) const {
    return (y + border) * (width + 2 * border) + x + border;
  }
  float* At(Value& v, int64_t y, int64_t x) const { return v.at.data() + Index(y, x) * v.stride; }
  void ReplicateBorder(Value& v) const;
  float* GradientAt(const Value& v, int64_t y, int64_t x) {
    return gradients[v.slot].data() + Index(y, x) * v.stride;
  }
  void Reach(Value& v);
  void Sum(const Layer& layer, bool backward, int64_t width, const float* in, int64_t in_row,
           int64_t in_position, float* out, int64_t out_position) const;
  void RunForward(const Layer& layer, Value& out);
  void RunBackward(const Layer& layer, Value& out);

  SumRowFunction sum_row = nullptr;
  std::vector<Layer> layers;
  std::vector<Value> values;
  std::vector<std::vector<float>> gradients;
  int border = 0;
  int64_t height = 0, width = 0;
  std::vector<float> nothing;  // zeros, for sums that start there
  // Of Backward(): gradients with zeros around, and a row of what comes of them.
  std::vector<float> frame, framed;
};

namespace {

// Floats of a position of each value: room for the last group's lanes too.
std::vector<int64_t> Strides(const Graph& graph) {
  std::vector<int64_t> strides;
  for (const godwit::Value& v : graph.values) strides.push_back(Padded(v.channels));
  const auto widen = [&](size_t value, int64_t groups, int64_t width) {
    strides[value] = std::max(strides[value], Padded((groups - 1) * width + Padded(width)));
  };
  for (size_t n = 0; n < graph.layers.size(); ++n) {
    const ConvSpec& c = graph.layers[n].conv;
    widen(static_cast<size_t>(graph.layers[n].input), c.groups, c.group_in());
    widen(n + 1, c.groups, c.group_out());
  }
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

int BorderOf(const Graph& graph) {
  int border = 0;
  for (const godwit::Layer& l : graph.layers) border = std::max(border, l.conv.kernel / 2);
  return border;
}

}  // namespace

bool NetworkGradient::Supports(const Network& network) {
  const std::vector<godwit::Layer>& layers = network.state_->graph.layers;
  return std::all_of(layers.begin(), layers.end(),
                     [](const godwit::Layer& l) { return l.op == LayerOp::kConv && l.other != 0; });
}

uint64_t NetworkGradient::BytesFor(const Network& network, int64_t max_height, int64_t max_width) {
  const Graph& graph = network.state_->graph;
  const int64_t border = BorderOf(graph);
  const std::vector<int64_t> strides = Strides(graph);
  const int64_t most = *std::max_element(strides.begin(), strides.end());
  int64_t each = 0, weights = 0;
  for (const int64_t s : strides) each += s;
  for (const int64_t s : PlanGradients(graph, strides).strides) each += s;
  for (const godwit::Layer& l : graph.layers) {
    const int64_t in = l.conv.group_in(), out = l.conv.group_out();
    weights +=
        l.conv.groups * (l.conv.taps() * (in * Padded(out) + out * Padded(in)) + Padded(out) + out);
  }
  const int64_t positions = (max_height + 2 * border) * (max_width + 2 * border);
  const int64_t framed = (max_height + 4 * border) * (max_width + 4 * border);
  const int64_t row = max_width + 2 * border;
  return static_cast<uint64_t>(positions * each + (framed + row + 1) * most + weights) *
         sizeof(float);
}

NetworkGradient::NetworkGradient(const Network& network, SimdLevel level, int64_t max_height,
                                 int64_t max_width)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  const Graph& graph = network.state_->graph;
  const std::vector<int64_t> strides = Strides(graph);
  const auto most = static_cast<size_t>(*std::max_element(strides.begin(), strides.end()));
  s.sum_row = SumRowFor(level);
  s.border = BorderOf(graph);
  for (size_t n = 0; n < graph.layers.size(); ++n) {
    const godwit::Layer& from = graph.layers[n];
    const LayerTensors& t = network.state_->tensors[n];
    State::Layer to;
    to.input = from.input;
    to.other = from.other;
    to.kernel = from.conv.kernel;
    to.groups = from.conv.groups;
    to.group_in = from.conv.group_in();
    to.group_out = from.conv.group_out();
    const auto taps = static_cast<size_t>(from.conv.taps()),
               channels = static_cast<size_t>(from.conv.out_channels),
               groups = static_cast<size_t>(to.groups), ins = static_cast<size_t>(to.group_in),
               outs = static_cast<size_t>(to.group_out);
    const auto padded_ins = static_cast<size_t>(Padded(to.group_in)),
               padded_outs = static_cast<size_t>(Padded(to.group_out));
    to.forward.assign(groups * taps * ins * padded_outs, 0);
    to.backward.assign(groups * taps * outs * padded_ins, 0);
    to.start.assign(groups * padded_outs, 0);
    to.scale.assign(channels, 0);
    for (size_t c = 0; c < channels; ++c) {
      const size_t group = c / outs, o = c % outs;
      to.start[group * padded_outs + o] = static_cast<float>(t.bias[c]);
      to.scale[c] = static_cast<float>(std::ldexp(static_cast<double>(t.mult[c]), -t.shift[c]));
      for (size_t tap = 0; tap < taps; ++tap) {
        for (size_t i = 0; i < ins; ++i) {
          const auto w = static_cast<float>(t.weight[(c * taps + tap) * ins + i]);
          to.forward[((group * taps + tap) * ins + i) * padded_outs + o] = w;
          to.backward[((group * taps + taps - 1 - tap) * outs + o) * padded_ins + i] =
              w * to.scale[c];
        }
      }
    }
    // The network's output is given as it is, all else held as its bytes are.
    const int zero_point = graph.values[n + 1].zero_point;
    const int held = n + 1 < graph.layers.size() ? zero_point : 0;
    to.offset = static_cast<float>(held);
    if (to.other >= 0)
      to.offset -= static_cast<float>(graph.values[static_cast<size_t>(to.other)].zero_point);
    to.least = static_cast<float>(held - zero_point);
    to.most = to.least + 255;
    s.layers.push_back(std::move(to));
  }
  const auto positions =
      static_cast<size_t>((max_height + 2 * s.border) * (max_width + 2 * s.border));
  const auto framed = static_cast<size_t>((max_height + 4 * s.border) * (max_width + 4 * s.border));
  const GradientPlan plan = PlanGradients(graph, strides);
  for (const int64_t stride : plan.strides)
    s.gradients.emplace_back(positions * static_cast<size_t>(stride));
  for (size_t n = 0; n < graph.values.size(); ++n) {
    State::Value value;
    value.channels = graph.values[n].channels;
    value.stride = strides[n];
    value.at.assign(positions * static_cast<size_t>(value.stride), 0);
    value.slot = plan.slot[n];
    s.values.push_back(std::move(value));
  }
  s.nothing.assign(most, 0);
  s.frame.assign(framed * most, 0);
  s.framed.assign(static_cast<size_t>(max_width + 2 * s.border) * most, 0);
}

NetworkGradient::NetworkGradient(NetworkGradient&&) noexcept = default;
NetworkGradient& NetworkGradient::operator=(NetworkGradient&&) noexcept = default;
NetworkGradient::~NetworkGradient() = default;

void NetworkGradient::SetSize(int64_t height, int64_t width) {
  state_->height = height;
  state_->width = width;
}
float* NetworkGradient::Input(int64_t y, int64_t x) {
  return state_->At(state_->values.front(), y, x);
}
const float* NetworkGradient::Output(int64_t y, int64_t x) const {
  return state_->At(state_->values.back(), y, x);
}
float* NetworkGradient::OutputGradient(int64_t y, int64_t x) {
  return state_->GradientAt(state_->values.back(), y, x);
}
const float* NetworkGradient::InputGradient(int64_t y, int64_t x) const {
  return state_->GradientAt(state_->values.front(), y, x);
}

void NetworkGradient::State::ReplicateBorder(Value& v) const {
  const auto bytes = static_cast<size_t>(v.stride) * sizeof(float);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 1; x <= border; ++x) {
      std::memcpy(At(v, y, -x), At(v, y, 0), bytes);
      std::memcpy(At(v, y, width - 1 + x), At(v, y, width - 1), bytes);
    }
  }
  const size_t row = static_cast<size_t>(width + 2 * border) * bytes;
  for (int64_t y = 1; y <= border; ++y) {
    std::memcpy(At(v, -y, -border), At(v, 0, -border), row);
    std::memcpy(At(v, height - 1 + y, -border), At(v, height - 1, -border), row);
  }
}

// A row of the layer's sums, or of its gradients, of all groups.
void NetworkGradient::State::Sum(const Layer& layer, bool backward, int64_t row_width,
                                 const float* in, int64_t in_row, int64_t in_position, float* out,
                                 int64_t out_position) const {
  const int64_t ins = backward ? layer.group_out : layer.group_in;
  const int64_t outs = backward ? layer.group_in : layer.group_out;
  const int64_t padded = Padded(outs);
  const float* weights = backward ? layer.backward.data() : layer.forward.data();
  const float* start = backward ? nothing.data() : layer.start.data();
  for (int64_t g = 0; g < layer.groups; ++g) {
    sum_row({in, in_row, in_position, out, out_position, row_width, ins, padded, layer.kernel,
             weights, start});
    in += ins;
    out += outs;
    weights += layer.kernel * layer.kernel * ins * padded;
    if (!backward) start += padded;
  }
}

void NetworkGradient::State::RunForward(const Layer& layer, Value& out) {
  Value& in = values[static_cast<size_t>(layer.input)];
  const int reach = layer.kernel / 2;
  for (int64_t y = 0; y < height; ++y) {
    float* const to = At(out, y, 0);
    Sum(layer, /*backward=*/false, width, At(in, y - reach, -reach),
        (width + 2 * border) * in.stride, in.stride, to, out.stride);
    for (int64_t x = 0; x < width; ++x) {
      float* const at = to + x * out.stride;
      const float* const other =
          layer.other >= 0 ? At(values[static_cast<size_t>(layer.other)], y, x) : nullptr;
      for (int64_t o = 0; o < out.channels; ++o) {
        float v = at[o] * layer.scale[static_cast<size_t>(o)];
        v = std::min(std::max(v, -4194304.0f), 4194303.0f);
        v = Round(v) + layer.offset + (other != nullptr ? other[o] : 0.0f);
        at[o] = std::min(std::max(v, layer.least), layer.most);
      }
    }
  }
  if (border > 0) ReplicateBorder(out);
}

void NetworkGradient::Forward() {
  State& s = *state_;
  s.ReplicateBorder(s.values.front());
  for (size_t n = 0; n < s.layers.size(); ++n) s.RunForward(s.layers[n], s.values[n + 1]);
}

// Before a gradient is first added to.
void NetworkGradient::State::Reach(Value& v) {
  if (!v.reached) std::fill(gradients[v.slot].begin(), gradients[v.slot].end(), 0.0f);
  v.reached = true;
}

// Adds to the gradients of the layer's input and residual.
void NetworkGradient::State::RunBackward(const Layer& layer, Value& out) {
  Value& in = values[static_cast<size_t>(layer.input)];
  Reach(in);
  if (layer.other >= 0) Reach(values[static_cast<size_t>(layer.other)]);
  const int reach = layer.kernel / 2;
  const int64_t frame_w = width + 4 * reach, c = out.stride;
  // What was limited has no gradient.
  std::fill_n(frame.begin(), (height + 4 * reach) * frame_w * c, 0.0f);
  for (int64_t y = 0; y < height; ++y) {
    const float* const value = At(out, y, 0);
    const float* const gradient = GradientAt(out, y, 0);
    float* const to = frame.data() + ((y + 2 * reach) * frame_w + 2 * reach) * c;
    for (int64_t i = 0; i < width * c; ++i)
      to[i] = value[i] > layer.least && value[i] < layer.most ? gradient[i] : 0.0f;
    if (layer.other < 0) continue;
    for (int64_t x = 0; x < width; ++x) {
      float* const other = GradientAt(values[static_cast<size_t>(layer.other)], y, x);
      for (int64_t i = 0; i < out.channels; ++i) other[i] += to[x * c + i];
    }
  }
  // Gradients of the input with its border, which goes to the nearest inside.
  const int64_t full_w = width + 2 * reach;
  for (int64_t y = -reach; y < height + reach; ++y) {
    Sum(layer, /*backward=*/true, full_w, frame.data() + (y + reach) * frame_w * c, frame_w * c, c,
        framed.data(), in.stride);
    const int64_t inside_y = std::clamp<int64_t>(y, 0, height - 1);
    for (int64_t x = -reach; x < width + reach; ++x) {
      const int64_t inside_x = std::clamp<int64_t>(x, 0, width - 1);
      float* const to = GradientAt(in, inside_y, inside_x);
      const float* const from = framed.data() + (x + reach) * in.stride;
      for (int64_t i = 0; i < in.channels; ++i) to[i] += from[i];
    }
  }
}

void NetworkGradient::Backward() {
  State& s = *state_;
  for (State::Value& v : s.values) v.reached = false;
  for (size_t n = s.layers.size(); n-- > 0;) s.RunBackward(s.layers[n], s.values[n + 1]);
}

}  // namespace godwit
