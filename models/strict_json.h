// models/strict_json.h: JSON from strangers; private to this folder.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/status.h"

namespace godwit {

// One JSON object: at most `max_depth` levels of nesting, no key twice in an object. Every failure
// is kModelRefused. Throws nothing.
Result<nlohmann::json> ParseStrictJson(std::string_view text, int max_depth);

// Members by name. Absent or of another type: kModelRefused, naming the key.
Result<int64_t> JsonInt(const nlohmann::json& object, const char* key, int64_t low, int64_t high);
Result<std::string> JsonString(const nlohmann::json& object, const char* key);

// Refused if `object` has a key that is not among `known`.
Status CheckKeys(const nlohmann::json& object, std::initializer_list<std::string_view> known);

inline Status Refuse(std::string message) {
  return {StatusCode::kModelRefused, std::move(message)};
}

}  // namespace godwit
