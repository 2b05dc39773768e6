#include "eval/bd_rate.h"

#include <algorithm>
#include <cmath>

#include "eval/pchip.h"
#include "fmt/core.h"

namespace godwit {
namespace {

// A Pareto front as a function: `x` and `y` are log rate and quality, or the other way round.
struct Front {
  std::vector<double> x, y;
};

Front MakeFront(const std::vector<RatePoint>& points, bool over_quality) {
  Front front;
  for (const RatePoint& p : ParetoFront(points)) {
    front.x.push_back(over_quality ? p.quality : std::log(p.rate));
    front.y.push_back(over_quality ? std::log(p.rate) : p.quality);
  }
  return front;
}

Result<BdDifference> MeanDifference(const Front& anchor, const Front& tested, double min_overlap,
                                    const char* what) {
  const size_t fewest = std::min(anchor.x.size(), tested.x.size());
  if (fewest < 2) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("a curve has {} useful points, 2 are needed", fewest));
  }
  BdDifference d;
  d.low = std::max(anchor.x.front(), tested.x.front());
  d.high = std::min(anchor.x.back(), tested.x.back());
  const double narrower =
      std::min(anchor.x.back() - anchor.x.front(), tested.x.back() - tested.x.front());
  d.overlap = std::max(0.0, (d.high - d.low) / narrower);
  if (d.high <= d.low || d.overlap < min_overlap) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("the curves share {:.0f} % of the narrower range of {}, "
                              "{:.0f} % are needed",
                              d.overlap * 100, what, min_overlap * 100));
  }
  d.value = (Pchip(tested.x, tested.y).Integral(d.low, d.high) -
             Pchip(anchor.x, anchor.y).Integral(d.low, d.high)) /
            (d.high - d.low);
  return d;
}

}  // namespace

std::vector<RatePoint> ParetoFront(std::vector<RatePoint> points) {
  std::erase_if(points, [](const RatePoint& p) {
    return !(p.rate > 0) || !std::isfinite(p.rate) || !std::isfinite(p.quality);
  });
  std::sort(points.begin(), points.end(), [](const RatePoint& a, const RatePoint& b) {
    return a.rate != b.rate ? a.rate < b.rate : a.quality > b.quality;
  });
  std::vector<RatePoint> front;
  for (const RatePoint& p : points) {
    if (front.empty() || p.quality > front.back().quality) front.push_back(p);
  }
  return front;
}

Result<BdDifference> BdRate(const std::vector<RatePoint>& anchor,
                            const std::vector<RatePoint>& tested, double min_overlap) {
  GODWIT_ASSIGN_OR_RETURN(
      BdDifference d,
      MeanDifference(MakeFront(anchor, true), MakeFront(tested, true), min_overlap, "quality"));
  d.value = (std::exp(d.value) - 1) * 100;
  return d;
}

Result<BdDifference> BdQuality(const std::vector<RatePoint>& anchor,
                               const std::vector<RatePoint>& tested, double min_overlap) {
  GODWIT_ASSIGN_OR_RETURN(
      BdDifference d,
      MeanDifference(MakeFront(anchor, false), MakeFront(tested, false), min_overlap, "log rate"));
  d.low = std::exp(d.low);
  d.high = std::exp(d.high);
  return d;
}

}  // namespace godwit
