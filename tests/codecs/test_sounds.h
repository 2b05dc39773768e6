// tests/codecs/test_sounds.h: sounds made in code, in integers only.
#pragma once

#include <cstdint>
#include <vector>

namespace godwit {

// Interleaved 24-bit samples: on each channel two decaying tones of a triangle wave and some noise.
inline std::vector<int32_t> TestSound(size_t samples, size_t channels, uint32_t seed = 1) {
  std::vector<int32_t> out(samples * channels);
  uint32_t noise = seed;
  for (size_t i = 0; i < samples; ++i) {
    for (size_t c = 0; c < channels; ++c) {
      int64_t v = 0;
      for (const uint32_t period : {61u + 7 * static_cast<uint32_t>(c % 3), 150u}) {
        const auto phase = static_cast<int64_t>(i % period);
        const int64_t triangle = 4 * std::abs(2 * phase - static_cast<int64_t>(period));
        const auto age = static_cast<int64_t>(i % 9000);
        v += (triangle - 2 * period) * (9000 - age) * 4000 / (9000 * static_cast<int64_t>(period));
      }
      noise = noise * 1664525 + 1013904223;
      v = v * 200 + (static_cast<int32_t>(noise) >> 16) * 2;
      out[i * channels + c] = static_cast<int32_t>(v);
    }
  }
  return out;
}

}  // namespace godwit
