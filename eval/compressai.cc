#include "eval/compressai.h"

#include <array>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/results_json.h"
#include "eval/summary.h"
#include "io/input_file.h"

namespace godwit {
namespace {

struct Column {
  const char *theirs, *older, *ours;
};
// CompressAI's MS-SSIM is the mean of R, G and B.
constexpr std::array<Column, 5> kColumns = {{{"bpp", "bpp", "bpp"},
                                             {"psnr-rgb", "psnr", "psnr"},
                                             {"ms-ssim-rgb", "ms-ssim", "msssim-rgb"},
                                             {"encoding_time", "encoding_time", "encode_s"},
                                             {"decoding_time", "decoding_time", "decode_s"}}};

Status Bad(const std::string& member, const char* what) {
  return Status(StatusCode::kCorrupt, member + ": " + what);
}

std::string TextOf(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Result<ImportedCurve> ParseCompressAi(std::string_view text) {
  GODWIT_ASSIGN_OR_RETURN(const nlohmann::json json, ParseEvalJson(text));
  if (!json.is_object() || !json.contains("results") || !json["results"].is_object()) {
    return Bad("results", "no object: not a file of CompressAI");
  }
  const nlohmann::json& results = json["results"];
  ImportedCurve curve;
  curve.name = TextOf(json, "name");
  curve.description = TextOf(json, "description");
  if (curve.name.empty()) return Bad("name", "no text");
  for (const Column& column : kColumns) {
    auto found = results.find(column.theirs);
    if (found == results.end()) found = results.find(column.older);
    if (found == results.end()) continue;
    if (!found->is_array()) return Bad(column.theirs, "no list");
    std::vector<double>& numbers = curve.columns[column.ours];
    for (const nlohmann::json& one : *found) {
      if (!one.is_number()) return Bad(column.theirs, "holds what is no number");
      numbers.push_back(one.get<double>());
    }
  }
  if (!curve.columns.contains("bpp") || curve.columns.size() < 2) {
    return Bad("results", "no bpp, or no psnr-rgb and no ms-ssim-rgb");
  }
  const size_t length = curve.columns["bpp"].size();
  for (const auto& [name, numbers] : curve.columns) {
    if (numbers.size() != length) return Bad(name, "has another length than bpp");
  }
  return curve;
}

Result<ImportedCurve> ReadCompressAi(const std::string& path) {
  GODWIT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path, 1 << 24));
  Result<ImportedCurve> curve =
      ParseCompressAi({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!curve.ok()) return curve.status().WithPrefix(path + ": ");
  curve->source = std::filesystem::path(path).filename().string();
  return curve;
}

std::string CompressAiText(const Results& results, const std::string& codec) {
  const CodecRecord* const record = results.FindCodec(codec);
  nlohmann::ordered_json lists = {{"psnr-rgb", nlohmann::ordered_json::array()},
                                  {"ms-ssim-rgb", nlohmann::ordered_json::array()},
                                  {"bpp", nlohmann::ordered_json::array()},
                                  {"encoding_time", nlohmann::ordered_json::array()},
                                  {"decoding_time", nlohmann::ordered_json::array()}};
  for (const CurveSummary& curve : SummariseCurves(results)) {
    if (curve.name != codec || curve.imported) continue;
    for (const MeanPoint& point : curve.points) {
      const auto add = [&](const char* name, double value) {
        lists[name].push_back(std::isfinite(value) ? nlohmann::ordered_json(value)
                                                   : nlohmann::ordered_json(nullptr));
      };
      lists["bpp"].push_back(point.rate);
      if (const auto found = point.metrics.find("psnr"); found != point.metrics.end()) {
        add("psnr-rgb", found->second);
      }
      if (const auto found = point.metrics.find("msssim-rgb"); found != point.metrics.end()) {
        add("ms-ssim-rgb", found->second);
      }
      if (point.encode_s) {
        add("encoding_time", *point.encode_s / static_cast<double>(point.items));
        add("decoding_time", *point.decode_s / static_cast<double>(point.items));
      }
    }
  }
  // A column that was not measured is left out, as CompressAI's own tools do.
  for (auto it = lists.begin(); it != lists.end();) {
    it = it->size() == lists["bpp"].size() ? std::next(it) : lists.erase(it);
  }
  const nlohmann::ordered_json json = {
      {"name", codec},
      {"description", (record == nullptr ? std::string() : record->version + ". ") +
                          "Measured by " + results.program},
      {"results", lists}};
  return Serialise(json);
}

}  // namespace godwit
