#include "eval/resampled.h"

#include "io/resample.h"

namespace godwit {

Result<Sound> Resampled(const Sound& sound, uint32_t rate_hz) {
  if (rate_hz == sound.rate_hz) return sound;
  GODWIT_ASSIGN_OR_RETURN(Resampler resampler,
                          Resampler::Create(sound.rate_hz, rate_hz, sound.channels));
  Sound out{rate_hz, sound.channels, sound.bits, {}};
  GODWIT_RETURN_IF_ERROR(resampler.Push(sound.samples, out.samples));
  GODWIT_RETURN_IF_ERROR(resampler.Finish(out.samples));
  return out;
}

Status FillResampled(const Sound& decoded, Sound* sound) {
  GODWIT_ASSIGN_OR_RETURN(Sound back, Resampled(decoded, sound->rate_hz));
  back.samples.resize(sound->samples.size());
  sound->samples = std::move(back.samples);
  return {};
}

}  // namespace godwit
