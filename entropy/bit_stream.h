// entropy/bit_stream.h: both range coders with the same calls, so that what codes a symbol is
// written once for both directions. The reader ignores the values it is given and returns those it
// finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "entropy/range_coder.h"

namespace godwit {

class BitWriter {
 public:
  static constexpr bool kWrites = true;
  explicit BitWriter(std::span<std::byte> out) : coder_(out) {}
  bool CodeBit(bool bit, uint32_t p1) {
    coder_.EncodeBit(bit, p1);
    return bit;
  }
  uint32_t CodeRaw(uint32_t value, int count) {
    coder_.EncodeRaw(value, count);
    return value;
  }
  Result<size_t> Finish() { return coder_.Finish(); }
  Result<size_t> FinishOpen() { return coder_.FinishOpen(); }

 private:
  RangeEncoder coder_;
};

class BitReader {
 public:
  static constexpr bool kWrites = false;
  explicit BitReader(std::span<const std::byte> in) : coder_(in) {}
  bool CodeBit(bool, uint32_t p1) { return coder_.DecodeBit(p1); }
  uint32_t CodeRaw(uint32_t, int count) { return coder_.DecodeRaw(count); }
  Status Finish() const { return coder_.Finish(); }
  Result<size_t> FinishOpen() const { return coder_.FinishOpen(); }

 private:
  RangeDecoder coder_;
};

}  // namespace godwit
