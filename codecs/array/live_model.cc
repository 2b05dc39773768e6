#include "codecs/array/live_model.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

namespace godwit::array {
namespace {

Status Refuse(const std::string& why) { return Status(StatusCode::kModelRefused, why); }

Result<int64_t> NumberOf(const SafeTensors& file, const std::string& key, int64_t most) {
  const std::string text = file.Metadata(key).value_or("");
  int64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size() || v < 1 || v > most) {
    return Refuse("metadata " + key + " is no number from 1 to " + std::to_string(most));
  }
  return v;
}

Result<std::optional<Network>> LoadNetwork(const SafeTensors& file, const std::string& name,
                                           int64_t channels) {
  using Found = std::optional<Network>;
  if (!file.Metadata("network." + name)) return Found();
  GODWIT_ASSIGN_OR_RETURN(Network network, Network::Load(file, name));
  if (network.input_channels() != channels || network.input_zero_point() != 128 ||
      network.output_channels() != channels || !network.output_signed() || network.scale() != 1) {
    return Refuse("network " + name + ": its input or output is not " + std::to_string(channels) +
                  " signed channels");
  }
  return Found(std::move(network));
}

}  // namespace

Result<ExpansionCurve> ExpansionCurve::Create(std::span<const int32_t> entries) {
  constexpr int32_t kMostRise = 1 << 24;
  bool rises = entries.size() == kEntries && entries[0] == 0 && entries.back() <= kMaxLatent;
  for (size_t i = 1; rises && i < entries.size(); ++i) {
    const int64_t rise = int64_t{entries[i]} - entries[i - 1];
    rises = rise >= 1 && rise <= kMostRise;
  }
  if (!rises) return Refuse("tensor live.expand does not rise from 0, or too fast");
  ExpansionCurve curve;
  curve.entries_.assign(entries.begin(), entries.end());
  return curve;
}

int32_t ExpansionCurve::Expanded(int64_t latent) const {
  const int64_t size = std::min(std::abs(latent), kMaxLatent);
  const auto i = static_cast<size_t>(std::min(size >> kSpacingBits, kEntries - 2));
  const int64_t rest = size - (static_cast<int64_t>(i) << kSpacingBits);
  const int64_t rise = entries_[i + 1] - entries_[i];
  // Below 2^24 * 2^30.
  const int64_t v = entries_[i] + ((rise * rest + (1 << (kSpacingBits - 1))) >> kSpacingBits);
  const auto limited = static_cast<int32_t>(std::min(v, kMaxLatent));
  return latent < 0 ? -limited : limited;
}

int32_t ExpansionCurve::Companded(int64_t steps) const {
  const int64_t size = std::min(std::abs(steps), kMaxLatent);
  const auto above = std::upper_bound(entries_.begin(), entries_.end() - 1, size);
  const int64_t i = above - entries_.begin() - 1;  // entry 0 is 0, so there is one not above
  const auto at = static_cast<size_t>(i);
  const int64_t rise = entries_[at + 1] - entries_[at];
  const int64_t rest = (((size - entries_[at]) << kSpacingBits) + rise / 2) / rise;
  const auto v = static_cast<int32_t>(std::min((i << kSpacingBits) + rest, kMaxLatent));
  return steps < 0 ? -v : v;
}

Result<LiveModel> LiveModel::Load(const SafeTensors& file) {
  LiveModel model;
  GODWIT_ASSIGN_OR_RETURN(model.channels, NumberOf(file, "godwit.live.channels", kMaxLiveChannels));
  GODWIT_ASSIGN_OR_RETURN(const int64_t levels,
                          NumberOf(file, "godwit.live.levels", kMaxLiveLevels));
  model.levels = static_cast<int>(levels);
  GODWIT_ASSIGN_OR_RETURN(const auto entries,
                          file.Get<int32_t>("live.expand", {ExpansionCurve::kEntries}));
  GODWIT_ASSIGN_OR_RETURN(model.curve, ExpansionCurve::Create(entries));
  if (file.Find("live.predict") != nullptr) {
    const int64_t n = model.bands();
    GODWIT_ASSIGN_OR_RETURN(const auto weights, file.Get<int16_t>("live.predict", {n, n, 3}));
    for (int64_t i = 0; i < n * n * 3; ++i) {
      const int64_t f = i / (3 * n), g = i / 3 % n;
      if (g >= f && weights[static_cast<size_t>(i)] != 0) {
        return Refuse("tensor live.predict: a band from one that is not below it");
      }
    }
    model.predict.assign(weights.begin(), weights.end());
  }
  GODWIT_ASSIGN_OR_RETURN(model.analysis, LoadNetwork(file, "analysis", model.inputs()));
  GODWIT_ASSIGN_OR_RETURN(model.synthesis, LoadNetwork(file, "synthesis", model.inputs()));
  return model;
}

double LiveModel::encoder_macs_per_sample() const {
  // Each level has four steps, each for half of the samples; one more for the step.
  double transform = 2.0 * levels + 1;
  if (!predict.empty()) transform += 3 * static_cast<double>(bands() - 1) / 2;
  if (!analysis) return transform;
  return transform +
         static_cast<double>(analysis->macs_per_position()) / static_cast<double>(inputs());
}

uint8_t NetworkByte(int64_t v) {
  const int64_t size = std::abs(v);
  const int64_t level = size <= 32    ? size
                        : size <= 288 ? 32 + (size - 32) / 8
                                      : std::min<int64_t>(64 + (size - 288) / 64, 127);
  return static_cast<uint8_t>(128 + (v < 0 ? -level : level));
}

}  // namespace godwit::array
