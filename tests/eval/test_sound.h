// tests/eval/test_sound.h: sounds made in code, as make_sound_reference.py makes them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "eval/item.h"

namespace godwit {

// `name`: "original", or worse: "noise", "coarse", "scaled".
inline Sound MakeTestSound(uint32_t rate_hz, uint32_t channels, uint32_t frames,
                           const std::string& name = "original") {
  Sound sound{rate_hz, channels, 16, {}};
  uint32_t state = 1;
  std::vector<int32_t> level(channels);
  for (uint32_t i = 0; i < frames; ++i) {
    for (uint32_t c = 0; c < channels; ++c) {
      const auto draw = [&] {
        state = state * 1664525u + 1013904223u;
        return static_cast<int32_t>(state >> 16) - 32768;
      };
      level[c] += (draw() - level[c]) >> (2 + c);
      const int32_t x = (level[c] * std::abs(static_cast<int32_t>(2 * i % 6000) - 3000)) >> 11;
      const int32_t n = draw();
      const int32_t v = name == "noise"    ? x + (n >> 3)
                        : name == "coarse" ? x >> 9 << 9
                        : name == "scaled" ? (x * 3 >> 2) + (n >> 6)
                                           : x;
      sound.samples.push_back(static_cast<float>(v) / 32768);
    }
  }
  return sound;
}

}  // namespace godwit
