// entropy/decision_lanes.h: up to four lists of decisions coded side by side, each by a range coder
// of its own, in the lanes of one vector. For decision_list.cc.
//
// A coder alone waits: each decision needs the range that the one before it left, some ten cycles
// later. Four in a vector wait together, and in the meantime the probabilities of the next
// decisions are looked up and adapted, which needs no range. On Kodak at 0.25 bit/pixel 3.8 cycles
// a decision, where two scalar coders side by side took 10 (Zen 4).
#pragma once

#include <array>
#include <cstddef>

#include "entropy/adaptive_bit.h"
#include "entropy/decision.h"
#include "entropy/range_coder.h"

namespace godwit {

inline constexpr size_t kDecisionLanes = 4;
inline constexpr size_t kDecisionGroup = 8;  // decisions of a lane between two looks at its bytes

struct DecisionLane {
  RangeEncoder::Hot hot;         // its buffer must have two bytes a decision, and eight more
  const Decision* at = nullptr;  // the next decision
};

#if defined(__x86_64__)
// Codes `groups` whole groups of each of the first `count` lanes, 2 <= count <= kDecisionLanes, and
// moves them on; needs AVX2. No context may be in the lists of two lanes.
void EncodeLanes(std::array<DecisionLane, kDecisionLanes>& lanes, size_t count, size_t groups,
                 AdaptiveBit* contexts);
#endif

}  // namespace godwit
