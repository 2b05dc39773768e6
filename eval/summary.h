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

// The pictures that means are over: over others they would be of different sets.
struct CommonSet {
  std::set<std::string> images;    // that all other codecs have measured at each of their settings
  std::set<std::string> left_out;  // codecs that have less than half of the pictures: no curve
};
CommonSet FindCommonSet(const Results& results);

// The mean over the common pictures of a codec at a setting.
struct MeanPoint {
  double setting = 0, bpp = 0;
  size_t pictures = 0;
  std::map<std::string, double> metrics;  // of the pictures that have a value; NaN if none has
  // Sums over pictures of the median times; with their pixels, so that pixels / seconds is a speed.
  std::optional<double> encode_s, decode_s;
  double encode_low_s = 0, encode_high_s = 0;  // of each picture's fastest and slowest repeats
  double decode_low_s = 0, decode_high_s = 0;
  double pixels = 0;
  uint64_t encode_peak_bytes = 0, decode_peak_bytes = 0;  // the highest; 0: not measured
};

struct CurveSummary {
  std::string name;
  bool imported = false, runs_processes = false;
  std::vector<MeanPoint> points;
  // On the metric's axis, against bits a pixel.
  std::vector<RatePoint> Points(const Metric& metric) const;
};

// Measured codecs first, then imported curves; in their order.
std::vector<CurveSummary> SummariseCurves(const Results& results);

struct BdSummary {
  Result<BdDifference> rate, quality;  // of the curves of means
  // Of the mean over pictures' own BD-rates, where both codecs were measured.
  std::optional<double> mean_rate;
  size_t pictures = 0;  // that have one
};

// `anchor` and `tested` name curves.
BdSummary CompareCurves(const Results& results, const std::vector<CurveSummary>& curves,
                        const std::string& anchor, const std::string& tested, const Metric& metric,
                        double min_overlap = kMinOverlap);

// "jpeg", or what is first where that was not measured.
std::string DefaultAnchor(const std::vector<CurveSummary>& curves);

// A point's speed in megapixels a second, at the point whose rate is nearest to `bpp`; nothing
// where it was not timed.
struct Speed {
  double bpp = 0, encode_mpx_s = 0, decode_mpx_s = 0;
};
std::optional<Speed> SpeedNear(const CurveSummary& curve, double bpp);

inline constexpr double kSpeedBpp = 0.5;

}  // namespace godwit
