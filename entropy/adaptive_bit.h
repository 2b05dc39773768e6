// entropy/adaptive_bit.h: the probability of one decision, learned from the bits it has coded.
// docs/format/entropy.md section 3.
#pragma once

#include <cassert>
#include <cstdint>

#include "entropy/range_coder.h"

namespace godwit {

inline constexpr int kMinAdaptRate = 4, kMaxAdaptRate = 8;

// A context of a model: start it at a trained p1, then let each bit move it by about 2^-rate of the
// way. Encoder and decoder agree as long as they start alike.
struct AdaptiveBit {
  uint16_t p1 = 1u << 15;  // probability of a 1 in 2^-16; never 0

  // p1 stays in 1..65535. With h = 2^(rate - 1) and >> rounding down:
  //  0: p1 <= h is left alone; else it falls by ceil((p1 - h) / 2^rate) <= p1 - h, so to h or
  //  above. 1: with q = 65536 - p1, q < h is left alone; else q falls by floor((q + h) / 2^rate),
  //  at most
  //     q / 16 + 1/2 < q for q >= 1, so q stays above 0.
  // Rounding to nearest: without h, as in LZMA, p1 stalls twice as far from 0 and 65536, and the
  // likeliest bits cost twice as much.
  void Update(bool bit, int rate) {
    assert(rate >= kMinAdaptRate && rate <= kMaxAdaptRate && p1 > 0);
    const int32_t target = static_cast<int32_t>(bit) << kScaleBits;
    p1 = static_cast<uint16_t>(p1 + ((target - p1 + (1 << (rate - 1))) >> rate));
  }
};

inline void EncodeAdaptive(RangeEncoder& encoder, AdaptiveBit& model, bool bit, int rate) {
  encoder.EncodeBit(bit, model.p1);
  model.Update(bit, rate);
}

inline bool DecodeAdaptive(RangeDecoder& decoder, AdaptiveBit& model, int rate) {
  const bool bit = decoder.DecodeBit(model.p1);
  model.Update(bit, rate);
  return bit;
}

}  // namespace godwit
