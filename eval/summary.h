// eval/summary.h: what results say: curves of means, BD-rates of every pair, speeds.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "eval/bd_rate.h"
#include "eval/metric.h"
#include "eval/results.h"

namespace godwit {

// The items that means are over: over others they would be of different sets.
struct CommonSet {
  std::set<std::string> items;     // that all other codecs have measured at each of their settings
  std::set<std::string> left_out;  // codecs that have less than half of the items: no curve
};
CommonSet FindCommonSet(const Results& results);

// The mean over the common items of a codec at a setting.
struct MeanPoint {
  double setting = 0, rate = 0;
  size_t items = 0;
  std::map<std::string, double> metrics;  // of the items that have a value; NaN if none has
  // Sums over items of the median times; with their amount, so that amount / seconds is a speed.
  std::optional<double> encode_s, decode_s;
  double encode_low_s = 0, encode_high_s = 0;  // of each item's fastest and slowest repeats
  double decode_low_s = 0, decode_high_s = 0;
  std::optional<double> delay_s;  // the mean
  double amount = 0;
  uint64_t encode_peak_bytes = 0, decode_peak_bytes = 0;  // the highest; 0: not measured
};

struct CurveSummary {
  std::string name;
  bool imported = false, runs_processes = false;
  std::vector<MeanPoint> points;
  // On the metric's axis, against the rate.
  std::vector<RatePoint> Points(const Metric& metric) const;
};

// Measured codecs first, then imported curves; in their order.
std::vector<CurveSummary> SummariseCurves(const Results& results);

struct BdSummary {
  Result<BdDifference> rate, quality;  // of the curves of means
  // Of the mean over the items' own BD-rates, where both codecs were measured.
  std::optional<double> mean_rate;
  size_t items = 0;  // that have one
};

// `anchor` and `tested` name curves.
BdSummary CompareCurves(const Results& results, const std::vector<CurveSummary>& curves,
                        const std::string& anchor, const std::string& tested, const Metric& metric,
                        double min_overlap = kMinOverlap);

// The medium's, or what is first where that was not measured.
std::string DefaultAnchor(const Results& results, const std::vector<CurveSummary>& curves);

// A point's speed in the medium's unit, at the point whose rate is nearest to `rate`; nothing where
// it was not timed.
struct Speed {
  double rate = 0, encode = 0, decode = 0;
};
std::optional<Speed> SpeedNear(const CurveSummary& curve, double rate);

}  // namespace godwit
