#include "eval/compare_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "eval/stopwatch.h"
#include "eval/summary.h"
#include "fmt/core.h"

namespace godwit {
namespace {

struct Pair {
  const Measurement *older, *newer;
  double amount;
};

// Fewer have no spread worth the name.
constexpr size_t kLeastRepeats = 3;

using Pairs = std::map<std::string, std::vector<Pair>>;  // by codec

Result<Pairs> CommonMeasurements(const Results& older, const Results& newer) {
  std::map<std::tuple<std::string, std::string, double>, const Measurement*> known;
  for (const Measurement& m : older.measurements) known[{m.codec, m.item, m.setting}] = &m;
  Pairs pairs;
  for (const Measurement& m : newer.measurements) {
    const auto found = known.find({m.codec, m.item, m.setting});
    if (found == known.end()) continue;
    const ItemRecord &a = *older.FindItem(m.item), &b = *newer.FindItem(m.item);
    if (a.digest != b.digest) {
      return Status(
          StatusCode::kInvalidArgument,
          m.item + ": is not the same " + std::string(WordsOf(newer.medium).one) + " in both");
    }
    pairs[m.codec].push_back({found->second, &m, newer.AmountOf(m.item)});
  }
  if (pairs.empty()) {
    return Status(StatusCode::kInvalidArgument, "the two have no codec, " +
                                                    std::string(WordsOf(newer.medium).one) +
                                                    " and setting in common");
  }
  return pairs;
}

// `results` with nothing but what both have.
Results Only(const Results& results, const std::vector<Pair>& pairs, bool newer) {
  Results only;
  only.medium = results.medium;
  only.items = results.items;
  const std::string& codec = pairs[0].newer->codec;
  only.codecs.push_back(*results.FindCodec(codec));
  only.codecs[0].name = newer ? "newer" : "older";
  std::set<double> settings;
  for (const Pair& pair : pairs) {
    only.measurements.push_back(newer ? *pair.newer : *pair.older);
    only.measurements.back().codec = only.codecs[0].name;
    settings.insert(only.measurements.back().setting);
  }
  std::erase_if(only.codecs[0].settings, [&](double s) { return !settings.contains(s); });
  return only;
}

void CompareRates(const Results& older, const Results& newer, const std::vector<Pair>& pairs,
                  std::vector<Movement>* moved) {
  const std::string& codec = pairs[0].newer->codec;
  size_t sizes = 0;
  std::map<std::string, std::pair<size_t, double>> metrics;  // how many moved, sum of differences
  for (const Pair& pair : pairs) {
    sizes += pair.older->bytes != pair.newer->bytes ? 1 : 0;
    for (const auto& [name, value] : pair.newer->metrics) {
      const auto old = pair.older->metrics.find(name);
      if (old == pair.older->metrics.end() || !std::isfinite(value) ||
          !std::isfinite(old->second)) {
        continue;
      }
      auto& [count, sum] = metrics[name];
      count += old->second != value ? 1 : 0;
      sum += value - old->second;
    }
  }
  if (sizes > 0) {
    double before = 0, after = 0;
    for (const Pair& pair : pairs) {
      before += static_cast<double>(pair.older->bytes);
      after += static_cast<double>(pair.newer->bytes);
    }
    moved->push_back({codec, "bytes",
                      fmt::format("{} of {} files, {:+.3f} % in all", sizes, pairs.size(),
                                  (after / before - 1) * 100),
                      after < before});
  }
  Results both = Only(older, pairs, false);
  const Results after = Only(newer, pairs, true);
  both.codecs.push_back(after.codecs[0]);
  both.measurements.insert(both.measurements.end(), after.measurements.begin(),
                           after.measurements.end());
  const std::vector<CurveSummary> curves = SummariseCurves(both);
  for (const auto& [name, difference] : metrics) {
    const Metric* const metric = FindMetric(name);
    if (metric == nullptr || (difference.first == 0 && sizes == 0)) continue;
    const BdSummary bd = CompareCurves(both, curves, "older", "newer", *metric);
    const double mean = difference.second / static_cast<double>(pairs.size());
    const std::string text =
        fmt::format("{} of {} values, mean {:+.5f}", difference.first, pairs.size(), mean);
    moved->push_back(
        {codec, name,
         bd.rate.ok() ? fmt::format("BD-rate {:+.3f} %; {}", bd.rate->value, text) : text,
         bd.rate.ok() && bd.rate->value < 0});
  }
}

void CompareTimes(Medium medium, const std::vector<Pair>& pairs, bool encode,
                  std::vector<Movement>* moved) {
  struct Sums {
    double low = 0, middle = 0, high = 0;
    void Add(const std::vector<double>& seconds) {
      low += *std::min_element(seconds.begin(), seconds.end());
      middle += Median(seconds);
      high += *std::max_element(seconds.begin(), seconds.end());
    }
  };
  Sums before, after;
  double amount = 0;
  for (const Pair& pair : pairs) {
    const auto& old_s = encode ? pair.older->encode_s : pair.older->decode_s;
    const auto& new_s = encode ? pair.newer->encode_s : pair.newer->decode_s;
    if (std::min(old_s.size(), new_s.size()) < kLeastRepeats) continue;
    before.Add(old_s);
    after.Add(new_s);
    amount += pair.amount;
  }
  if (amount == 0 || (after.low <= before.high && after.high >= before.low)) return;
  const auto milliseconds = [&](double seconds) { return seconds * 1e3 / amount; };
  moved->push_back(
      {pairs[0].newer->codec, encode ? "encode time" : "decode time",
       fmt::format("{:.2f} ({:.2f} to {:.2f}) to {:.2f} ({:.2f} to {:.2f}) ms a {}, {:+.1f} %",
                   milliseconds(before.middle), milliseconds(before.low), milliseconds(before.high),
                   milliseconds(after.middle), milliseconds(after.low), milliseconds(after.high),
                   WordsOf(medium).amount_unit, (after.middle / before.middle - 1) * 100),
       after.middle < before.middle});
}

}  // namespace

Result<std::vector<Movement>> CompareResults(const Results& older, const Results& newer) {
  if (older.medium != newer.medium) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("one is of {}, the other of {}", WordsOf(older.medium).many,
                              WordsOf(newer.medium).many));
  }
  GODWIT_ASSIGN_OR_RETURN(const Pairs pairs, CommonMeasurements(older, newer));
  std::vector<Movement> moved;
  for (const CodecRecord& codec : newer.codecs) {
    const auto found = pairs.find(codec.name);
    if (found == pairs.end()) continue;
    if (const std::string& before = older.FindCodec(codec.name)->version; before != codec.version) {
      moved.push_back({codec.name, "version", before + " to " + codec.version, false});
    }
    CompareRates(older, newer, found->second, &moved);
    CompareTimes(newer.medium, found->second, true, &moved);
    CompareTimes(newer.medium, found->second, false, &moved);
  }
  return moved;
}

}  // namespace godwit
