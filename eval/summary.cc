#include "eval/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "eval/stopwatch.h"

namespace godwit {
namespace {

struct Mean {
  double sum = 0;
  size_t count = 0;
  void Add(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    ++count;
  }
  double value() const {
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
  }
};

MeanPoint MeanOf(const Results& results, const std::vector<const Measurement*>& rows) {
  MeanPoint point;
  point.setting = rows[0]->setting;
  point.items = rows.size();
  Mean rate, delay;
  std::map<std::string, Mean> metrics;
  double encode = 0, decode = 0;
  bool timed = true;
  for (const Measurement* const m : rows) {
    rate.Add(results.RateOf(m->item, m->bytes));
    if (m->delay_s) delay.Add(*m->delay_s);
    for (const auto& [name, value] : m->metrics) metrics[name].Add(value);
    point.amount += results.AmountOf(m->item);
    point.encode_peak_bytes = std::max(point.encode_peak_bytes, m->encode_peak_bytes.value_or(0));
    point.decode_peak_bytes = std::max(point.decode_peak_bytes, m->decode_peak_bytes.value_or(0));
    timed = timed && !m->encode_s.empty() && !m->decode_s.empty();
    if (!timed) continue;
    encode += Median(m->encode_s);
    decode += Median(m->decode_s);
    const auto [fast_encode, slow_encode] =
        std::minmax_element(m->encode_s.begin(), m->encode_s.end());
    const auto [fast_decode, slow_decode] =
        std::minmax_element(m->decode_s.begin(), m->decode_s.end());
    point.encode_low_s += *fast_encode;
    point.encode_high_s += *slow_encode;
    point.decode_low_s += *fast_decode;
    point.decode_high_s += *slow_decode;
  }
  point.rate = rate.value();
  if (delay.count > 0) point.delay_s = delay.value();
  for (const auto& [name, mean] : metrics) point.metrics[name] = mean.value();
  if (timed) {
    point.encode_s = encode;
    point.decode_s = decode;
  }
  return point;
}

CurveSummary MeasuredCurve(const Results& results, const CodecRecord& codec,
                           const std::set<std::string>& items) {
  CurveSummary curve;
  curve.name = codec.name;
  curve.runs_processes = codec.runs_processes;
  std::map<double, std::vector<const Measurement*>> by_setting;
  for (const Measurement& m : results.measurements) {
    if (m.codec == codec.name && items.contains(m.item)) by_setting[m.setting].push_back(&m);
  }
  for (const double setting : codec.settings) {
    const auto found = by_setting.find(setting);
    if (found != by_setting.end()) curve.points.push_back(MeanOf(results, found->second));
  }
  return curve;
}

CurveSummary ImportedSummary(const ImportedCurve& imported) {
  CurveSummary curve;
  curve.name = imported.name;
  curve.imported = true;
  const std::vector<double>& bpp = imported.columns.at("bpp");
  for (size_t i = 0; i < bpp.size(); ++i) {
    MeanPoint point;
    point.setting = static_cast<double>(i);
    point.rate = bpp[i];
    for (const auto& [name, column] : imported.columns) {
      if (FindMetric(name) != nullptr) point.metrics[name] = column[i];
    }
    curve.points.push_back(std::move(point));
  }
  return curve;
}

// One item's own curve.
std::vector<RatePoint> ItemCurve(const Results& results,
                                 const std::vector<const Measurement*>& rows,
                                 const Metric& metric) {
  std::vector<RatePoint> points;
  for (const Measurement* const m : rows) {
    const auto found = m->metrics.find(std::string(metric.name));
    if (found == m->metrics.end()) continue;
    points.push_back({results.RateOf(m->item, m->bytes), QualityOf(metric, found->second)});
  }
  return points;
}

std::map<std::string, std::vector<const Measurement*>> RowsByItem(const Results& results,
                                                                  const std::string& codec) {
  std::map<std::string, std::vector<const Measurement*>> rows;
  for (const Measurement& m : results.measurements) {
    if (m.codec == codec) rows[m.item].push_back(&m);
  }
  return rows;
}

}  // namespace

std::vector<RatePoint> CurveSummary::Points(const Metric& metric) const {
  std::vector<RatePoint> rate_points;
  for (const MeanPoint& point : points) {
    const auto found = point.metrics.find(std::string(metric.name));
    if (found == point.metrics.end() || !std::isfinite(found->second)) continue;
    rate_points.push_back({point.rate, QualityOf(metric, found->second)});
  }
  return rate_points;
}

CommonSet FindCommonSet(const Results& results) {
  std::map<std::string, std::set<double>> settings;             // of each codec that has any
  std::map<std::string, std::map<std::string, size_t>> counts;  // by codec and item
  for (const Measurement& m : results.measurements) {
    settings[m.codec].insert(m.setting);
    ++counts[m.codec][m.item];
  }
  CommonSet common;
  for (const ItemRecord& item : results.items) common.items.insert(item.name);
  for (const CodecRecord& codec : results.codecs) {
    std::set<std::string> complete;
    for (const auto& [item, count] : counts[codec.name]) {
      if (count == settings[codec.name].size()) complete.insert(item);
    }
    // Arrays differ too much for means over some of them.
    const size_t least =
        results.medium == Medium::kArray ? results.items.size() : (results.items.size() + 1) / 2;
    if (complete.size() < least) {
      common.left_out.insert(codec.name);
      continue;
    }
    std::erase_if(common.items, [&](const std::string& name) { return !complete.contains(name); });
  }
  return common;
}

std::vector<CurveSummary> SummariseCurves(const Results& results) {
  std::vector<CurveSummary> curves;
  const CommonSet common = FindCommonSet(results);
  for (const CodecRecord& codec : results.codecs) {
    if (common.left_out.contains(codec.name)) continue;
    curves.push_back(MeasuredCurve(results, codec, common.items));
  }
  for (const ImportedCurve& imported : results.imported) {
    curves.push_back(ImportedSummary(imported));
  }
  return curves;
}

BdSummary CompareCurves(const Results& results, const std::vector<CurveSummary>& curves,
                        const std::string& anchor, const std::string& tested, const Metric& metric,
                        double min_overlap) {
  const auto points = [&](const std::string& name) {
    const auto found = std::find_if(curves.begin(), curves.end(),
                                    [&](const CurveSummary& c) { return c.name == name; });
    return found == curves.end() ? std::vector<RatePoint>() : found->Points(metric);
  };
  const std::vector<RatePoint> a = points(anchor), t = points(tested);
  BdSummary bd{BdRate(a, t, min_overlap), BdQuality(a, t, min_overlap), {}, 0};
  const auto anchor_rows = RowsByItem(results, anchor), rows = RowsByItem(results, tested);
  Mean mean;
  for (const auto& [item, of_anchor] : anchor_rows) {
    const auto of_tested = rows.find(item);
    if (of_tested == rows.end()) continue;
    const Result<BdDifference> one =
        BdRate(ItemCurve(results, of_anchor, metric), ItemCurve(results, of_tested->second, metric),
               min_overlap);
    if (one.ok()) mean.Add(one->value);
  }
  bd.items = mean.count;
  if (mean.count > 0) bd.mean_rate = mean.value();
  return bd;
}

std::string DefaultAnchor(const Results& results, const std::vector<CurveSummary>& curves) {
  for (const CurveSummary& curve : curves) {
    if (curve.name == WordsOf(results.medium).anchor) return curve.name;
  }
  return curves.empty() ? "" : curves.front().name;
}

std::optional<Speed> SpeedNear(const CurveSummary& curve, double rate) {
  const MeanPoint* nearest = nullptr;
  for (const MeanPoint& p : curve.points) {
    if (!p.encode_s || *p.encode_s <= 0 || *p.decode_s <= 0) continue;
    if (nearest == nullptr ||
        std::abs(std::log(p.rate / rate)) < std::abs(std::log(nearest->rate / rate))) {
      nearest = &p;
    }
  }
  if (nearest == nullptr) return std::nullopt;
  return Speed{nearest->rate, nearest->amount / *nearest->encode_s,
               nearest->amount / *nearest->decode_s};
}

}  // namespace godwit
