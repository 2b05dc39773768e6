// codecs/audio/audio_model.h: how the contexts of sound start; docs/format/audio.md section 12.
#pragma once

#include <cstdint>
#include <memory>

#include "base/status.h"
#include "models/safetensors.h"

namespace godwit {

namespace audio {
struct UnitContexts;
}

// Read-only, cheap to copy; threads may share it.
class AudioModel {
 public:
  // Untrained, id 0: what every reader has.
  AudioModel();
  // kModelRefused where tensors are missing, ill-shaped or out of range. Keeps no reference to
  // `file`, whose id the caller knows.
  static Result<AudioModel> Load(const SafeTensors& file, uint64_t id);

  uint64_t id() const;
  // Of every key frame.
  const audio::UnitContexts& start() const;

 private:
  struct State;
  explicit AudioModel(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace godwit
