#include "codecs/audio/packet_list.h"

#include "base/per_level.h"

namespace godwit::audio {
namespace {

using Hot = RangeEncoder::Hot;

__attribute__((always_inline)) inline Hot Split(Hot h, PacketDecision d) {
  if ((d & kSeveralRaw) != 0) [[unlikely]] {
    return RangeEncoder::SplitRaw(h, d & 0xffff, static_cast<int>(d >> 16 & 31));
  }
  const uint32_t bound = SplitRange(h.range, d >> 2);
  h.low += bound & (0u - (d & 1));
  h.range = (d & 2) != 0 ? h.range - bound : bound;
  return h;
}

__attribute__((always_inline)) inline void EncodeAll(std::span<const PacketDecision> list,
                                                     RangeEncoder& encoder) {
  Hot hot = encoder.hot();
  for (const PacketDecision d : list) {
    hot = RangeEncoder::Normalise(Split(hot, d));
    if (RangeEncoder::IsFull(hot)) [[unlikely]]
      hot = RangeEncoder::Spill(hot);
  }
  encoder.set_hot(hot);
}

}  // namespace

void EncodePacketList(SimdLevel level, std::span<const PacketDecision> list,
                      RangeEncoder& encoder) {
  RunPerLevel<EncodeAll>(level, list, encoder);
}

}  // namespace godwit::audio
