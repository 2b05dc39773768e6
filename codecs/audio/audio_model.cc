#include "codecs/audio/audio_model.h"

#include <cstdlib>
#include <string>

#include "codecs/audio/sound_unit.h"

namespace godwit {

struct AudioModel::State {
  uint64_t id = 0;
  audio::UnitContexts start;
};

namespace {

Status Refused(const std::string& what) {
  return Status(StatusCode::kModelRefused, "sound model: " + what);
}

// The elements of a tensor, in the order in which ForEach...() visits their places.
template <typename T>
Result<std::span<const T>> Elements(const SafeTensors& file, std::string_view name, size_t count) {
  return file.Get<T>(name, {static_cast<int64_t>(count)});
}

}  // namespace

AudioModel::AudioModel() {
  static const auto untrained = std::make_shared<const State>();
  state_ = untrained;
}
AudioModel::AudioModel(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<AudioModel> AudioModel::Load(const SafeTensors& file, uint64_t id) {
  const std::string codec = file.Metadata("godwit.codec").value_or("");
  if (file.Metadata("godwit.kind") != "stream" || (codec != "music" && codec != "voice")) {
    return Refused("is no stream model of music or voice");
  }
  if (id == 0) return Refused("has the id of no model");
  auto state = std::make_shared<State>();
  state->id = id;
  audio::UnitContexts& start = state->start;
  size_t contexts = 0, symbol_weights = 0, level_weights = 0;
  audio::ForEachContext(start, [&](CountedBit&) { ++contexts; });
  audio::ForEachSymbolWeight(start, [&](int16_t&) { ++symbol_weights; });
  audio::ForEachLevelWeight(start, [&](int32_t&) { ++level_weights; });
  GODWIT_ASSIGN_OR_RETURN(const auto p1, Elements<uint16_t>(file, "start.p1", contexts));
  GODWIT_ASSIGN_OR_RETURN(const auto counts, Elements<uint8_t>(file, "start.count", contexts));
  GODWIT_ASSIGN_OR_RETURN(const auto of_symbols,
                          Elements<int16_t>(file, "start.symbol_weight", symbol_weights));
  GODWIT_ASSIGN_OR_RETURN(const auto of_levels,
                          Elements<int32_t>(file, "start.level_weight", level_weights));
  for (const int32_t w : of_levels) {
    if (std::abs(int64_t{w}) > BitMixer<3>::kMaxWeight) {
      return Refused("start.level_weight is out of range");
    }
  }
  size_t at = 0;
  audio::ForEachContext(start, [&](CountedBit& bit) {
    bit.p1 = p1[at];
    bit.count = counts[at++];
  });
  at = 0;
  audio::ForEachSymbolWeight(start, [&](int16_t& w) { w = of_symbols[at++]; });
  at = 0;
  audio::ForEachLevelWeight(start, [&](int32_t& w) { w = of_levels[at++]; });
  return AudioModel(std::move(state));
}

uint64_t AudioModel::id() const { return state_->id; }
const audio::UnitContexts& AudioModel::start() const { return state_->start; }

}  // namespace godwit
