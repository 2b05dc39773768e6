#include "eval/delay_signal.h"

#include <algorithm>

namespace godwit {

Sound DelaySignal(uint32_t rate_hz, uint32_t channels) {
  Sound noise{rate_hz, channels, 16, {}};
  uint32_t state = 1;
  for (size_t i = 0; i < size_t{2} * rate_hz * channels; ++i) {
    state = state * 1664525u + 1013904223u;
    noise.samples.push_back((static_cast<float>(state >> 16) / 32768 - 1) / 4);
  }
  return noise;
}

Result<double> MeasuredDelay(
    const Sound& sound, const std::function<Result<int64_t>(size_t from, size_t count)>& push) {
  constexpr size_t kPiece = 64;
  int64_t most = 0, held = 0;
  for (size_t at = 0; at + kPiece <= sound.frames(); at += kPiece) {
    GODWIT_ASSIGN_OR_RETURN(const int64_t decodable, push(at, kPiece));
    // What came just before this piece is held until the piece after is taken.
    if (at > sound.rate_hz / 2) most = std::max(most, held + static_cast<int64_t>(kPiece));
    held = static_cast<int64_t>(at + kPiece) - decodable;
  }
  return static_cast<double>(most) / sound.rate_hz;
}

}  // namespace godwit
