// codecs/audio/packet_list.h: decisions of a packet that are made, to be coded together. Modelling
// and coding each run faster alone: a bit that costs a byte is mispredicted, and modelling of the
// next would wait for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "entropy/range_coder.h"

namespace godwit::audio {

// A decision in 32 bits. Of a bit: does it add to the range's low end, does it leave the upper
// part, and from bit 2 on p1. A raw 1 adds and leaves the lower part, as the upper may be one
// larger. Several raw bits: the top bit set, their number from bit 16 on, their value below.
using PacketDecision = uint32_t;

inline constexpr PacketDecision kSeveralRaw = 1u << 31;

// Takes decisions where a BitWriter would code them. Small: copy it into a local for a loop and
// take it back after.
class PacketWriter {
 public:
  static constexpr bool kWrites = true;
  explicit PacketWriter(PacketDecision* at) : at_(at) {}
  bool CodeBit(bool bit, uint32_t p1) {
    *at_++ = p1 << 2 | (bit ? 3u : 0u);
    return bit;
  }
  uint32_t CodeRaw(uint32_t value, int count) {
    *at_++ = count == 1 ? 32768u << 2 | value
                        : kSeveralRaw | static_cast<PacketDecision>(count) << 16 | value;
    return value;
  }
  const PacketDecision* at() const { return at_; }

 private:
  PacketDecision* at_;
};

// The most of a unit: a symbol takes 15 places, 24 of an escape, two of its raw bits and a sign, a
// band at most 100 others.
constexpr size_t MostDecisions(uint32_t hop) { return size_t{hop} * 42 + 56 * 100 * 2 + 8; }

// Codes a list. The encoder's buffer must have two bytes for each decision, and eight more.
void EncodePacketList(SimdLevel level, std::span<const PacketDecision> list, RangeEncoder& encoder);

}  // namespace godwit::audio
