// eval/results_json.h: results.json and its lines; docs/format/eval-results.md is the contract.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/status.h"
#include "eval/results.h"

namespace godwit {

inline constexpr std::string_view kResultsSchema = "godwit-eval-2";
// By Aim.
inline constexpr std::array<std::string_view, 3> kAims = {"setting", "rate", "error"};

nlohmann::ordered_json ToJson(const Results& results);
nlohmann::ordered_json ToJson(const Measurement& measurement, double rate);
nlohmann::ordered_json ToJson(const ReportPicture& picture, double rate);
nlohmann::ordered_json ToJson(const Failure& failure);

// kCorrupt names the member. Members that are not known are passed over.
Result<Results> ResultsFromJson(const nlohmann::json& json);
Result<Measurement> MeasurementFromJson(const nlohmann::json& json);
Result<ReportPicture> ReportPictureFromJson(const nlohmann::json& json);
Result<Failure> FailureFromJson(const nlohmann::json& json);

// Text of a stranger: kCorrupt with the byte where it is no JSON, kOverLimit where it is nested too
// deeply.
Result<nlohmann::json> ParseEvalJson(std::string_view text);

// Indented. Names that are no UTF-8 have it replaced.
std::string Serialise(const nlohmann::ordered_json& json);
Result<Results> ParseResults(std::string_view text);

// `path`: a results.json or the folder that holds one. Messages name it.
Result<Results> ReadResults(const std::string& path);

}  // namespace godwit
