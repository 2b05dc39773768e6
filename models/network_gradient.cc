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
  int64_t width, inputs, outputs;  // outputs: a multiple of kLane
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

struct NetworkGradient::State {
  struct Layer {
    int input = 0, other = -1, kernel = 1;
    int64_t inputs = 0, outputs = 0;  // padded
    std::vector<float> forward,
        backward;                     // [tap][input][output]; [tap, from the last][output][input]
    std::vector<float> start, scale;  // [output]
    float least = 0, most = 255;
  };
  struct Value {
    int64_t channels = 0;  // padded
    std::vector<float> at;
    size_t slot = 0;       // of `gradients`
    bool reached = false;  // by Backward(): the gradient has something
  };

  int64_t Index(int64_t y, int64_t x) const {
    return (y + border) * (width + 2 * border) + x + border;
  }
  float* At(Value& v, int64_t y, int64_t x) const { return v.at.data() + Index(y, x) * v.channels; }
  void ReplicateBorder(Value& v) const;
  float* GradientAt(const Value& v, int64_t y, int64_t x) {
    return gradients[v.slot].data() + Index(y, x) * v.channels;
  }
  void Reach(Value& v);
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

// Where the gradient of each value is kept: as few places as going through the layers from the last
// to the first needs.
struct GradientPlan {
  std::vector<size_t> slot;        // of each value
  std::vector<uint64_t> channels;  // that each slot must hold
};

GradientPlan PlanGradients(const Graph& graph) {
  constexpr size_t kNone = SIZE_MAX;
  GradientPlan plan{std::vector<size_t>(graph.values.size(), kNone), {}};
  std::vector<bool> taken;
  const auto take = [&](int value) {
    size_t& s = plan.slot[static_cast<size_t>(value)];
    if (s != kNone) return;
    s = static_cast<size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
    if (s == taken.size()) {
      taken.push_back(true);
      plan.channels.push_back(0);
    }
    taken[s] = true;
    const auto channels =
        static_cast<uint64_t>(Padded(graph.values[static_cast<size_t>(value)].channels));
    plan.channels[s] = std::max(plan.channels[s], channels);
  };
  take(static_cast<int>(graph.layers.size()));
  for (size_t n = graph.layers.size(); n-- > 0;) {
    take(graph.layers[n].input);
    if (graph.layers[n].other >= 0) take(graph.layers[n].other);
    taken[plan.slot[n + 1]] = false;
  }
  return plan;
}

}  // namespace

bool NetworkGradient::Supports(const Network& network) {
  const Graph& graph = network.state_->graph;
  for (size_t n = 0; n < graph.layers.size(); ++n) {
    const godwit::Layer& l = graph.layers[n];
    const bool inside = n + 1 < graph.layers.size();
    if (l.op != LayerOp::kConv || l.other == 0 || (inside && graph.values[n + 1].zero_point != 0))
      return false;
  }
  return true;
}

uint64_t NetworkGradient::BytesFor(const Network& network, int64_t max_height, int64_t max_width) {
  int border = 0;
  for (const godwit::Layer& l : network.state_->graph.layers)
    border = std::max(border, l.conv.kernel / 2);
  const auto positions =
      static_cast<uint64_t>((max_height + 2 * border) * (max_width + 2 * border));
  uint64_t channels = 0, most = 0, weights = 0;
  for (const godwit::Layer& l : network.state_->graph.layers) {  // groups are written out
    weights += static_cast<uint64_t>(l.conv.taps()) *
               static_cast<uint64_t>(Padded(l.conv.in_channels) * Padded(l.conv.out_channels));
  }
  for (const godwit::Value& v : network.state_->graph.values) {
    channels += static_cast<uint64_t>(Padded(v.channels));
    most = std::max(most, static_cast<uint64_t>(Padded(v.channels)));
  }
  const auto framed = static_cast<uint64_t>((max_height + 4 * border) * (max_width + 4 * border));
  for (const uint64_t c : PlanGradients(network.state_->graph).channels) channels += c;
  const uint64_t row = static_cast<uint64_t>(max_width + 2 * border) * most;
  return (positions * channels + framed * most + row) * sizeof(float) + weights * 3 * sizeof(float);
}

NetworkGradient::NetworkGradient(const Network& network, SimdLevel level, int64_t max_height,
                                 int64_t max_width)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  const Graph& graph = network.state_->graph;
  s.sum_row = SumRowFor(level);
  int64_t most = 0;
  for (const godwit::Value& v : graph.values) most = std::max(most, Padded(v.channels));
  for (const godwit::Layer& l : graph.layers) s.border = std::max(s.border, l.conv.kernel / 2);
  for (size_t n = 0; n < graph.layers.size(); ++n) {
    const godwit::Layer& from = graph.layers[n];
    const LayerTensors& t = network.state_->tensors[n];
    State::Layer to;
    to.input = from.input;
    to.other = from.other;
    to.kernel = from.conv.kernel;
    to.inputs = Padded(from.conv.in_channels);
    to.outputs = Padded(from.conv.out_channels);
    const auto taps = static_cast<size_t>(from.conv.taps()), ins = static_cast<size_t>(to.inputs),
               outs = static_cast<size_t>(to.outputs);
    to.forward.assign(taps * ins * outs, 0);
    to.backward.assign(taps * ins * outs, 0);
    to.start.assign(outs, 0);
    to.scale.assign(outs, 0);
    // Other groups' weights are 0.
    const auto group_in = static_cast<size_t>(from.conv.group_in()),
               group_out = static_cast<size_t>(from.conv.group_out());
    for (size_t o = 0; o < static_cast<size_t>(from.conv.out_channels); ++o) {
      to.start[o] = static_cast<float>(t.bias[o]);
      to.scale[o] = static_cast<float>(std::ldexp(static_cast<double>(t.mult[o]), -t.shift[o]));
      for (size_t tap = 0; tap < taps; ++tap) {
        for (size_t k = 0; k < group_in; ++k) {
          const auto w = static_cast<float>(t.weight[(o * taps + tap) * group_in + k]);
          const size_t i = o / group_out * group_in + k;
          to.forward[(tap * ins + i) * outs + o] = w;
          to.backward[((taps - 1 - tap) * outs + o) * ins + i] = w * to.scale[o];
        }
      }
    }
    const bool is_signed = graph.values[n + 1].zero_point != 0;
    to.least = is_signed ? -128 : 0;
    to.most = is_signed ? 127 : 255;
    s.layers.push_back(std::move(to));
  }
  const auto positions =
      static_cast<size_t>((max_height + 2 * s.border) * (max_width + 2 * s.border));
  const auto framed = static_cast<size_t>((max_height + 4 * s.border) * (max_width + 4 * s.border));
  const GradientPlan plan = PlanGradients(graph);
  for (const uint64_t c : plan.channels) s.gradients.emplace_back(positions * c);
  for (size_t n = 0; n < graph.values.size(); ++n) {
    State::Value value;
    value.channels = Padded(graph.values[n].channels);
    value.at.assign(positions * static_cast<size_t>(value.channels), 0);
    value.slot = plan.slot[n];
    s.values.push_back(std::move(value));
  }
  s.nothing.assign(static_cast<size_t>(most), 0);
  s.frame.assign(framed * static_cast<size_t>(most), 0);
  s.framed.assign(static_cast<size_t>((max_width + 2 * s.border) * most), 0);
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
  const auto bytes = static_cast<size_t>(v.channels) * sizeof(float);
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

void NetworkGradient::State::RunForward(const Layer& layer, Value& out) {
  Value& in = values[static_cast<size_t>(layer.input)];
  const int reach = layer.kernel / 2;
  for (int64_t y = 0; y < height; ++y) {
    float* const to = At(out, y, 0);
    sum_row({At(in, y - reach, -reach), (width + 2 * border) * in.channels, in.channels, to,
             out.channels, width, layer.inputs, layer.outputs, layer.kernel, layer.forward.data(),
             layer.start.data()});
    const float* const other =
        layer.other >= 0 ? At(values[static_cast<size_t>(layer.other)], y, 0) : nullptr;
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t o = 0; o < layer.outputs; ++o) {
        const int64_t i = x * out.channels + o;
        float v = to[i] * layer.scale[static_cast<size_t>(o)];
        v = std::min(std::max(v, -4194304.0f), 4194303.0f);
        v = Round(v) + (other != nullptr ? other[i] : 0.0f);
        to[i] = std::min(std::max(v, layer.least), layer.most);
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
  const int64_t frame_w = width + 4 * reach, c = out.channels;
  // What was limited has no gradient.
  std::fill_n(frame.begin(), (height + 4 * reach) * frame_w * c, 0.0f);
  for (int64_t y = 0; y < height; ++y) {
    const float* const value = At(out, y, 0);
    const float* const gradient = GradientAt(out, y, 0);
    float* const to = frame.data() + ((y + 2 * reach) * frame_w + 2 * reach) * c;
    for (int64_t i = 0; i < width * c; ++i)
      to[i] = value[i] > layer.least && value[i] < layer.most ? gradient[i] : 0.0f;
    if (layer.other < 0) continue;
    float* const other = GradientAt(values[static_cast<size_t>(layer.other)], y, 0);
    for (int64_t i = 0; i < width * c; ++i) other[i] += to[i];
  }
  // Gradients of the input with its border, which goes to the nearest inside.
  const int64_t full_w = width + 2 * reach;
  for (int64_t y = -reach; y < height + reach; ++y) {
    sum_row({frame.data() + (y + reach) * frame_w * c, frame_w * c, c, framed.data(), in.channels,
             full_w, layer.outputs, layer.inputs, layer.kernel, layer.backward.data(),
             nothing.data()});
    const int64_t inside_y = std::clamp<int64_t>(y, 0, height - 1);
    for (int64_t x = -reach; x < width + reach; ++x) {
      const int64_t inside_x = std::clamp<int64_t>(x, 0, width - 1);
      float* const to = GradientAt(in, inside_y, inside_x);
      const float* const from = framed.data() + (x + reach) * in.channels;
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
