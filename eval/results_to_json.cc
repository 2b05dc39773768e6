#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/results_json.h"

namespace godwit {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered NumberOrNull(double value) {
  return std::isfinite(value) ? Ordered(value) : Ordered(nullptr);
}

Ordered MetricsOf(const std::map<std::string, double>& metrics) {
  Ordered json = Ordered::object();
  for (const auto& [name, value] : metrics) json[name] = NumberOrNull(value);
  return json;
}

Ordered CodecsJson(const Results& results) {
  Ordered codecs = Ordered::array();
  for (const CodecRecord& c : results.codecs) {
    codecs.push_back({{"name", c.name},
                      {"version", c.version},
                      {"setting_name", c.setting_name},
                      {"settings", c.settings},
                      {"aim", kAims[static_cast<size_t>(c.aim)]},
                      {"threads", c.threads},
                      {"runs_processes", c.runs_processes}});
  }
  return codecs;
}

Ordered ItemsJson(const Results& results) {
  Ordered items = Ordered::array();
  for (const ItemRecord& i : results.items) {
    Ordered& item = items.emplace_back(Ordered{{"name", i.name}});
    if (results.medium == Medium::kPicture) {
      item["width"] = i.width;
      item["height"] = i.height;
    } else if (results.medium == Medium::kSound) {
      item["rate_hz"] = i.rate_hz;
      item["channels"] = i.channels;
      item["frames"] = i.frames;
    } else {
      item["type"] = i.type;
      item["shape"] = i.shape;
    }
    item["sha256"] = i.digest;
  }
  return items;
}

}  // namespace

Ordered ToJson(const Measurement& m, double rate) {
  Ordered json = {{"codec", m.codec}, {"item", m.item}, {"setting", m.setting},
                  {"bytes", m.bytes}, {"rate", rate},   {"metrics", MetricsOf(m.metrics)}};
  if (m.used) json["used"] = *m.used;
  if (m.delay_s) json["delay_s"] = *m.delay_s;
  if (!m.encode_s.empty()) json["encode_s"] = m.encode_s;
  if (!m.decode_s.empty()) json["decode_s"] = m.decode_s;
  if (m.encode_peak_bytes) json["encode_peak_bytes"] = *m.encode_peak_bytes;
  if (m.decode_peak_bytes) json["decode_peak_bytes"] = *m.decode_peak_bytes;
  return json;
}

Ordered ToJson(const ReportPicture& p, double rate) {
  return {{"codec", p.codec},
          {"item", p.item},
          {"target_rate", p.target_bpp},
          {"setting", p.setting},
          {"bytes", p.bytes},
          {"rate", rate},
          {"file", p.file},
          {"metrics", MetricsOf(p.metrics)}};
}

Ordered ToJson(const Failure& f) {
  return {{"codec", f.codec}, {"item", f.item}, {"setting", f.setting}, {"error", f.error}};
}

Ordered ToJson(const Results& r) {
  Ordered json = {{"schema", kResultsSchema},
                  {"program", r.program},
                  {"command", r.command},
                  {"medium", WordsOf(r.medium).name},
                  {"machine",
                   {{"cpu", r.machine.cpu},
                    {"processors", r.machine.processors},
                    {"simd", r.machine.simd},
                    {"system", r.machine.system},
                    {"compiler", r.machine.compiler}}},
                  {"clock", "steady, wall time"},
                  {"repeats", r.repeats},
                  {"metrics", r.metrics},
                  {"items", ItemsJson(r)},
                  {"codecs", CodecsJson(r)}};
  const auto list = [&](const char* name, const auto& rows, auto to_json) {
    json[name] = Ordered::array();
    for (const auto& row : rows) json[name].push_back(to_json(row));
  };
  const auto with_rate = [&](const auto& row) {
    return ToJson(row, r.RateOf(row.item, row.bytes));
  };
  list("measurements", r.measurements, with_rate);
  list("pictures", r.pictures, with_rate);
  list("failures", r.failures, [](const Failure& f) { return ToJson(f); });
  list("imported", r.imported, [](const ImportedCurve& c) -> Ordered {
    return {{"name", c.name},
            {"description", c.description},
            {"source", c.source},
            {"columns", c.columns}};
  });
  return json;
}

std::string Serialise(const Ordered& json) {
  return json.dump(1, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace godwit
