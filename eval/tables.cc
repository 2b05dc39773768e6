#include "eval/tables.h"

#include <algorithm>
#include <cmath>

#include "eval/metric.h"
#include "eval/shared_settings.h"
#include "eval/stopwatch.h"
#include "eval/summary.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr std::string_view kBegin = "<!-- godwit eval: begin -->\n",
                           kEnd = "<!-- godwit eval: end -->";

struct Cell {
  std::string figure, mean, range;  // "-12.3 %", "-11.0 %", "25.0 to 38.1"
};

struct Table {
  MediumWords words;
  std::string anchor;
  std::vector<const Metric*> metrics;
  std::vector<CurveSummary> curves;
  std::vector<std::vector<Cell>> cells;  // of each curve and metric
  std::vector<std::string> reasons;      // why figures are missing
};

std::vector<RatePoint> AnchorPoints(const Table& table, const Metric& metric) {
  for (const CurveSummary& curve : table.curves) {
    if (curve.name == table.anchor) return curve.Points(metric);
  }
  return {};
}

// "24 pictures", or what is missing.
std::string CoverageText(const Results& results) {
  const CommonSet common = FindCommonSet(results);
  std::string text = fmt::format("{}", common.items.size());
  if (common.items.size() < results.items.size()) {
    text += fmt::format(" of {}", results.items.size());
  }
  const MediumWords& words = WordsOf(results.medium);
  text += fmt::format(" {}", results.items.size() == 1 ? words.one : words.many);
  for (const std::string& codec : common.left_out) {
    text += fmt::format("; without {}, measured on fewer than {} of them", codec,
                        results.medium == Medium::kArray ? "all" : "half");
  }
  return text;
}

Table MakeTable(const Results& results, const TableOptions& options) {
  Table table;
  table.words = WordsOf(results.medium);
  table.curves = SummariseCurves(results);
  table.anchor = options.anchor.empty() ? DefaultAnchor(results, table.curves) : options.anchor;
  for (const std::string& name : results.metrics) {
    if (const Metric* const metric = FindMetric(name)) table.metrics.push_back(metric);
  }
  for (const CurveSummary& curve : table.curves) {
    std::vector<Cell>& row = table.cells.emplace_back();
    for (const Metric* const metric : table.metrics) {
      Cell& cell = row.emplace_back(Cell{"-", "", ""});
      const bool drawn = !curve.Points(*metric).empty() && !AnchorPoints(table, *metric).empty();
      if (curve.name == table.anchor || !drawn) continue;
      const BdSummary bd = CompareCurves(results, table.curves, table.anchor, curve.name, *metric,
                                         options.min_overlap);
      if (!bd.rate.ok()) {
        table.reasons.push_back(
            fmt::format("{} by {}: {}", curve.name, metric->name, bd.rate.status().message()));
        continue;
      }
      cell.figure = fmt::format("{:+.1f} %", bd.rate->value);
      cell.range = fmt::format("{:.1f} to {:.1f}", bd.rate->low, bd.rate->high);
      if (bd.mean_rate) cell.mean = fmt::format("{:+.1f} %", *bd.mean_rate);
    }
  }
  return table;
}

std::string SpeedText(const Table& table, const CurveSummary& curve, bool encode) {
  const std::optional<Speed> speed = SpeedNear(curve, table.words.speed_rate);
  if (!speed) return "-";
  const double value = encode ? speed->encode : speed->decode;
  return fmt::format("{:.{}f}{}", value,
                     value < 10    ? 2
                     : value < 100 ? 1
                                   : 0,
                     curve.runs_processes ? "*" : "");
}

bool AnyTimes(const Table& table) {
  return std::any_of(table.curves.begin(), table.curves.end(), [&](const CurveSummary& c) {
    return SpeedNear(c, table.words.speed_rate).has_value();
  });
}

bool AnyProcesses(const Results& results) {
  return std::any_of(results.codecs.begin(), results.codecs.end(),
                     [](const CodecRecord& c) { return c.runs_processes; });
}

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string NumberText(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

std::string MedianText(const std::vector<double>& values) {
  return values.empty() ? "" : fmt::format("{}", Median(values));
}

std::string ThreadsText(const Results& results) {
  const int threads = results.codecs.empty() ? 1 : results.codecs[0].threads;
  return threads == 1 ? "one thread" : fmt::format("{} threads", threads);
}

}  // namespace

std::string TerminalTable(const Results& results, const TableOptions& options) {
  const Table table = MakeTable(results, options);
  size_t name_width = 8;
  for (const CurveSummary& curve : table.curves) {
    name_width = std::max(name_width, curve.name.size() + 1);
  }
  const bool times = AnyTimes(table);
  std::string text = SharedTable(results);
  text += fmt::format("{}\nBD-rate against {}; in brackets the mean of the {}' own\n",
                      CoverageText(results), table.anchor, table.words.many);
  text += fmt::format("{:<{}}", "", name_width);
  for (const Metric* const metric : table.metrics) text += fmt::format("{:>20}", metric->name);
  if (times) text += fmt::format("{:>12}{:>12}", "encode", "decode");
  text += '\n';
  for (size_t i = 0; i < table.curves.size(); ++i) {
    text += fmt::format("{:<{}}", table.curves[i].name, name_width);
    for (const Cell& cell : table.cells[i]) {
      const std::string mean = cell.mean.empty() ? "" : fmt::format(" ({})", cell.mean);
      text += fmt::format("{:>20}", cell.figure + mean);
    }
    if (times) {
      text += fmt::format("{:>12}{:>12}", SpeedText(table, table.curves[i], true),
                          SpeedText(table, table.curves[i], false));
    }
    text += '\n';
  }
  if (times) {
    text += fmt::format("encode, decode: {} with {}, at the setting nearest to {} {}{}\n",
                        table.words.speed_unit, ThreadsText(results), table.words.speed_rate,
                        table.words.rate_unit,
                        AnyProcesses(results) ? "; * with processes and files" : "");
  }
  for (const std::string& reason : table.reasons) text += fmt::format("no figure for {}\n", reason);
  return text;
}

std::string MarkdownSummary(const Results& results, const TableOptions& options) {
  const Table table = MakeTable(results, options);
  const bool times = AnyTimes(table);
  std::string text = SharedMarkdown(results);
  text += fmt::format("| BD-rate against `{}` |", table.anchor);
  for (const Metric* const metric : table.metrics) text += fmt::format(" {} |", metric->name);
  if (times) text += fmt::format(" encode, {0} | decode, {0} |", table.words.speed_unit);
  text += "\n|---|";
  for (size_t i = 0; i < table.metrics.size() + (times ? 2 : 0); ++i) text += "--:|";
  text += '\n';
  for (size_t i = 0; i < table.curves.size(); ++i) {
    text += fmt::format("| `{}` |", table.curves[i].name);
    for (const Cell& cell : table.cells[i]) text += fmt::format(" {} |", cell.figure);
    if (times) {
      text += fmt::format(" {} | {} |", SpeedText(table, table.curves[i], true),
                          SpeedText(table, table.curves[i], false));
    }
    text += '\n';
  }
  text += fmt::format(
      "\nMeans over {}. BD-rate: mean difference in bits at equal quality "
      "over the range that both cover",
      CoverageText(results));
  std::string ranges;
  for (size_t i = 0; i < table.curves.size(); ++i) {
    if (table.metrics.empty() || table.cells[i][0].range.empty()) continue;
    ranges += fmt::format("{}`{}` {}", ranges.empty() ? "" : ", ", table.curves[i].name,
                          table.cells[i][0].range);
  }
  if (!ranges.empty()) text += fmt::format(" ({}: {})", table.metrics[0]->label, ranges);
  text += fmt::format(". The mean of the {}' own BD-rates: ", table.words.many);
  std::string means;
  for (size_t i = 0; i < table.curves.size(); ++i) {
    if (table.metrics.empty() || table.cells[i][0].mean.empty()) continue;
    means += fmt::format("{}`{}` {}", means.empty() ? "" : ", ", table.curves[i].name,
                         table.cells[i][0].mean);
  }
  text += fmt::format("{}.", means.empty() ? "none" : means);
  if (times) {
    text += fmt::format(
        " Speeds: {} in memory to bytes in memory with {}, median of {} runs, at "
        "the setting nearest to {} {}{}.",
        table.words.from, ThreadsText(results), results.repeats, table.words.speed_rate,
        table.words.rate_unit, AnyProcesses(results) ? "; * with processes and files" : "");
  }
  text += fmt::format("\n\n{}; {}, {} processors, {}; {}.", results.program, results.machine.cpu,
                      results.machine.processors, results.machine.system, results.machine.compiler);
  text += '\n';
  for (const CodecRecord& codec : results.codecs) {
    text += fmt::format("\n- `{}`: {}", codec.name, codec.version);
  }
  for (const ImportedCurve& curve : results.imported) {
    text +=
        fmt::format("\n- `{}`: published, {} ({})", curve.name, curve.description, curve.source);
  }
  text += fmt::format("\n\n```sh\n{}\n```\n", results.command);
  return text;
}

std::string MeasurementsCsv(const Results& results) {
  std::string text = "codec,item,setting,bytes,rate";
  for (const std::string& metric : results.metrics) (text += ',') += metric;
  text +=
      ",encode_s,encode_min_s,encode_max_s,decode_s,decode_min_s,decode_max_s,encode_peak_bytes,"
      "decode_peak_bytes\n";
  for (const Measurement& m : results.measurements) {
    text += fmt::format("{},{},{},{},{}", Quoted(m.codec), Quoted(m.item), m.setting, m.bytes,
                        results.RateOf(m.item, m.bytes));
    for (const std::string& metric : results.metrics) {
      const auto found = m.metrics.find(metric);
      text += ',';
      if (found != m.metrics.end()) text += NumberText(found->second);
    }
    for (const std::vector<double>* const seconds : {&m.encode_s, &m.decode_s}) {
      text += ',';
      text += MedianText(*seconds);
      if (seconds->empty()) {
        text += ",,";
      } else {
        const auto [low, high] = std::minmax_element(seconds->begin(), seconds->end());
        text += fmt::format(",{},{}", *low, *high);
      }
    }
    for (const auto& peak : {m.encode_peak_bytes, m.decode_peak_bytes}) {
      text += ',';
      if (peak) text += std::to_string(*peak);
    }
    text += '\n';
  }
  return text;
}

std::string CurvesCsv(const Results& results) {
  std::string text = "codec,setting,items,rate";
  for (const std::string& metric : results.metrics) (text += ',') += metric;
  text += ",encode_speed,decode_speed\n";
  for (const CurveSummary& curve : SummariseCurves(results)) {
    for (const MeanPoint& p : curve.points) {
      text += fmt::format("{},{},{},{}", Quoted(curve.name),
                          curve.imported ? "" : fmt::format("{}", p.setting),
                          curve.imported ? "" : fmt::format("{}", p.items), p.rate);
      for (const std::string& metric : results.metrics) {
        const auto found = p.metrics.find(metric);
        text += ',';
        if (found != p.metrics.end()) text += NumberText(found->second);
      }
      if (p.encode_s) {
        text += fmt::format(",{},{}\n", p.amount / *p.encode_s, p.amount / *p.decode_s);
      } else {
        text += ",,\n";
      }
    }
  }
  return text;
}

std::string TroubleText(const Results& results) {
  size_t items = 0;
  for (const Failure& failure : results.failures) items += failure.codec.empty() ? 1 : 0;
  const size_t measurements = results.failures.size() - items;
  std::string text;
  if (items > 0) {
    text += CountText(results.medium, items) + (items == 1 ? " was" : " were") + " skipped";
  }
  if (measurements > 0) {
    text += fmt::format("{}{} measurement{} failed", text.empty() ? "" : ", ", measurements,
                        measurements == 1 ? "" : "s");
  }
  return text;
}

Result<std::string> ReplaceMarkedPart(const std::string& document, const std::string& text) {
  const size_t begin = document.find(kBegin), end = document.find(kEnd);
  if (begin == document.npos || end == document.npos || end < begin) {
    return Status(StatusCode::kInvalidArgument,
                  "has no lines \"<!-- godwit eval: begin -->\" and \"<!-- godwit eval: end -->\"");
  }
  return document.substr(0, begin + kBegin.size()) + text + document.substr(end);
}

}  // namespace godwit
