#include "eval/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/metric.h"
#include "eval/report_files.h"
#include "eval/report_picture.h"
#include "eval/run.h"
#include "eval/shared_settings.h"
#include "eval/summary.h"
#include "fmt/core.h"

namespace godwit {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered NumberOrNull(double value) {
  return std::isfinite(value) ? Ordered(value) : Ordered(nullptr);
}

std::vector<const Metric*> MetricsOf(const Results& results) {
  std::vector<const Metric*> metrics;
  for (const std::string& name : results.metrics) {
    if (const Metric* const metric = FindMetric(name)) metrics.push_back(metric);
  }
  return metrics;
}

// {"setting", "rate", "value": {}, "quality": {}}: as measured, and on the metric's axis.
Ordered PointJson(double setting, double rate, const std::map<std::string, double>& values,
                  const std::vector<const Metric*>& metrics) {
  Ordered json = {{"setting", setting}, {"rate", rate}};
  json["value"] = json["quality"] = Ordered::object();
  for (const Metric* const metric : metrics) {
    const std::string name(metric->name);
    const auto found = values.find(name);
    if (found == values.end() || !std::isfinite(found->second)) continue;
    json["value"][name] = found->second;
    json["quality"][name] = NumberOrNull(QualityOf(*metric, found->second));
  }
  return json;
}

Ordered CurveJson(const Results& results, const CurveSummary& curve,
                  const std::vector<const Metric*>& metrics) {
  Ordered json = {
      {"name", curve.name}, {"imported", curve.imported}, {"runs_processes", curve.runs_processes}};
  json["points"] = Ordered::array();
  for (const MeanPoint& p : curve.points) {
    Ordered point = PointJson(p.setting, p.rate, p.metrics, metrics);
    if (p.encode_s && *p.encode_s > 0 && *p.decode_s > 0) {
      point["encode"] = p.amount / *p.encode_s;
      point["decode"] = p.amount / *p.decode_s;
    }
    json["points"].push_back(std::move(point));
  }
  json["items"] = Ordered::object();
  for (const Measurement& m : results.measurements) {
    if (curve.imported || m.codec != curve.name) continue;
    json["items"][m.item].push_back(
        PointJson(m.setting, results.RateOf(m.item, m.bytes), m.metrics, metrics));
  }
  json["speed"] = nullptr;
  if (const std::optional<Speed> speed = SpeedNear(curve, WordsOf(results.medium).speed_rate)) {
    json["speed"] = {{"rate", speed->rate}, {"encode", speed->encode}, {"decode", speed->decode}};
  }
  if (const CodecRecord* const codec = results.FindCodec(curve.name); !curve.imported && codec) {
    json["setting_name"] = codec->setting_name;
    json["version"] = codec->version;
  }
  for (const ImportedCurve& imported : results.imported) {
    if (curve.imported && imported.name == curve.name) {
      json["version"] = "published: " + imported.description + " (" + imported.source + ")";
    }
  }
  return json;
}

Ordered BdJson(const BdSummary& bd) {
  Ordered json = {{"rate", nullptr}, {"difference", nullptr}, {"mean_rate", nullptr}};
  json["items"] = bd.items;
  if (bd.rate.ok()) {
    json["rate"] = bd.rate->value;
    json["low"] = bd.rate->low;
    json["high"] = bd.rate->high;
  } else {
    json["reason"] = bd.rate.status().message();
  }
  if (bd.quality.ok()) json["difference"] = bd.quality->value;
  if (bd.mean_rate) json["mean_rate"] = *bd.mean_rate;
  return json;
}

// By metric, anchor and tested curve.
Ordered AllBdJson(const Results& results, const std::vector<CurveSummary>& curves,
                  const std::vector<const Metric*>& metrics, double min_overlap) {
  Ordered all = Ordered::object();
  for (const Metric* const metric : metrics) {
    Ordered& of_metric = all[std::string(metric->name)] = Ordered::object();
    for (const CurveSummary& anchor : curves) {
      for (const CurveSummary& tested : curves) {
        if (anchor.name == tested.name) continue;
        of_metric[anchor.name][tested.name] =
            BdJson(CompareCurves(results, curves, anchor.name, tested.name, *metric, min_overlap));
      }
    }
  }
  return all;
}

std::string ShownText(const ReportPicture& picture, const std::vector<const Metric*>& metrics) {
  std::string text;
  for (const Metric* const metric : metrics) {
    const auto found = picture.metrics.find(std::string(metric->name));
    if (found == picture.metrics.end() || !std::isfinite(found->second)) continue;
    const bool decibels = metric->name.starts_with("psnr");
    text += fmt::format("{}{} {:.{}f}{}", text.empty() ? "" : ", ", metric->name, found->second,
                        decibels ? 2 : 4, decibels ? " dB" : "");
  }
  return text;
}

Ordered PicturesJson(const Results& results, const std::vector<const Metric*>& metrics) {
  const std::string folder = std::string(kReportPictureFolder) + "/";
  Ordered pictures = Ordered::array();
  for (const ItemRecord& item : results.items) {
    Ordered shown = Ordered::array();
    for (const ReportPicture& p : results.pictures) {
      if (p.item != item.name) continue;
      shown.push_back({{"codec", p.codec},
                       {"target_bpp", p.target_bpp},
                       {"rate", results.RateOf(p.item, p.bytes)},
                       {"file", folder + p.file},
                       {"text", ShownText(p, metrics)}});
    }
    pictures.push_back({{"name", item.name},
                        {"width", item.width},
                        {"height", item.height},
                        {"original", folder + OriginalPictureName(item.name)},
                        {"shown", std::move(shown)}});
  }
  return pictures;
}

void Replace(std::string* text, std::string_view mark, std::string_view with) {
  const size_t at = text->find(mark);
  if (at != text->npos) text->replace(at, mark.size(), with);
}

}  // namespace

Ordered ReportData(const Results& results, const TableOptions& options) {
  const std::vector<const Metric*> metrics = MetricsOf(results);
  const std::vector<CurveSummary> curves = SummariseCurves(results);
  const MediumWords& words = WordsOf(results.medium);
  const size_t common = FindCommonSet(results).items.size();
  Ordered json;
  json["facts"] = fmt::format("{}; {}, {} codec{}; {}, {}", results.program,
                              CountText(results.medium, results.items.size()),
                              results.codecs.size(), results.codecs.size() == 1 ? "" : "s",
                              results.machine.cpu, results.machine.system);
  json["command"] = results.command;
  json["anchor"] = options.anchor.empty() ? DefaultAnchor(results, curves) : options.anchor;
  json["common_items"] = CountText(results.medium, common);
  const int threads = results.codecs.empty() ? 1 : results.codecs[0].threads;
  json["timing"] = fmt::format(
      "From {} in memory to bytes in memory and back, {} thread{}, median of {} runs of all "
      "codecs in turn.",
      words.from, threads, threads == 1 ? "" : "s", results.repeats);
  json["words"] = {{"one", words.one},
                   {"many", words.many},
                   {"rate_unit", words.rate_unit},
                   {"rate_label", words.rate_label},
                   {"speed_unit", words.speed_unit},
                   {"speed_label", words.speed_label}};
  json["speed_rate"] = words.speed_rate;
  json["metrics"] = Ordered::array();
  for (const Metric* const metric : metrics) {
    json["metrics"].push_back({{"name", metric->name}, {"label", metric->label}});
  }
  json["curves"] = Ordered::array();
  for (const CurveSummary& curve : curves) {
    json["curves"].push_back(CurveJson(results, curve, metrics));
  }
  json["bd"] = AllBdJson(results, curves, metrics, options.min_overlap);
  json["pictures"] = PicturesJson(results, metrics);
  json["shared"] = SharedJson(results);
  json["failures"] = Ordered::array();
  for (const std::string& codec : FindCommonSet(results).left_out) {
    json["failures"].push_back(codec + ": not shown, measured on fewer than " +
                               (results.medium == Medium::kArray ? "all" : "half") + " of the " +
                               std::string(words.many));
  }
  for (const Failure& f : results.failures) {
    json["failures"].push_back(
        f.codec.empty() ? "skipped: " + f.error
                        : fmt::format("{}: {} at {}: {}", f.item, f.codec, f.setting, f.error));
  }
  return json;
}

std::string ReportHtml(const Results& results, const TableOptions& options) {
  std::string html(ReportFile("report.html"));
  for (const char* const file : {"report.css", "plot.js", "slider.js", "page.js"}) {
    Replace(&html, fmt::format("@{}@", file), ReportFile(file));
  }
  std::string data =
      ReportData(results, options).dump(-1, ' ', false, Ordered::error_handler_t::replace);
  // Nothing in the data may end the script that holds it.
  for (size_t at = 0; (at = data.find('<', at)) != data.npos;) data.replace(at, 1, "\\u003c");
  Replace(&html, "@data@", data);
  return html;
}

}  // namespace godwit
