#include "entropy/decision_list.h"

#include <algorithm>

#include "base/per_level.h"

namespace godwit {

// A decision shifts out at most two bytes.
void DecisionEncoder::Reserve(size_t decisions) {
  const size_t needed = encoder_.written() + 2 * decisions + 8;
  if (needed <= buffer_.size()) return;
  buffer_.resize(needed + needed / 2 + 256);
  encoder_.ContinueIn(buffer_);
}

namespace {

using Hot = RangeEncoder::Hot;

// Out of the loop: its registers are not in the way.
__attribute__((noinline, cold)) Hot EncodeRaw(RangeEncoder& encoder, Hot hot, Decision d) {
  encoder.set_hot(hot);
  encoder.EncodeRaw(d & 0xffff, static_cast<int>(d >> 16 & 31));
  return encoder.hot();
}

// One decision; `hot` is the encoder's, whose buffer has room.
__attribute__((always_inline)) inline void Step(RangeEncoder& encoder, Hot& hot, Decision d,
                                                AdaptiveBit* contexts) {
  if ((d & kRawDecision) != 0) [[unlikely]] {
    hot = EncodeRaw(encoder, hot, d);
    return;
  }
  AdaptiveBit& context = contexts[d >> 1];
  const bool bit = (d & 1) != 0;
  hot = RangeEncoder::Normalise(RangeEncoder::Split(hot, bit, context.p1));
  context.Update(bit, kDecisionRate);
  if (RangeEncoder::IsFull(hot)) [[unlikely]]
    hot = RangeEncoder::Spill(hot);
}

__attribute__((always_inline)) inline void EncodeAll(RangeEncoder& encoder,
                                                     std::span<const Decision> decisions,
                                                     AdaptiveBit* contexts) {
  Hot hot = encoder.hot();
  for (const Decision d : decisions) Step(encoder, hot, d, contexts);
  encoder.set_hot(hot);
}

__attribute__((always_inline)) inline void EncodeBoth(RangeEncoder& a, const Decision* at_a,
                                                      RangeEncoder& b, const Decision* at_b,
                                                      size_t count, AdaptiveBit* contexts) {
  Hot hot_a = a.hot(), hot_b = b.hot();
  for (const Decision* const end = at_a + count; at_a != end; ++at_a, ++at_b) {
    Step(a, hot_a, *at_a, contexts);
    Step(b, hot_b, *at_b, contexts);
  }
  a.set_hot(hot_a);
  b.set_hot(hot_b);
}

}  // namespace

void DecisionEncoder::Encode(SimdLevel level, std::span<const Decision> decisions,
                             AdaptiveBit* contexts) {
  Reserve(decisions.size());
  RunPerLevel<EncodeAll>(level, encoder_, decisions, contexts);
}

void DecisionEncoder::EncodeTwo(SimdLevel level, DecisionEncoder& a, std::span<const Decision> of_a,
                                DecisionEncoder& b, std::span<const Decision> of_b,
                                AdaptiveBit* contexts) {
  const size_t both = std::min(of_a.size(), of_b.size());
  a.Reserve(of_a.size());
  b.Reserve(of_b.size());
  const Decision *const at_a = of_a.data(), *const at_b = of_b.data();
  RunPerLevel<EncodeBoth>(level, a.encoder_, at_a, b.encoder_, at_b, both, contexts);
  a.Encode(level, of_a.subspan(both), contexts);
  b.Encode(level, of_b.subspan(both), contexts);
}

Result<std::span<const std::byte>> DecisionEncoder::Finish() {
  Reserve(0);
  GODWIT_ASSIGN_OR_RETURN(const size_t size, encoder_.Finish());
  return std::span<const std::byte>(buffer_).first(size);
}

}  // namespace godwit
