#include "base/bytes.h"

#include <string>

namespace godwit {

Result<uint64_t> ByteReader::Little(size_t count) {
  if (remaining() < count) {
    return Status(StatusCode::kTruncated, "ends at byte " + std::to_string(bytes_.size()) + ", " +
                                              std::to_string(count) + " wanted at " +
                                              std::to_string(offset_));
  }
  uint64_t v = 0;
  for (size_t i = 0; i < count; ++i) {
    v |= std::to_integer<uint64_t>(bytes_[offset_ + i]) << (8 * i);
  }
  offset_ += count;
  return v;
}

Result<uint8_t> ByteReader::U8() {
  GODWIT_ASSIGN_OR_RETURN(const uint64_t v, Little(1));
  return static_cast<uint8_t>(v);
}
Result<uint16_t> ByteReader::U16() {
  GODWIT_ASSIGN_OR_RETURN(const uint64_t v, Little(2));
  return static_cast<uint16_t>(v);
}
Result<uint32_t> ByteReader::U32() {
  GODWIT_ASSIGN_OR_RETURN(const uint64_t v, Little(4));
  return static_cast<uint32_t>(v);
}
Result<uint64_t> ByteReader::U64() { return Little(8); }

Result<uint64_t> ByteReader::Varint() {
  const size_t start = offset_;
  uint64_t v = 0;
  for (int shift = 0;; shift += 7) {
    GODWIT_ASSIGN_OR_RETURN(const uint8_t b, U8());
    const bool too_long = shift == 63 && b > 1;
    const bool padded = shift > 0 && b == 0;
    if (too_long || padded) {
      return Status(StatusCode::kCorrupt, "bad varint at byte " + std::to_string(start));
    }
    v |= uint64_t{b & 0x7fu} << shift;
    if (b < 0x80) return v;
  }
}

Result<std::span<const std::byte>> ByteReader::Take(uint64_t count) {
  if (remaining() < count) {
    return Status(StatusCode::kTruncated, "ends at byte " + std::to_string(bytes_.size()) + ", " +
                                              std::to_string(count) + " wanted at " +
                                              std::to_string(offset_));
  }
  const auto s = bytes_.subspan(offset_, static_cast<size_t>(count));
  offset_ += static_cast<size_t>(count);
  return s;
}

void ByteWriter::Little(uint64_t v, int count) {
  for (int i = 0; i < count; ++i) U8(static_cast<uint8_t>(v >> (8 * i)));
}

void ByteWriter::Varint(uint64_t v) {
  for (; v >= 0x80; v >>= 7) U8(static_cast<uint8_t>(v | 0x80));
  U8(static_cast<uint8_t>(v));
}

// Out of line: inlined, GCC 12 sees an overflow that is not there.
void ByteWriter::Append(std::span<const std::byte> s) {
  bytes_.insert(bytes_.end(), s.begin(), s.end());
}

size_t VarintSize(uint64_t v) {
  size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

}  // namespace godwit
