// Whole rows of bytes: plain loops, compiled once per SIMD level.
#include "base/per_level.h"
#include "codecs/image/swift_band_context.h"

namespace godwit::swift {
namespace {

#define ALWAYS_INLINE __attribute__((always_inline))

ALWAYS_INLINE inline void Add(const uint8_t* a, uint32_t w, int64_t n, uint32_t* __restrict sum) {
  for (int64_t x = 0; x < n; ++x) sum[x] += w * a[x];
}

ALWAYS_INLINE inline void SumFlagBody(const FlagRow& r) {
  uint32_t* const __restrict sum = r.sum;
  const int64_t n = r.count, pitch = r.pitch, below = r.below;
  const auto add_around = [&](const uint8_t* a, uint32_t w) ALWAYS_INLINE {
    for (int64_t x = 0; x < n; ++x) {
      sum[x] += w * static_cast<uint32_t>(a[x - 1] + a[x + 1] + a[x - pitch] + a[x + below]);
    }
  };
  const uint32_t bias = r.bias, up = r.weights[1], corners = r.weights[2];
  const uint8_t* const above = r.same - pitch;
  for (int64_t x = 0; x < n; ++x)
    sum[x] = bias + up * above[x] + corners * static_cast<uint32_t>(above[x - 1] + above[x + 1]);
  Add(r.lower, r.weights[3], n, sum);
  add_around(r.lower, r.weights[4]);
  if (r.lowest != nullptr) {
    Add(r.lowest, r.weights[5], n, sum);
    add_around(r.lowest, r.weights[6]);
  }
  if (r.luma != nullptr) {
    Add(r.luma, r.weights[7], n, sum);
    add_around(r.luma, r.weights[8]);
  }
  if (r.other != nullptr) Add(r.other, r.weights[9], n, sum);
  if (r.activity == nullptr) return;
  for (int64_t x = 0; x < n; x += kCellBlocks) {
    const uint32_t activity = uint32_t{r.weights[5]} * r.activity[x / kCellBlocks];
    for (int64_t i = 0; i < kCellBlocks; ++i) sum[x + i] += activity;
  }
}

ALWAYS_INLINE inline void SumCellFlagBody(const CellFlagRow& r) {
  uint32_t* const __restrict sum = r.sum;
  const int64_t n = r.count;
  const uint32_t bias = r.bias, up = r.weights[1], corners = r.weights[2];
  const uint8_t* const above = r.same - r.pitch;
  for (int64_t x = 0; x < n; ++x)
    sum[x] = bias + up * above[x] + corners * static_cast<uint32_t>(above[x - 1] + above[x + 1]);
  Add(r.lower, r.weights[3], n, sum);
  if (r.luma != nullptr) Add(r.luma, r.weights[4], n, sum);
  if (r.other != nullptr) Add(r.other, r.weights[5], n, sum);
}

ALWAYS_INLINE inline void DecideFlagsBody(const FlagDecisionRow& r) {
  uint32_t* const __restrict sum = r.sum;
  uint32_t* const __restrict out = r.out;
  const uint8_t* const flags = r.flags;
  const int32_t last = static_cast<int32_t>(r.last);
  Add(flags - 1, r.left_weight, r.count, sum);
  for (int64_t x = 0; x < r.count; ++x) {
    const auto scale = static_cast<uint32_t>(std::min(VectorScaleClass(sum[x]), last));
    out[x] = 2 * (r.base + scale) + flags[x] / kFlagSet;
  }
}

ALWAYS_INLINE inline void ChooseFlagsBody(const FlagChoiceRow& r) {
  uint32_t* const __restrict out = r.out;
  const uint32_t* const sum = r.sum;
  const uint32_t base = r.base, left = r.left_weight * kFlagSet;
  const auto last = static_cast<int32_t>(r.last);
  for (int64_t x = 0; x < r.count; ++x) {
    const int32_t without = std::min(VectorScaleClass(sum[x]), last),
                  with = std::min(VectorScaleClass(sum[x] + left), last);
    out[x] = (base + static_cast<uint32_t>(without)) | (base + static_cast<uint32_t>(with)) << 16;
  }
}

}  // namespace

void SumFlagRow(SimdLevel level, const FlagRow& row) { RunPerLevel<SumFlagBody>(level, row); }
void SumCellFlagRow(SimdLevel level, const CellFlagRow& row) {
  RunPerLevel<SumCellFlagBody>(level, row);
}
void DecideFlags(SimdLevel level, const FlagDecisionRow& row) {
  RunPerLevel<DecideFlagsBody>(level, row);
}
void ChooseFlags(SimdLevel level, const FlagChoiceRow& row) {
  RunPerLevel<ChooseFlagsBody>(level, row);
}

}  // namespace godwit::swift
