// codecs/image/swift_bit_cost.h: what decisions of the `lite` model cost, for searches in the
// encoder. Costs are in bits, as float multiples of 2^-12: the same on every machine.
#pragma once

#include <array>
#include <cstdint>

#include "codecs/image/swift_model.h"
#include "entropy/adaptive_bit.h"

namespace godwit::swift {

// Cost of an outcome by its probability in 2^-12, rounded to the middle of each 2^-12.
class BitCosts {
 public:
  static const BitCosts& Get();
  // Of a bit whose probability of a 1 is p1 * 2^-16.
  float Of(bool bit, AdaptiveBit context) const {
    const uint32_t p = bit ? context.p1 : 65536u - context.p1;
    return table_[(p - 1) >> 4];
  }

 private:
  BitCosts();
  std::array<float, 4096> table_;
};

// Of the sign and the magnitude of a nonzero value in a context, as ContextCoder codes them.
class ValueCosts {
 public:
  ValueCosts(const AdaptiveBit* contexts, int kind, int scale, int mean)
      : costs_(BitCosts::Get()),
        contexts_(contexts),
        magnitude_(ContextParameters::MagnitudeContext(kind, scale)),
        low_bits_(scale / 2 > 8 ? scale / 2 - 8 : 0),
        sign_(kind),
        mean_(mean) {}
  float Sign(bool negative) const;
  float Magnitude(int magnitude) const;  // 1 and more

 private:
  const BitCosts& costs_;
  const AdaptiveBit* contexts_;
  int magnitude_, low_bits_, sign_, mean_;
};

// Moves the contexts of a nonzero value as coding it would.
void AdaptToValue(AdaptiveBit* contexts, int value, int kind, int scale, int mean);

}  // namespace godwit::swift
