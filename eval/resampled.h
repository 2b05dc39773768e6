// eval/resampled.h: a whole sound at another rate.
#pragma once

#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// frames * rate_hz / sound.rate_hz frames, rounded; the same sound where the rate is its own.
Result<Sound> Resampled(const Sound& sound, uint32_t rate_hz);

}  // namespace godwit
