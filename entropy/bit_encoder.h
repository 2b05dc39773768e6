// entropy/bit_encoder.h: bits of given probabilities into a buffer that grows.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "entropy/range_coder.h"

namespace godwit {

// One per substream.
class BitEncoder {
 public:
  // Forgets what was coded before and keeps the memory.
  void Start() {
    encoder_ = RangeEncoder(buffer_);
    room_ = 1;
  }
  // As RangeEncoder::EncodeBit() and EncodeRaw().
  void Bit(bool bit, uint32_t p1) {
    if (--room_ == 0) Reserve();
    encoder_.EncodeBit(bit, p1);
  }
  void Raw(uint32_t value, int count) {
    if (--room_ == 0) Reserve();
    encoder_.EncodeRaw(value, count);
  }
  // Flushes; the bytes are valid until Start(). Call once, last.
  Result<std::span<const std::byte>> Finish() {
    Reserve();
    GODWIT_ASSIGN_OR_RETURN(const size_t size, encoder_.Finish());
    return std::span<const std::byte>(buffer_).first(size);
  }

 private:
  static constexpr int kStride = 4096;  // symbols between looks at the room that is left
  // A symbol shifts out at most two bytes.
  void Reserve() {
    room_ = kStride;
    const size_t needed = encoder_.written() + 2 * kStride + 8;
    if (needed <= buffer_.size()) return;
    const size_t done = encoder_.stored();
    buffer_.resize(needed + needed / 2);
    encoder_.ContinueIn(buffer_, done);
  }

  Bytes buffer_;
  RangeEncoder encoder_{{}};
  int room_ = 1;
};

}  // namespace godwit
