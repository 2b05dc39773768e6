// codecs/audio/symbol_mixer.h: opinions about a bit of a symbol, weighed: BitMixer in 16 bits, so
// that eight weights are one vector. docs/format/audio.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "entropy/bit_mixer.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// The definition.
inline int MixPlain(const Opinions& opinions, const SymbolWeights& weights) {
  int sum = 0;  // at most 8 * 2559 * 2^15
  for (size_t i = 0; i < 8; ++i) sum += opinions.x[i] * weights.w[i];
  return std::clamp(sum >> 14, -kMaxLogOdds, kMaxLogOdds);
}
// error: half of 65535 * bit - p1, rounded down.
inline void LearnPlain(const Opinions& opinions, int error, SymbolWeights* weights) {
  for (size_t i = 0; i < 8; ++i) {
    const int step = (((opinions.x[i] * 4 * error) >> 16) + 2) >> 2;
    weights->w[i] = static_cast<int16_t>(std::clamp(weights->w[i] + step, -32768, 32767));
  }
}

#if defined(__SSE2__)
// Built in a register: stored one by one, the eight could not be loaded at once without a stall.
using Heard = __m128i;
inline Heard Hear(int a, int b, int c, int d, int e) {
  const auto s = [](int v) { return static_cast<int16_t>(v); };
  return _mm_set_epi16(0, 0, kConstantOpinion, s(e), s(d), s(c), s(b), s(a));
}
inline int Mix(Heard x, const SymbolWeights& weights) {
  const __m128i w = _mm_load_si128(reinterpret_cast<const __m128i*>(weights.w.data()));
  const __m128i four = _mm_madd_epi16(x, w);
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  const __m128i one = _mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1));
  return std::clamp(_mm_cvtsi128_si32(one) >> 14, -kMaxLogOdds, kMaxLogOdds);
}
inline void Learn(Heard x, int error, SymbolWeights* weights) {
  __m128i* const to = reinterpret_cast<__m128i*>(weights->w.data());
  const __m128i high =
      _mm_mulhi_epi16(_mm_slli_epi16(x, 2), _mm_set1_epi16(static_cast<int16_t>(error)));
  const __m128i step = _mm_srai_epi16(_mm_add_epi16(high, _mm_set1_epi16(2)), 2);
  _mm_store_si128(to, _mm_adds_epi16(_mm_load_si128(to), step));
}
#else
using Heard = Opinions;
inline Heard Hear(int a, int b, int c, int d, int e) {
  const auto s = [](int v) { return static_cast<int16_t>(v); };
  return {{s(a), s(b), s(c), s(d), s(e), kConstantOpinion, 0, 0}};
}
inline int Mix(const Heard& o, const SymbolWeights& w) { return MixPlain(o, w); }
inline void Learn(const Heard& o, int error, SymbolWeights* w) { LearnPlain(o, error, w); }
#endif

}  // namespace godwit::audio
