#include "models/network.h"

#include <algorithm>
#include <utility>

#include "models/network_state.h"
#include "models/strict_json.h"

namespace godwit {
namespace {

constexpr int64_t kMaxNetworkWeights = int64_t{1} << 24;

// Takes the zero point into the bias and proves that channel `o` cannot overflow: neither the s32
// sum, in whatever order it is added up, nor the rescaled s32 result.
Status FoldAndProve(const ConvSpec& spec, int zero_point, int o, LayerTensors* tensors) {
  const int64_t count = int64_t{spec.taps()} * spec.group_in();
  const int8_t* weight = tensors->weight.data() + o * count;
  int64_t sum = 0, magnitude = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (weight[i] < kMinConvWeight || weight[i] > kMaxConvWeight) {
      return Refuse("weight " + std::to_string(weight[i]) + " is outside [-64, 63]");
    }
    sum += weight[i];
    magnitude += std::abs(int{weight[i]});
  }
  const int64_t bias = tensors->bias[o] - zero_point * sum;
  const int64_t bound = std::abs(bias) + 255 * magnitude;
  if (bound > INT32_MAX) return Refuse("sums may reach " + std::to_string(bound));
  tensors->bias[o] = static_cast<int32_t>(bias);
  const int32_t mult = tensors->mult[o];
  const int shift = tensors->shift[o];
  if (mult < 1) return Refuse("mult " + std::to_string(mult) + " is below 1");
  if (shift < 1 || shift > 62) return Refuse("shift " + std::to_string(shift) + " is not 1 to 62");
  // bound * mult < 2^62 and the rounding is at most 2^61, so s64 holds both.
  if (Requantise(static_cast<int32_t>(bound), mult, shift) > INT32_MAX) {
    return Refuse("results may pass 32 bits");
  }
  return {};
}

Status LoadConv(const SafeTensors& file, const std::string& place, const ConvSpec& spec,
                int zero_point, LayerTensors* tensors) {
  const int64_t out = spec.out_channels, k = spec.kernel;
  GODWIT_ASSIGN_OR_RETURN(const auto weight,
                          file.Get<int8_t>(place + ".weight", {out, k, k, spec.group_in()}));
  GODWIT_ASSIGN_OR_RETURN(const auto bias, file.Get<int32_t>(place + ".bias", {out}));
  GODWIT_ASSIGN_OR_RETURN(const auto mult, file.Get<int32_t>(place + ".mult", {out}));
  GODWIT_ASSIGN_OR_RETURN(const auto shift, file.Get<uint8_t>(place + ".shift", {out}));
  tensors->weight.assign(weight.begin(), weight.end());
  tensors->bias.assign(bias.begin(), bias.end());
  tensors->mult.assign(mult.begin(), mult.end());
  tensors->shift.assign(shift.begin(), shift.end());
  for (int o = 0; o < spec.out_channels; ++o) {
    GODWIT_RETURN_IF_ERROR(FoldAndProve(spec, zero_point, o, tensors)
                               .WithPrefix(place + " channel " + std::to_string(o) + ": "));
  }
  return {};
}

}  // namespace

Result<Network> Network::Load(const SafeTensors& file, std::string_view name) {
  const std::string key = "network." + std::string(name);
  const std::optional<std::string> text = file.Metadata(key);
  if (!text.has_value()) return Refuse("metadata " + key + ": absent");
  Result<Graph> graph = ParseGraph(*text);
  if (!graph.ok()) return graph.status().WithPrefix(key + ": ");
  auto state = std::make_unique<State>();
  state->graph = *std::move(graph);
  int64_t weights = 0;
  for (const Layer& layer : state->graph.layers) {
    const std::string place = std::string(name) + "." + layer.name;
    LayerTensors& tensors = state->tensors.emplace_back();
    if (layer.op == LayerOp::kConv) {
      weights += layer.conv.weight_count();
      if (weights > kMaxNetworkWeights) return Refuse(place + ": more than 2^24 weights so far");
      const int zero_point = state->graph.values[layer.input].zero_point;
      GODWIT_RETURN_IF_ERROR(LoadConv(file, place, layer.conv, zero_point, &tensors));
    } else if (layer.op == LayerOp::kLut) {
      GODWIT_ASSIGN_OR_RETURN(const auto lut, file.Get<uint8_t>(place + ".lut", {256}));
      std::copy(lut.begin(), lut.end(), tensors.lut.begin());
    }
  }
  return Network(std::move(state));
}

Network::Network(std::unique_ptr<State> state) : state_(std::move(state)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

int Network::input_channels() const { return state_->graph.input().channels; }
int Network::output_channels() const { return state_->graph.output().channels; }
int Network::input_zero_point() const { return state_->graph.input().zero_point; }
bool Network::output_signed() const { return state_->graph.output().zero_point != 0; }
int Network::scale() const { return state_->graph.output().scale; }
int Network::halo() const { return state_->graph.input().halo; }

uint64_t Network::macs_per_position() const {
  uint64_t macs = 0;
  for (const Layer& layer : state_->graph.layers) {
    if (layer.op != LayerOp::kConv) continue;
    const int scale = state_->graph.values[layer.input].scale;
    macs += static_cast<uint64_t>(layer.conv.weight_count() * scale * scale);
  }
  return macs;
}

const std::vector<PackedConv>& Network::State::Packed(SimdLevel level) const {
  const size_t index = static_cast<size_t>(level);
  std::call_once(packed_once_[index], [&] {
    // Where memory ends midway the next call begins anew.
    std::vector<PackedConv> all(graph.layers.size());
    for (size_t i = 0; i < graph.layers.size(); ++i) {
      if (graph.layers[i].op != LayerOp::kConv) continue;
      const LayerTensors& t = tensors[i];
      all[i] = ConvKernelsFor(level).pack({.spec = graph.layers[i].conv,
                                           .weight = t.weight.data(),
                                           .bias = t.bias.data(),
                                           .mult = t.mult.data(),
                                           .shift = t.shift.data()});
    }
    packed_[index] = std::move(all);
  });
  return packed_[index];
}

}  // namespace godwit
