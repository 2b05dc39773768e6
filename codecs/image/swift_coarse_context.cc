#include "codecs/image/swift_coarse_context.h"

#include <algorithm>
#include <cstdlib>

#include "base/per_level.h"

namespace godwit::swift {
namespace {

// Left to the compiler, once per level: loops over sixteen 16-bit numbers whose products have 32
// bits. Symbols and slopes are limited so that these hold the sums.
__attribute__((always_inline)) inline void SumCoarseBody(const CoarseWeights& w,
                                                         const CoarseNeighbours& n,
                                                         CoarseContexts& out) {
  using Sixteen = std::array<int16_t, kCoarse>;
  const auto limited = [](int v) __attribute__((always_inline)) {
    return static_cast<int16_t>(std::clamp(v, -8191, 8191));
  };
  const auto magnitude = [](const int8_t* p) __attribute__((always_inline)) {
    Sixteen m;
    for (size_t i = 0; i < kCoarse; ++i) m[i] = static_cast<int16_t>(std::abs(int16_t{p[i]}));
    return m;
  };
  int32_t sum[kCoarse], t[kCoarse];
  const auto add =
      [](int32_t * to, const Sixteen& a, const Sixteen& b) __attribute__((always_inline)) {
    for (size_t i = 0; i < kCoarse; ++i) to[i] += int32_t{a[i]} * b[i];
  };
  const auto fill = [](int16_t v) __attribute__((always_inline)) {
    Sixteen all;
    all.fill(v);
    return all;
  };
  Sixteen left_symbol, up_symbol;
  for (size_t i = 0; i < kCoarse; ++i) {
    t[i] = 512;
    sum[i] = w.bias[i];
    left_symbol[i] = limited(n.left_symbol[i]);
    up_symbol[i] = limited(n.up_symbol[i]);
  }
  add(t, w.mean[0], fill(limited(n.slope_x)));
  add(t, w.mean[1], fill(limited(n.slope_y)));
  add(t, w.mean[2], left_symbol);
  add(t, w.mean[3], up_symbol);
  Sixteen sixteenth;
  for (size_t i = 0; i < kCoarse; ++i) {
    const int mean = std::clamp(t[i] >> 10, -4095, 4095);
    out.mean[i] = static_cast<int16_t>(mean);
    sixteenth[i] = static_cast<int16_t>(std::abs(mean) >> 4);
  }
  add(sum, w.magnitude[0], magnitude(n.left));
  add(sum, w.magnitude[1], magnitude(n.up));
  add(sum, w.magnitude[2], magnitude(n.up_left));
  add(sum, w.magnitude[2], magnitude(n.up_right));
  if (n.luma != nullptr) add(sum, w.magnitude[3], magnitude(n.luma));
  if (n.other != nullptr) add(sum, w.magnitude[4], magnitude(n.other));
  add(sum, w.magnitude[5], sixteenth);
  for (size_t i = 0; i < kCoarse; ++i)
    out.scale_class[i] = static_cast<uint8_t>(VectorScaleClass(static_cast<uint32_t>(sum[i])));
}

}  // namespace

void SumCoarse(SimdLevel level, const CoarseWeights& w, const CoarseNeighbours& n,
               CoarseContexts& out) {
  RunPerLevel<SumCoarseBody>(level, w, n, out);
}

}  // namespace godwit::swift
