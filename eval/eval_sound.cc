#include "eval/eval_sound.h"

#include <algorithm>
#include <cmath>

#include "io/audio_file.h"

namespace godwit {

Result<Sound> ReadEvalSound(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<AudioReader> reader, OpenAudio(path, limits));
  const AudioInfo& info = reader->info();
  Sound sound{info.rate_hz, info.channels, std::min(info.bits, 24), {}};
  if (info.type == SampleType::kF32) {
    // Decoders of lossy files make floats of sound that had 16 bits, as a rule.
    sound.bits = info.format == "ogg" || info.format == "mp3" ? 16 : 32;
  }
  constexpr size_t kFrames = 65536;
  std::vector<float> part(kFrames * info.channels);
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const size_t got, reader->Read(std::span<float>(part)));
    if (got == 0) break;
    if ((sound.samples.size() + got * info.channels) * sizeof(float) > limits.max_memory_bytes) {
      return Status(StatusCode::kOverLimit,
                    path + ": more samples than the limit on memory allows");
    }
    for (size_t i = 0; i < got * info.channels; ++i) {
      sound.samples.push_back(std::isnan(part[i]) ? 0 : std::clamp(part[i], -8.0f, 8.0f));
    }
  }
  if (sound.samples.empty()) return Status(StatusCode::kUnreadable, path + ": has no samples");
  return sound;
}

}  // namespace godwit
