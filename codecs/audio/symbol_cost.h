// codecs/audio/symbol_cost.h: the encoder's question whether a magnitude of 1 is worth its bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace godwit::audio {

// -log2((i + 1/2) / 256) in 1/256: what a bit costs.
inline constexpr std::array<uint16_t, 256> kBitCost = [] {
  std::array<uint16_t, 256> table = {};
  for (uint32_t i = 0; i < 256; ++i) {
    int log = 0;
    uint64_t x = 2 * i + 1;
    while (x >> (log + 1) != 0) ++log;
    x <<= 31 - log;
    for (int k = 0; k < 8; ++k) {  // a square doubles the logarithm and shows its next bit
      x = (x * x) >> 31;
      log = log * 2 + static_cast<int>(x >> 32);
      x >>= x >> 32;
    }
    table[i] = static_cast<uint16_t>(9 * 256 - log);
  }
  return table;
}();

// By the probability that a coefficient is not zero, p1 >> 8: up to which size, in 2^-8 steps, a
// magnitude of 1 is dearer than the squared error that it saves. `lambda` is what a bit is worth,
// in 2^-16 of a squared step.
using DroppedSizes = std::array<int32_t, 256>;
constexpr DroppedSizes MakeDroppedSizes(int lambda) {
  constexpr int64_t kSignAndEnd = 256 + 100;  // 1/256 bit
  DroppedSizes table = {};
  for (size_t i = 0; i < 256; ++i) {
    const int64_t bits = kBitCost[i] + kSignAndEnd - kBitCost[255 - i];
    // t^2 <= (t - 256)^2 + cost
    const int64_t cost = lambda * bits / 256 + (int64_t{1} << 16);
    table[i] = cost < 0 ? -1 : static_cast<int32_t>(cost / 512);
  }
  return table;
}

}  // namespace godwit::audio
