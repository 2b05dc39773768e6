// codecs/audio/symbol_classes.h: classes of sums of magnitudes. docs/format/audio.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "codecs/audio/sound_unit.h"

namespace godwit::audio {

// By ones at first, then four to an octave.
inline constexpr std::array<uint8_t, 256> kFineClass = [] {
  std::array<uint8_t, 256> table = {};
  for (uint32_t v = 0; v < 256; ++v) {
    uint32_t k = 0;
    while (v >> k >= 8) ++k;
    table[v] = static_cast<uint8_t>(std::min<size_t>(4 * k + (v >> k), kFineSums - 1));
  }
  return table;
}();

inline constexpr std::array<uint8_t, kSums - 1> kClassStarts = {1,  3,  5,  8,  11, 15,
                                                                20, 27, 38, 54, 80};
// Without a table, for loops that become vectors.
constexpr uint8_t ClassOf(uint8_t sum) {
  uint8_t c = 0;
  for (const uint8_t start : kClassStarts) c = static_cast<uint8_t>(c + (sum >= start ? 1 : 0));
  return c;
}
inline constexpr std::array<uint8_t, 256> kClass = [] {
  std::array<uint8_t, 256> table = {};
  for (uint32_t v = 0; v < 256; ++v) table[v] = ClassOf(static_cast<uint8_t>(v));
  return table;
}();

// The most that is added to a sum before a class is looked up.
inline size_t Limited(uint32_t sum) { return std::min<uint32_t>(sum, 255); }

}  // namespace godwit::audio
