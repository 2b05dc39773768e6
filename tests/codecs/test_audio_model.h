// tests/codecs/test_audio_model.h: a sound model whose starts are made from any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codecs/audio/audio_model.h"
#include "codecs/audio/sound_unit.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"

namespace godwit {

// The tensors of a model file; tests change them.
struct AudioModelTensors {
  std::vector<uint16_t> p1;
  std::vector<uint8_t> count;
  std::vector<int16_t> of_symbols;
  std::vector<int32_t> of_levels;

  // Takes the bytes again and again; of none, zeros.
  explicit AudioModelTensors(std::span<const uint8_t> bytes) {
    size_t at = 0;
    const auto next = [&]() -> uint32_t { return bytes.empty() ? 0 : bytes[at++ % bytes.size()]; };
    audio::UnitContexts contexts;
    audio::ForEachContext(contexts, [&](CountedBit&) {
      p1.push_back(static_cast<uint16_t>(next() * 256 + next()));
      count.push_back(static_cast<uint8_t>(next()));
    });
    audio::ForEachSymbolWeight(contexts, [&](int16_t&) {
      of_symbols.push_back(static_cast<int16_t>(next() * 256 + next()));
    });
    audio::ForEachLevelWeight(contexts, [&](int32_t&) {
      of_levels.push_back(static_cast<int32_t>(next() * 8192) - (1 << 20));
    });
  }
  Bytes File(const std::string& codec = "voice", const std::string& kind = "stream") const {
    SafeTensorsWriter writer;
    const auto size = [](const auto& v) { return static_cast<int64_t>(v.size()); };
    writer.Add<uint16_t>("start.p1", {size(p1)}, p1);
    writer.Add<uint8_t>("start.count", {size(count)}, count);
    writer.Add<int16_t>("start.symbol_weight", {size(of_symbols)}, of_symbols);
    writer.Add<int32_t>("start.level_weight", {size(of_levels)}, of_levels);
    writer.SetMetadata("godwit.codec", codec);
    writer.SetMetadata("godwit.kind", kind);
    return writer.Finish();
  }
};

inline Result<AudioModel> LoadAudioModel(const Bytes& file) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors tensors, SafeTensors::Parse(Bytes(file)));
  return AudioModel::Load(tensors, ModelIdOf(file));
}

}  // namespace godwit
