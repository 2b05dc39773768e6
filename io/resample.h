// io/resample.h: sound at another rate, by soxr. Float: encoders and listeners use it, no decoder.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"

namespace godwit {

// In pieces of any size. One per signal.
class Resampler {
 public:
  // Rates from 1 to 10 MHz, 1 to 64 channels.
  static Result<Resampler> Create(uint32_t from_hz, uint32_t to_hz, uint32_t channels);
  Resampler(Resampler&&) noexcept;
  ~Resampler();
  // Interleaved frames in; appends those that follow from them.
  Status Push(std::span<const float> frames, std::vector<float>& out);
  // The end: appends the rest. Call once, last. In all, frames * to_hz / from_hz come out, rounded.
  Status Finish(std::vector<float>& out);

 private:
  struct State;
  explicit Resampler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace godwit
