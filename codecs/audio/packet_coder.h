// codecs/audio/packet_coder.h: what the parts of a packet share, for BitWriter and BitReader.
#pragma once

#include <cstdint>

#include "codecs/audio/symbol_mixer.h"
#include "entropy/bit_mixer.h"
#include "entropy/bit_stream.h"

namespace godwit::audio {

// For coders that want to know what a context has seen.
template <typename Coder>
void Tell(Coder& coder, const CountedBit& context, bool bit) {
  if constexpr (requires { coder.Saw(context, bit); }) coder.Saw(context, bit);
}

// A bit with one opinion.
template <typename Coder>
bool CodeCounted(Coder& coder, bool bit, CountedBit& context, int limit) {
  const uint32_t p1 = Squashed(bit_mixer_internal::kStretch[context.p1 >> 4]);
  bit = coder.CodeBit(bit, p1);
  Tell(coder, context, bit);
  context.Update(bit, limit);
  return bit;
}

}  // namespace godwit::audio
