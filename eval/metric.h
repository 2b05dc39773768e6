// eval/metric.h: the table of quality metrics. docs/metrics.md defines each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// What curves and BD-rates are drawn over: greater is better, and equal steps look about equal.
enum class QualityAxis : uint8_t {
  kValue,         // the metric as it is
  kDecibels,      // -10 log10(1 - value)
  kNegatedValue,  // a distance
  kLogDistance,   // a distance: -20 log10(value)
};

struct Metric {
  std::string_view name;   // in --metrics and results.json
  std::string_view label;  // on axes, of what QualityOf() gives
  QualityAxis axis;
  int64_t min_side;  // pixels; smaller pictures have no value
  // Both of the medium and of one size. Null: measured by `program`, which prints it.
  double (*measure)(const ItemView& original, const ItemView& decoded);
  std::string_view program;
  Medium medium = Medium::kPicture;
};

std::span<const Metric> Metrics();
const Metric* FindMetric(std::string_view name);  // null where there is none

// On the metric's axis. Infinite where nothing was lost.
double QualityOf(const Metric& metric, double value);

// Whether the program is on the PATH, for those metrics that need one.
bool MetricAvailable(const Metric& metric);

// "psnr,msssim" in the order of the table; "all": those of the medium that are available.
// kInvalidArgument, kUnsupported where a program is missing.
Result<std::vector<const Metric*>> ParseMetricNames(Medium medium,
                                                    const std::vector<std::string>& names);

}  // namespace godwit
