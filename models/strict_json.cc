#include "models/strict_json.h"

#include <algorithm>
#include <set>
#include <vector>

namespace godwit {

using nlohmann::json;

Result<json> ParseStrictJson(std::string_view text, int max_depth) {
  std::vector<std::set<std::string>> keys;  // of each open object
  std::string duplicate;
  bool too_deep = false;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        too_deep |= depth >= max_depth;
        keys.emplace_back();
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        if (!keys.empty()) keys.pop_back();
        break;
      case json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys.empty() && !keys.back().insert(key).second) duplicate = key;
        break;
      }
      case json::parse_event_t::value:
        break;
    }
    return !too_deep;  // what lies deeper is dropped, not stored
  };
  try {
    json value = json::parse(text, watch, /*allow_exceptions=*/false);
    if (too_deep) return Refuse("JSON nested deeper than " + std::to_string(max_depth));
    if (!duplicate.empty()) return Refuse("JSON key \"" + duplicate + "\" twice");
    if (value.is_discarded()) return Refuse("not valid JSON");
    if (!value.is_object()) return Refuse("JSON is not an object");
    return value;
  } catch (const std::exception& e) {
    return Refuse(std::string("JSON: ") + e.what());
  }
}

Result<int64_t> JsonInt(const json& object, const char* key, int64_t low, int64_t high) {
  const auto found = object.find(key);
  if (found == object.end()) return Refuse(std::string("no \"") + key + "\"");
  const bool fits = found->is_number_unsigned()
                        ? found->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX)
                        : found->is_number_integer();
  const int64_t value = fits ? found->get<int64_t>() : 0;
  if (!fits || value < low || value > high) {
    return Refuse(std::string("\"") + key + "\" is not an integer in [" + std::to_string(low) +
                  ", " + std::to_string(high) + "]");
  }
  return value;
}

Result<std::string> JsonString(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    return Refuse(std::string("no string \"") + key + "\"");
  }
  return found->get<std::string>();
}

Status CheckKeys(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Refuse("unknown key \"" + key + "\"");
    }
  }
  return {};
}

}  // namespace godwit
