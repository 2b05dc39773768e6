// codecs/audio/symbol_surroundings.h: what contexts of symbols see of the frame before and of the
// first channel: known before a channel begins, so for all of its coefficients at once.
// docs/format/audio.md section 8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codecs/audio/sound_unit.h"
#include "codecs/audio/symbol_classes.h"

namespace godwit::audio {

// Of a channel of `hop` coefficients whose magnitudes in the frame before are `before`, and those
// of the first channel in this frame `first`: null for the first channel itself.
// Plain loops over bytes: 32 coefficients at once with AVX2.
inline void LookAround(size_t hop, const uint8_t* __restrict before,
                       const uint8_t* __restrict first, Surroundings& around) {
  uint8_t* __restrict sum = around.sum.data();
  uint8_t* __restrict row = around.row.data();
  uint8_t* __restrict near = around.near.data();
  const auto narrow = [](int v) __attribute__((always_inline)) { return static_cast<uint8_t>(v); };
  for (size_t i = 0; i < hop; ++i) {  // at most 15 * 10
    sum[i] = narrow(4 * before[i] + 2 * (*(before + i - 1) + before[i + 1]) + *(before + i - 2) +
                    before[i + 2]);
  }
  for (size_t i = 0; i < hop; ++i) row[i] = narrow(ClassOf(sum[i]) * 8);
  if (first == nullptr) {
    for (size_t i = 0; i < hop; ++i) {
      const auto beside = narrow(*(before + i - 1) + before[i + 1]);
      near[i] = narrow(std::min<uint8_t>(before[i], 3) * 4 + std::min<uint8_t>(beside, 3));
    }
    return;
  }
  for (size_t i = 0; i < hop; ++i) {
    const auto beside = narrow(3 * first[i] + *(first + i - 1) + first[i + 1]);  // at most 15 * 5
    sum[i] = narrow(sum[i] + beside);
    row[i] = narrow(row[i] + std::min<uint8_t>(ClassOf(beside), 7));
    near[i] = narrow(std::min<uint8_t>(before[i], 3) * 4 + std::min<uint8_t>(first[i], 3));
  }
}

}  // namespace godwit::audio
