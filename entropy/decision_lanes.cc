#include "entropy/decision_lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#define KERNEL __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#define INLINE __attribute__((always_inline)) inline

namespace godwit {
namespace {

using Hot = RangeEncoder::Hot;
using Lanes = std::array<DecisionLane, kDecisionLanes>;
// What is coded of a decision, once its context has been asked: raw bits as they are; of others the
// bit at kBitAt and p1 below. 0, for lanes that are not there, changes no range.
using Word = uint32_t;
constexpr int kBitAt = 16;
struct alignas(64) Group {
  std::array<std::array<Word, kDecisionLanes>, kDecisionGroup> word{};
};
// The coders' states, a lane each.
struct Coders {
  __m256i range, low, held;
};
constexpr uint32_t kMostHeld = 31;  // low has 64 bits: 32, a carry, and these

KERNEL INLINE Word WordOf(Decision d, AdaptiveBit* contexts) {
  if ((d & kRawDecision) != 0) [[unlikely]]
    return d;
  AdaptiveBit& context = contexts[d >> 1];
  const Word word = (d & 1) << kBitAt | context.p1;
  context.Update((d & 1) != 0, kDecisionRate);
  return word;
}

KERNEL INLINE __m256i All(uint64_t v) { return _mm256_set1_epi64x(static_cast<int64_t>(v)); }
KERNEL INLINE __m256i Load(const std::array<uint64_t, kDecisionLanes>& v) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(v.data()));
}
KERNEL INLINE void Store(__m256i v, std::array<uint64_t, kDecisionLanes>& to) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to.data()), v);
}

KERNEL Coders Gather(const Lanes& lanes) {
  alignas(32) std::array<uint64_t, kDecisionLanes> range, low, held;
  for (size_t i = 0; i < kDecisionLanes; ++i) {
    range[i] = lanes[i].hot.range;
    low[i] = lanes[i].hot.low;
    held[i] = lanes[i].hot.held;
  }
  return {Load(range), Load(low), Load(held)};
}

KERNEL void Scatter(const Coders& c, Lanes& lanes) {
  alignas(32) std::array<uint64_t, kDecisionLanes> range, low, held;
  Store(c.range, range);
  Store(c.low, low);
  Store(c.held, held);
  for (size_t i = 0; i < kDecisionLanes; ++i) {
    lanes[i].hot.range = static_cast<uint32_t>(range[i]);
    lanes[i].hot.low = low[i];
    lanes[i].hot.held = static_cast<uint32_t>(held[i]);
  }
}

// RangeEncoder's Split() or EncodeRaw(), then Normalise(), of all lanes.
template <bool kRaw>
KERNEL INLINE void Step(const Word* words, Coders& c) {
  const __m256i v = _mm256_cvtepu32_epi64(_mm_load_si128(reinterpret_cast<const __m128i*>(words)));
  const __m256i value = _mm256_and_si256(v, All(0xffff));
  const __m256i one = All(1u << kBitAt);
  __m256i set = _mm256_cmpeq_epi64(_mm256_and_si256(v, one), one);
  __m256i share = _mm256_sub_epi64(one, value);  // of the lower part, in 2^-16
  __m256i part;
  if constexpr (kRaw) {
    const __m256i top = All(kRawDecision), raw = _mm256_cmpeq_epi64(_mm256_and_si256(v, top), top);
    const __m256i count = _mm256_and_si256(_mm256_srli_epi64(v, 16), All(31));
    share = _mm256_blendv_epi8(share, _mm256_srlv_epi64(one, count), raw);
    set = _mm256_andnot_si256(raw, set);
    part = _mm256_srli_epi64(_mm256_mul_epu32(c.range, share), kScaleBits);
    c.low = _mm256_add_epi64(c.low, _mm256_and_si256(_mm256_mul_epu32(part, value), raw));
  } else {
    part = _mm256_srli_epi64(_mm256_mul_epu32(c.range, share), kScaleBits);
  }
  c.low = _mm256_add_epi64(c.low, _mm256_and_si256(part, set));
  c.range = _mm256_blendv_epi8(part, _mm256_sub_epi64(c.range, part), set);
  // Eight for each of two bounds that the range is below: 0, 8 or 16.
  const __m256i below =
      _mm256_add_epi64(_mm256_cmpgt_epi64(All(RangeEncoder::kMinRange), c.range),
                       _mm256_cmpgt_epi64(All(RangeEncoder::kMinRange >> 8), c.range));
  const __m256i shift = _mm256_slli_epi64(_mm256_sub_epi64(_mm256_setzero_si256(), below), 3);
  c.range = _mm256_sllv_epi64(c.range, shift);
  c.low = _mm256_sllv_epi64(c.low, shift);
  c.held = _mm256_add_epi64(c.held, shift);
}

// Writes what is held but for the last eight bits, so that carries into bytes are rare.
KERNEL INLINE void Spill(Coders& c, Lanes& lanes) {
  const __m256i held = _mm256_srli_epi64(c.low, 32);
  const __m256i carry = _mm256_srlv_epi64(held, c.held);
  if (_mm256_testz_si256(carry, carry) == 0) [[unlikely]] {
    alignas(32) std::array<uint64_t, kDecisionLanes> carries;
    Store(carry, carries);
    for (size_t i = 0; i < kDecisionLanes; ++i) {
      if (carries[i] != 0) RangeEncoder::AddOne(lanes[i].hot.at);
    }
  }
  const __m256i swap = _mm256_setr_epi8(3, 2, 1, 0, 4, 5, 6, 7, 11, 10, 9, 8, 12, 13, 14, 15, 3, 2,
                                        1, 0, 4, 5, 6, 7, 11, 10, 9, 8, 12, 13, 14, 15);
  const __m256i top =
      _mm256_shuffle_epi8(_mm256_sllv_epi64(held, _mm256_sub_epi64(All(32), c.held)), swap);
  const __m256i count = _mm256_srli_epi64(_mm256_subs_epu16(c.held, All(8)), 3);
  c.held = _mm256_sub_epi64(c.held, _mm256_slli_epi64(count, 3));
  c.low = _mm256_andnot_si256(
      _mm256_sllv_epi64(All(~uint64_t{0}), _mm256_add_epi64(c.held, All(32))), c.low);
  alignas(32) std::array<uint64_t, kDecisionLanes> bytes, counts;
  Store(top, bytes);
  Store(count, counts);
  for (size_t i = 0; i < kDecisionLanes; ++i) {
    std::memcpy(lanes[i].hot.at, &bytes[i], 4);  // the next bytes may be anything
    lanes[i].hot.at += counts[i];
  }
}

// A group that shifts out more than `low` can hold: lane by lane.
__attribute__((noinline, cold)) void EncodeSlowly(const Group& group, Lanes& lanes) {
  for (size_t i = 0; i < kDecisionLanes; ++i) {
    Hot h = lanes[i].hot;
    for (const auto& step : group.word) {
      const Word word = step[i];
      if ((word & kRawDecision) != 0) {
        h = RangeEncoder::SplitRaw(h, word & 0xffff, static_cast<int>(word >> 16 & 31));
      } else if (word != 0) {
        h = RangeEncoder::Split(h, (word >> kBitAt) != 0, word & 0xffff);
      }
      h = RangeEncoder::Normalise(h);
      if (RangeEncoder::IsFull(h)) h = RangeEncoder::Spill(h);
    }
    lanes[i].hot = h;
  }
}

KERNEL INLINE bool HasRaw(const Group& group) {
  __m256i any = _mm256_setzero_si256();
  for (size_t i = 0; i < kDecisionGroup; i += 2)
    any = _mm256_or_si256(
        any, _mm256_load_si256(reinterpret_cast<const __m256i*>(group.word[i].data())));
  return _mm256_movemask_ps(_mm256_castsi256_ps(any)) != 0;
}

// Codes `group` and, unless it is the last, meanwhile prepares `next`.
template <size_t kCount, bool kRaw, bool kLast>
KERNEL INLINE void Steps(const Group& group, Group& next, Coders& c, Lanes& lanes,
                         AdaptiveBit* contexts) {
  std::array<const Decision*, kCount> at;
  for (size_t i = 0; i < kCount; ++i) at[i] = lanes[i].at;
  for (size_t k = 0; k < kDecisionGroup; ++k) {
    Step<kRaw>(group.word[k].data(), c);
    for (size_t i = 0; !kLast && i < kCount; ++i) next.word[k][i] = WordOf(at[i][k], contexts);
  }
  for (size_t i = 0; !kLast && i < kCount; ++i) lanes[i].at += kDecisionGroup;
}

template <size_t kCount, bool kLast>
KERNEL INLINE void EncodeGroup(const Group& group, Group& next, Coders& c, Lanes& lanes,
                               AdaptiveBit* contexts) {
  const Coders before = c;
  if (HasRaw(group)) [[unlikely]] {
    Steps<kCount, true, kLast>(group, next, c, lanes, contexts);
  } else {
    Steps<kCount, false, kLast>(group, next, c, lanes, contexts);
  }
  const __m256i over = _mm256_cmpgt_epi64(c.held, All(kMostHeld));
  if (_mm256_testz_si256(over, over) == 0) [[unlikely]] {
    Scatter(before, lanes);
    EncodeSlowly(group, lanes);
    c = Gather(lanes);
    return;
  }
  Spill(c, lanes);
}

template <size_t kCount>
KERNEL void EncodeCount(Lanes& lanes, size_t groups, AdaptiveBit* contexts) {
  if (groups == 0) return;
  std::array<Group, 2> group;
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t k = 0; k < kDecisionGroup; ++k)
      group[0].word[k][i] = WordOf(lanes[i].at[k], contexts);
    lanes[i].at += kDecisionGroup;
  }
  std::array<std::byte, 8> nowhere;  // where lanes that are not there write
  for (size_t i = kCount; i < kDecisionLanes; ++i) lanes[i].hot = {.at = nowhere.data()};
  Coders c = Gather(lanes);
  size_t now = 0;
  for (size_t g = 1; g < groups; ++g, now = 1 - now)
    EncodeGroup<kCount, false>(group[now], group[1 - now], c, lanes, contexts);
  EncodeGroup<kCount, true>(group[now], group[now], c, lanes, contexts);
  Scatter(c, lanes);
}

}  // namespace

void EncodeLanes(Lanes& lanes, size_t count, size_t groups, AdaptiveBit* contexts) {
  if (count == 4) return EncodeCount<4>(lanes, groups, contexts);
  if (count == 3) return EncodeCount<3>(lanes, groups, contexts);
  EncodeCount<2>(lanes, groups, contexts);
}

}  // namespace godwit
#endif
