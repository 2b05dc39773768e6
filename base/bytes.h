// base/bytes.h: bounded reading and writing of little-endian bytes and varints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace godwit {

using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> AsBytes(std::span<const uint8_t> s) { return std::as_bytes(s); }

// Reads from a borrowed span. Every call checks what is left; kTruncated names the offset.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  Result<uint8_t> U8();
  Result<uint16_t> U16();
  Result<uint32_t> U32();
  Result<uint64_t> U64();
  // LEB128, shortest form only, at most 64 bits; a longer form is kCorrupt.
  Result<uint64_t> Varint();
  // The next `count` bytes, borrowed.
  Result<std::span<const std::byte>> Take(uint64_t count);

 private:
  Result<uint64_t> Little(size_t count);
  std::span<const std::byte> bytes_;
  size_t offset_ = 0;
};

// Appends to an owned buffer.
class ByteWriter {
 public:
  void U8(uint8_t v) { bytes_.push_back(static_cast<std::byte>(v)); }
  void U16(uint16_t v) { Little(v, 2); }
  void U32(uint32_t v) { Little(v, 4); }
  void U64(uint64_t v) { Little(v, 8); }
  void Varint(uint64_t v);
  void Append(std::span<const std::byte> s);
  size_t size() const { return bytes_.size(); }
  const Bytes& bytes() const { return bytes_; }
  Bytes Release() { return std::move(bytes_); }

 private:
  void Little(uint64_t v, int count);
  Bytes bytes_;
};

// Bytes that Varint(v) takes: 1 for v < 128, at most 10.
size_t VarintSize(uint64_t v);

}  // namespace godwit
