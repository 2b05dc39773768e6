// codecs/audio/trigonometry.h: sines in integers, so that all machines agree on every table.
// docs/format/audio.md section 3.
#pragma once

#include <cstdint>

namespace godwit::audio {

inline constexpr int kTwiddleBits = 30;

// 2^30 sin(pi * num / den) to the nearest integer; 0 <= num / den <= 1/2, den below 2^20. The
// series runs in 2^-60, far from where it could round otherwise.
int32_t SineQ30(uint32_t num, uint32_t den);
inline int32_t CosineQ30(uint32_t num, uint32_t den) { return SineQ30(den - 2 * num, 2 * den); }

}  // namespace godwit::audio
