#include "entropy/decision_list.h"

#include <algorithm>

namespace godwit {

// A decision shifts out at most two bytes; bytes held back for a carry come on top.
void DecisionEncoder::Reserve(size_t decisions) {
  const size_t needed = encoder_.written() + encoder_.pending() + 2 * decisions + 8;
  if (needed <= buffer_.size()) return;
  buffer_.resize(needed + needed / 2 + 256);
  encoder_.ContinueIn(buffer_);
}

namespace {

// One decision; `hot` is the encoder's.
__attribute__((always_inline)) inline RangeEncoder::Hot Step(RangeEncoder& encoder,
                                                             RangeEncoder::Hot hot, Decision d,
                                                             AdaptiveBit* contexts) {
  if ((d & kRawDecision) != 0) [[unlikely]] {
    encoder.set_hot(hot);
    encoder.EncodeRaw(d & 0xffff, static_cast<int>(d >> 16 & 31));
    return encoder.hot();
  }
  AdaptiveBit& context = contexts[d >> 1];
  const bool bit = (d & 1) != 0;
  hot = RangeEncoder::Split(hot, bit, context.p1);
  context.Update(bit, kDecisionRate);
  if (hot.range < RangeEncoder::kMinRange) [[unlikely]]
    return encoder.Renormalise(hot);
  return hot;
}

}  // namespace

void DecisionEncoder::Encode(std::span<const Decision> decisions, AdaptiveBit* contexts) {
  Reserve(decisions.size());
  RangeEncoder::Hot hot = encoder_.hot();
  for (const Decision d : decisions) hot = Step(encoder_, hot, d, contexts);
  encoder_.set_hot(hot);
}

void DecisionEncoder::EncodeTwo(DecisionEncoder& a, std::span<const Decision> of_a,
                                DecisionEncoder& b, std::span<const Decision> of_b,
                                AdaptiveBit* contexts) {
  const size_t both = std::min(of_a.size(), of_b.size());
  a.Reserve(of_a.size());
  b.Reserve(of_b.size());
  RangeEncoder::Hot hot_a = a.encoder_.hot(), hot_b = b.encoder_.hot();
  const Decision *at_a = of_a.data(), *at_b = of_b.data();
  for (const Decision* const end = at_a + both; at_a != end; ++at_a, ++at_b) {
    hot_a = Step(a.encoder_, hot_a, *at_a, contexts);
    hot_b = Step(b.encoder_, hot_b, *at_b, contexts);
  }
  a.encoder_.set_hot(hot_a);
  b.encoder_.set_hot(hot_b);
  a.Encode(of_a.subspan(both), contexts);
  b.Encode(of_b.subspan(both), contexts);
}

Result<std::span<const std::byte>> DecisionEncoder::Finish() {
  Reserve(0);
  GODWIT_ASSIGN_OR_RETURN(const size_t size, encoder_.Finish());
  return std::span<const std::byte>(buffer_).first(size);
}

}  // namespace godwit
