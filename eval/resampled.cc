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

}  // namespace godwit
