// codecs/array/bit_coder.h: numbers as adaptive and raw bits, for BitWriter and BitReader.
#pragma once

#include <cstdint>

#include "entropy/adaptive_bit.h"
#include "entropy/bit_mixer.h"
#include "entropy/bit_stream.h"

namespace godwit::array {

// `count` <= 48 raw bits.
template <typename Coder>
uint64_t CodeWide(Coder& coder, uint64_t value, int count) {
  uint64_t out = 0;
  for (int left = count; left > 0;) {
    const int n = left < 16 ? left : 16;
    left -= n;
    out = out << n | coder.CodeRaw(static_cast<uint32_t>(value >> left & ((1u << n) - 1)), n);
  }
  return out;
}

// A bit by what its contexts say together; they and their weights learn from it.
template <size_t kInputs, typename Coder>
bool CodeMixed(Coder& coder, const std::array<CountedBit*, kInputs>& contexts,
               MixerWeights<kInputs>& weights, bool bit, int limit) {
  BitMixer<kInputs> mixer;
  bit = coder.CodeBit(bit, mixer.Predict(contexts, weights));
  mixer.Update(contexts, weights, bit, limit);
  return bit;
}

template <typename Coder>
bool CodeCounted(Coder& coder, CountedBit& context, bool bit) {
  constexpr int kLimit = 60;
  bit = coder.CodeBit(bit, std::clamp<uint32_t>(context.p1, 32, 65504));
  context.Update(bit, kLimit);
  return bit;
}

// A number below 2^48 as the place of its top bit in unary, then the bits below: Elias gamma with
// adaptive first half.
struct GammaModel {
  std::array<CountedBit, 49> top;
};
template <typename Coder>
uint64_t CodeGamma(Coder& coder, GammaModel& model, uint64_t value) {
  const uint64_t v = value + 1;
  const int bits = static_cast<int>(std::bit_width(v)) - 1;
  int n = 0;
  while (n < 48 && CodeCounted(coder, model.top[static_cast<size_t>(n)], bits > n)) ++n;
  return ((uint64_t{1} << n) | CodeWide(coder, v & ((uint64_t{1} << n) - 1), n)) - 1;
}
template <typename Coder>
int64_t CodeSignedGamma(Coder& coder, GammaModel& model, int64_t value) {
  const uint64_t folded =
      value < 0 ? 2 * static_cast<uint64_t>(-(value + 1)) + 1 : 2 * static_cast<uint64_t>(value);
  const uint64_t f = CodeGamma(coder, model, folded);
  const auto half = static_cast<int64_t>(f >> 1);
  return (f & 1) != 0 ? -half - 1 : half;
}

}  // namespace godwit::array
