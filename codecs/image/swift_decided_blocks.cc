// The decisions of a band's blocks, in their order: docs/format/entropy.md, section 4.4.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "codecs/image/swift_band_context.h"

namespace godwit::swift::band_context_internal {

void DecideScalar(const BandContexts& contexts, uint32_t nonzero, int size, uint32_t base,
                  uint32_t out[kLanes]) {
  const int first = std::countr_zero(nonzero);
  for (int i = 0; i < size; ++i) {
    const int scale = std::min<int>(contexts.scale_class[static_cast<size_t>(i)], kZeroClasses - 1);
    const int state = i > first ? 0 : i == size - 2 ? 2 : 1;
    out[i] = 2 * (base + static_cast<uint32_t>(scale * kZeroStates + state)) + (nonzero >> i & 1);
  }
}

DecidedBlocks DecideBlocksScalar(const BandContexts* contexts, const int16_t* values,
                                 const uint16_t* nonzero, size_t count, int size,
                                 const KindDecisions& kind, uint32_t* out) {
  uint32_t* at = out;
  for (size_t k = 0; k < count; ++k, ++contexts, values += kLanes) {
    uint32_t* const block = at;
    const uint32_t lanes = nonzero[k];
    std::array<uint32_t, kLanes> zero;
    DecideScalar(*contexts, lanes, size, kind.zero / 2, zero.data());
    // The last lane of a block with nothing before it cannot be zero.
    const int asked = lanes >> (size - 1) == 1 && std::has_single_bit(lanes) ? size - 1 : size;
    for (int i = 0; i < size; ++i) {
      const auto iz = static_cast<size_t>(i);
      if (i < asked) *at++ = zero[iz];
      if ((lanes >> i & 1) == 0) continue;
      const int value = values[i], t = contexts->mean[iz], scale = contexts->scale_class[iz];
      if (std::abs(value) > kMostDecidedValue || scale > kMostDecidedClass)
        return {k, static_cast<size_t>(block - out)};
      *at++ = kind.sign + 2u * kSignLevel[static_cast<size_t>(std::min(std::abs(t), kMostSignT))] +
              ((value < 0) != (t < 0));
      const uint32_t magnitude =
          kind.magnitude +
          2u * kUnaryContexts *
              static_cast<uint32_t>(std::max(scale - (kClasses - kMagnitudeClasses), 0));
      *at++ = magnitude + (std::abs(value) > 1);
      if (std::abs(value) > 1) *at++ = magnitude + 2;
    }
  }
  return {count, static_cast<size_t>(at - out)};
}

}  // namespace godwit::swift::band_context_internal
