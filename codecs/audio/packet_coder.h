// codecs/audio/packet_coder.h: what the parts of a packet share, for BitWriter and BitReader.
#pragma once

#include <cstdint>

#include "entropy/bit_mixer.h"
#include "entropy/bit_stream.h"

namespace godwit::audio {

// A bit with one opinion.
template <typename Coder>
bool CodeCounted(Coder& coder, bool bit, CountedBit& context, int limit) {
  const uint32_t p1 = bit_mixer_internal::Squash(bit_mixer_internal::kStretch[context.p1 >> 4]);
  bit = coder.CodeBit(bit, p1);
  context.Update(bit, limit);
  return bit;
}

}  // namespace godwit::audio
