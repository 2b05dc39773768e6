// eval/delay_signal.h: how long a codec keeps a sample, by feeding it a little at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// Two seconds of steady noise.
Sound DelaySignal(uint32_t rate_hz, uint32_t channels);

// Pushes the sound in pieces of 64 frames. `push` returns how many frames of it, from its first on,
// a decoder could give back from all packets that have come. The most frames that were given and
// could not be given back, past the first half second, in seconds.
Result<double> MeasuredDelay(const Sound& sound,
                             const std::function<Result<int64_t>(size_t from, size_t count)>& push);

}  // namespace godwit
