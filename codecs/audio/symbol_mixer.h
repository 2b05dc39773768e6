// codecs/audio/symbol_mixer.h: opinions about a bit of a symbol, weighed: BitMixer in 16 bits, so
// that eight weights are one vector. docs/format/audio.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "entropy/bit_mixer.h"

namespace godwit::audio {

inline constexpr size_t kOpinions = 6;  // five contexts and a constant
inline constexpr int16_t kConstantOpinion = 256;
inline constexpr int kMaxSymbolWeight = 32767;

// squash() of all log odds: a look-up instead of an interpolation.
inline constexpr std::array<uint16_t, 2 * kMaxLogOdds + 1> kSquashed = [] {
  std::array<uint16_t, 2 * kMaxLogOdds + 1> table = {};
  for (int x = -kMaxLogOdds; x <= kMaxLogOdds; ++x) {
    table[static_cast<size_t>(x + kMaxLogOdds)] =
        static_cast<uint16_t>(bit_mixer_internal::Squash(x));
  }
  return table;
}();
inline uint32_t Squashed(int x) { return kSquashed[static_cast<size_t>(x + kMaxLogOdds)]; }

// 2^-14 each; the last two stay 0.
struct alignas(16) SymbolWeights {
  std::array<int16_t, 8> w = {4096, 4096, 4096, 4096, 4096, 0, 0, 0};
};
struct alignas(16) Opinions {
  std::array<int16_t, 8> x = {};  // log odds in 1/256, within +-2559
};

inline int Mix(const Opinions& opinions, const SymbolWeights& weights) {
  int sum = 0;  // at most 8 * 2559 * 2^15
  for (size_t i = 0; i < 8; ++i) sum += opinions.x[i] * weights.w[i];
  return std::clamp(sum >> 14, -kMaxLogOdds, kMaxLogOdds);
}
// error: half of 65535 * bit - p1, rounded down.
inline void Learn(const Opinions& opinions, int error, SymbolWeights* weights) {
  for (size_t i = 0; i < 8; ++i) {
    const int step = (((opinions.x[i] * 4 * error) >> 16) + 2) >> 2;
    weights->w[i] = static_cast<int16_t>(std::clamp(weights->w[i] + step, -32768, 32767));
  }
}

}  // namespace godwit::audio
