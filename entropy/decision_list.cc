#include "entropy/decision_list.h"

#include <algorithm>
#include <cassert>

#include "base/per_level.h"
#include "entropy/decision_lanes.h"

namespace godwit {

// A decision shifts out at most two bytes.
void DecisionEncoder::Reserve(size_t decisions) {
  const size_t needed = encoder_.written() + 2 * decisions + 8;
  if (needed <= buffer_.size()) return;
  const size_t done = encoder_.stored();
  buffer_.resize(needed + needed / 2 + 256);
  encoder_.ContinueIn(buffer_, done);
}

namespace {

using Hot = RangeEncoder::Hot;

// One decision; `hot` is the encoder's, whose buffer has room.
__attribute__((always_inline)) inline void Step(Hot& hot, Decision d, AdaptiveBit* contexts) {
  if ((d & kRawDecision) != 0) [[unlikely]] {
    hot = RangeEncoder::SplitRaw(hot, d & 0xffff, static_cast<int>(d >> 16 & 31));
  } else {
    AdaptiveBit& context = contexts[d >> 1];
    const bool bit = (d & 1) != 0;
    hot = RangeEncoder::Split(hot, bit, context.p1);
    context.Update(bit, kDecisionRate);
  }
  hot = RangeEncoder::Normalise(hot);
  if (RangeEncoder::IsFull(hot)) [[unlikely]]
    hot = RangeEncoder::Spill(hot);
}

__attribute__((always_inline)) inline void EncodeAll(RangeEncoder& encoder,
                                                     std::span<const Decision> decisions,
                                                     AdaptiveBit* contexts) {
  Hot hot = encoder.hot();
  for (const Decision d : decisions) Step(hot, d, contexts);
  encoder.set_hot(hot);
}

__attribute__((always_inline)) inline void EncodeBoth(RangeEncoder& a, const Decision* at_a,
                                                      RangeEncoder& b, const Decision* at_b,
                                                      size_t count, AdaptiveBit* contexts) {
  Hot hot_a = a.hot(), hot_b = b.hot();
  for (const Decision* const end = at_a + count; at_a != end; ++at_a, ++at_b) {
    Step(hot_a, *at_a, contexts);
    Step(hot_b, *at_b, contexts);
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

// What all lists have, in whole groups; returns how many decisions of each.
size_t DecisionEncoder::EncodeCommon(SimdLevel level, std::span<const Work> work,
                                     AdaptiveBit* contexts) {
  size_t n = work[0].decisions.size();
  for (const Work& w : work) n = std::min(n, w.decisions.size());
  n -= n % kDecisionGroup;
#if defined(__x86_64__)
  if (level != SimdLevel::kScalar) {
    std::array<DecisionLane, kDecisionLanes> lanes;
    for (size_t i = 0; i < work.size(); ++i)
      lanes[i] = {work[i].encoder->encoder_.hot(), work[i].decisions.data()};
    EncodeLanes(lanes, work.size(), n / kDecisionGroup, contexts);
    for (size_t i = 0; i < work.size(); ++i) work[i].encoder->encoder_.set_hot(lanes[i].hot);
    return n;
  }
#endif
  EncodeBoth(work[0].encoder->encoder_, work[0].decisions.data(), work[1].encoder->encoder_,
             work[1].decisions.data(), n, contexts);
  return n;
}

void DecisionEncoder::EncodeSideBySide(SimdLevel level, std::span<const Work> work,
                                       AdaptiveBit* contexts) {
  assert(work.size() <= kMostWork);
  std::array<Work, kMostWork> lists{};  // the longest first, so that what is left alone is short
  std::copy(work.begin(), work.end(), lists.begin());
  std::sort(lists.begin(), lists.begin() + static_cast<ptrdiff_t>(work.size()),
            [](const Work& a, const Work& b) { return a.decisions.size() > b.decisions.size(); });
  const size_t most = level == SimdLevel::kScalar ? 2 : kDecisionLanes;
  std::array<Work, kDecisionLanes> active{};
  size_t count = 0;
  for (size_t next = 0; next < work.size() || count > 0;) {
    while (count < most && next < work.size()) {
      active[count] = lists[next++];
      active[count].encoder->Reserve(active[count].decisions.size());
      ++count;
    }
    const size_t done =
        count > 1 ? EncodeCommon(level, std::span(active).first(count), contexts) : 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      Work w = active[i];
      w.decisions = w.decisions.subspan(done);
      if (count > 1 && w.decisions.size() >= kDecisionGroup) {
        active[kept++] = w;
      } else {
        w.encoder->Encode(level, w.decisions, contexts);
      }
    }
    count = kept;
  }
}

Result<std::span<const std::byte>> DecisionEncoder::Finish() {
  Reserve(0);
  GODWIT_ASSIGN_OR_RETURN(const size_t size, encoder_.Finish());
  return std::span<const std::byte>(buffer_).first(size);
}

}  // namespace godwit
