// eval/bd_rate.h: Bjontegaard differences between rate-distortion curves (VCEG-M33), with monotone
// interpolation on the logarithm of the rate. docs/metrics.md says how.
#pragma once

#include <vector>

#include "base/status.h"

namespace godwit {

struct RatePoint {
  double rate = 0;     // bits a pixel, > 0
  double quality = 0;  // greater is better
};

// By rate, each point better than all cheaper ones; others, and those without finite numbers, are
// left out.
std::vector<RatePoint> ParetoFront(std::vector<RatePoint> points);

struct BdDifference {
  double value = 0;          // of BdRate(): per cent; of BdQuality(): units of quality
  double low = 0, high = 0;  // of the shared range: quality for BdRate(), rate for BdQuality()
  double overlap = 0;        // its part of the narrower curve's range, 0..1
};

inline constexpr double kMinOverlap = 0.5;

// Mean difference in rate at equal quality, or in quality at equal rate, of `tested` against
// `anchor`. Takes the Pareto fronts itself. kUnsupported says why there is no figure: fewer than
// two points, or an overlap below `min_overlap`.
Result<BdDifference> BdRate(const std::vector<RatePoint>& anchor,
                            const std::vector<RatePoint>& tested, double min_overlap = kMinOverlap);
Result<BdDifference> BdQuality(const std::vector<RatePoint>& anchor,
                               const std::vector<RatePoint>& tested,
                               double min_overlap = kMinOverlap);

}  // namespace godwit
