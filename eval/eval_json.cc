#include <nlohmann/json.hpp>

#include "eval/results_json.h"

namespace godwit {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 16;

}  // namespace

Result<Json> ParseEvalJson(std::string_view text) {
  struct Watch final : nlohmann::json_sax<Json> {
    // Only looks: depth, and where the text goes wrong.
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(size_t) override { return ++depth <= kMaxDepth; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return depth-- > 0; }
    bool start_array(size_t) override { return ++depth <= kMaxDepth; }
    bool end_array() override { return depth-- > 0; }
    bool parse_error(size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
      failed_at = position;
      return false;
    }
    int depth = 0;
    size_t failed_at = 0;
  } watch;
  if (!Json::sax_parse(text, &watch)) {
    if (watch.depth > kMaxDepth) {
      return Status(StatusCode::kOverLimit, "JSON nested deeper than " + std::to_string(kMaxDepth));
    }
    return Status(StatusCode::kCorrupt, "no JSON, at byte " + std::to_string(watch.failed_at));
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace godwit
