// codecs/audio/packet_coder.h: both coders of a packet with the same calls, so that what codes a
// symbol is written once. The reader ignores the values it is given and returns those it finds.
#pragma once

#include <cstdint>
#include <span>

#include "entropy/bit_mixer.h"
#include "entropy/range_coder.h"

namespace godwit::audio {

class PacketWriter {
 public:
  static constexpr bool kWrites = true;
  explicit PacketWriter(std::span<std::byte> out) : coder_(out) {}
  bool CodeBit(bool bit, uint32_t p1) {
    coder_.EncodeBit(bit, p1);
    return bit;
  }
  uint32_t CodeRaw(uint32_t value, int count) {
    coder_.EncodeRaw(value, count);
    return value;
  }
  Result<size_t> Finish() { return coder_.FinishOpen(); }

 private:
  RangeEncoder coder_;
};

class PacketReader {
 public:
  static constexpr bool kWrites = false;
  explicit PacketReader(std::span<const std::byte> in) : coder_(in) {}
  bool CodeBit(bool, uint32_t p1) { return coder_.DecodeBit(p1); }
  uint32_t CodeRaw(uint32_t, int count) { return coder_.DecodeRaw(count); }
  Result<size_t> Finish() const { return coder_.FinishOpen(); }

 private:
  RangeDecoder coder_;
};

// A bit with one opinion.
template <typename Coder>
bool CodeCounted(Coder& coder, bool bit, CountedBit& context, int limit) {
  const uint32_t p1 = bit_mixer_internal::Squash(bit_mixer_internal::kStretch[context.p1 >> 4]);
  bit = coder.CodeBit(bit, p1);
  context.Update(bit, limit);
  return bit;
}

}  // namespace godwit::audio
