#include "eval/shared_settings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "fmt/core.h"

namespace godwit {
namespace {

using Line = std::vector<std::string>;

struct SharedText {
  size_t names = 1;  // the column that holds names
  Line header;
  std::vector<Line> rows;
  std::vector<std::string> notes;
};

std::string ValueText(const MeanPoint& point, const std::string& metric) {
  const auto found = point.metrics.find(metric);
  if (found == point.metrics.end() || !std::isfinite(found->second)) return "-";
  const double v = found->second;
  const Metric* const known = FindMetric(metric);
  const bool decibels = known != nullptr && known->axis != QualityAxis::kLogDistance &&
                        known->label.find("(dB)") != known->label.npos;
  return decibels ? fmt::format("{:.2f}", v) : fmt::format("{:.4g}", v);
}

std::string SpeedText(const MeanPoint& point, const std::optional<double>& seconds) {
  if (!seconds || *seconds <= 0) return "-";
  const double speed = point.amount / *seconds;
  return fmt::format("{:.{}f}", speed, speed < 10 ? 2 : speed < 100 ? 1 : 0);
}

// Bytes of each array at each bound: of the first codec, and of the others with a ratio.
SharedText ArrayText(const Results& results) {
  std::vector<std::string> codecs;
  for (const CodecRecord& codec : results.codecs) {
    if (codec.aim == Aim::kError) codecs.push_back(codec.name);
  }
  SharedText text;
  if (codecs.empty()) return text;
  using Row = std::map<std::string, const Measurement*>;  // by codec
  std::map<std::string, std::map<double, Row>> rows;      // by item and bound
  for (const Measurement& m : results.measurements) rows[m.item][m.setting][m.codec] = &m;
  text.names = 0;
  text.header = {"array", "error", "dB"};
  text.header.insert(text.header.end(), codecs.begin(), codecs.end());
  for (const ItemRecord& item : results.items) {
    for (const auto& [bound, row] : rows[item.name]) {
      const auto found = row.find(codecs[0]);
      const Measurement* const first = found == row.end() ? nullptr : found->second;
      Line line = {item.name, bound == 0 ? "none" : fmt::format("{:.4g}", bound), "-"};
      for (const std::string& codec : codecs) {
        const auto other = row.find(codec);
        std::string cell = other == row.end() ? "-" : std::to_string(other->second->bytes);
        if (other != row.end() && other != found && first != nullptr && other->second->bytes > 0) {
          cell += fmt::format(" ({:.2f})", static_cast<double>(first->bytes) /
                                               static_cast<double>(other->second->bytes));
        }
        line.push_back(std::move(cell));
      }
      if (first != nullptr) {
        const auto psnr = first->metrics.find("psnr-range");
        if (psnr != first->metrics.end() && std::isfinite(psnr->second)) {
          line[2] = fmt::format("{:.1f}", psnr->second);
        }
      }
      text.rows.push_back(std::move(line));
    }
  }
  text.notes.push_back(fmt::format(
      "Bytes; in brackets those of {0} over these. Error: no sample is off by more, in parts of "
      "the "
      "array's range (of integers rounded, at least 1); each was looked at. dB: PSNR of {0}.",
      codecs[0]));
  return text;
}

SharedText TextOf(const Results& results) {
  if (results.medium == Medium::kArray) return ArrayText(results);
  const std::vector<CurveSummary> curves = SummariseCurves(results);
  const std::vector<SharedRow> rows = SharedRows(results, curves);
  SharedText text;
  if (rows.empty()) return text;
  const MediumWords& words = WordsOf(results.medium);
  const auto any = [&](auto has) {
    return std::any_of(rows.begin(), rows.end(), [&](const SharedRow& r) { return has(*r.point); });
  };
  const bool delays = any([](const MeanPoint& p) { return p.delay_s.has_value(); });
  const bool times = any([](const MeanPoint& p) { return p.encode_s.has_value(); });
  const std::string unit(words.rate_unit);
  text.header = {"at " + unit, "codec", unit};
  text.header.insert(text.header.end(), results.metrics.begin(), results.metrics.end());
  if (delays) text.header.push_back("delay, ms");
  if (times) {
    text.header.push_back("encode, " + std::string(words.speed_unit));
    text.header.push_back("decode, " + std::string(words.speed_unit));
  }
  bool missed = false;
  for (const SharedRow& row : rows) {
    const MeanPoint& p = *row.point;
    Line line = {fmt::format("{}", row.setting), row.codec,
                 fmt::format("{:.4g}{}", p.rate, row.missed ? "*" : "")};
    for (const std::string& metric : results.metrics) line.push_back(ValueText(p, metric));
    if (delays) line.push_back(p.delay_s ? fmt::format("{:.1f}", *p.delay_s * 1000) : "-");
    if (times) {
      line.push_back(SpeedText(p, p.encode_s));
      line.push_back(SpeedText(p, p.decode_s));
    }
    text.rows.push_back(std::move(line));
    missed = missed || row.missed;
  }
  text.notes.push_back(fmt::format(
      "Each {} at the setting of each codec whose file comes nearest to the rate; means.",
      words.one));
  if (missed) {
    text.notes.push_back(
        fmt::format("* no setting comes within {:.0f} % of the rate", kRateMargin * 100));
  }
  return text;
}

}  // namespace

std::vector<SharedRow> SharedRows(const Results& results, const std::vector<CurveSummary>& curves) {
  std::set<double> settings;
  for (const CodecRecord& codec : results.codecs) {
    if (codec.aim == Aim::kSetting) continue;
    settings.insert(codec.settings.begin(), codec.settings.end());
  }
  std::vector<SharedRow> rows;
  for (const double setting : settings) {
    for (const CurveSummary& curve : curves) {
      const CodecRecord* const codec = results.FindCodec(curve.name);
      if (curve.imported || codec == nullptr || codec->aim == Aim::kSetting) continue;
      for (const MeanPoint& point : curve.points) {
        if (point.setting != setting) continue;
        const bool missed =
            codec->aim == Aim::kRate && !(std::abs(point.rate / setting - 1) <= kRateMargin);
        rows.push_back({setting, curve.name, missed, &point});
      }
    }
  }
  return rows;
}

std::string SharedTable(const Results& results) {
  const SharedText table = TextOf(results);
  if (table.rows.empty()) return "";
  std::vector<size_t> widths(table.header.size());
  const auto widen = [&](const Line& line) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  };
  widen(table.header);
  for (const Line& line : table.rows) widen(line);
  std::string text;
  const auto print = [&](const Line& line) {
    for (size_t i = 0; i < line.size(); ++i) {
      text += i == table.names ? fmt::format("{}{:<{}}", i == 0 ? "" : "  ", line[i], widths[i])
                               : fmt::format("{}{:>{}}", i == 0 ? "" : "  ", line[i], widths[i]);
    }
    text += '\n';
  };
  print(table.header);
  for (const Line& line : table.rows) print(line);
  for (const std::string& note : table.notes) text += note + '\n';
  return text + '\n';
}

std::string SharedMarkdown(const Results& results) {
  const SharedText table = TextOf(results);
  if (table.rows.empty()) return "";
  std::string text;
  const auto print = [&](const Line& line) {
    text += '|';
    for (const std::string& cell : line) text += fmt::format(" {} |", cell);
    text += '\n';
  };
  print(table.header);
  text += '|';
  for (size_t i = 0; i < table.header.size(); ++i) text += i == table.names ? "---|" : "--:|";
  text += '\n';
  for (Line line : table.rows) {
    line[table.names] = "`" + line[table.names] + "`";
    print(line);
  }
  text += '\n';
  for (const std::string& note : table.notes) text += note + ' ';
  text.back() = '\n';
  return text + '\n';
}

nlohmann::ordered_json SharedJson(const Results& results) {
  const SharedText table = TextOf(results);
  if (table.rows.empty()) return nullptr;
  return {{"header", table.header}, {"rows", table.rows}, {"notes", table.notes}};
}

}  // namespace godwit
