// eval/resampled.h: a whole sound at another rate.
#pragma once

#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// frames * rate_hz / sound.rate_hz frames, rounded; the same sound where the rate is its own.
Result<Sound> Resampled(const Sound& sound, uint32_t rate_hz);
// `decoded`, at any rate, becomes the samples of `sound`, at its rate and of its length: a frame
// more or less, of rounding, is left out or silent.
Status FillResampled(const Sound& decoded, Sound* sound);

}  // namespace godwit
