// eval/medium.h: what codecs are measured on, and how each kind of it is spoken of.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace godwit {

enum class Medium : uint8_t { kPicture, kSound, kArray };

// What a codec's settings are.
enum class Aim : uint8_t {
  kSetting,  // its own
  kRate,     // rates that it is to come as near to as it can, with a setting of its own each time
  kError,    // bounds on the error of every sample, ErrorBound(); 0: nothing is lost
};

struct MediumWords {
  std::string_view name;                     // in --media and results.json
  std::string_view one, many;                // "picture", "pictures"
  std::string_view rate_unit, rate_label;    // "bit/pixel", "bits a pixel"
  std::string_view speed_unit, speed_label;  // "MPx/s", "megapixels a second"
  std::string_view amount_unit;              // of times: "a megapixel"
  double speed_rate;                         // near which tables tell speeds
  std::string_view from;                     // what encoders start with: "pixels"
  // Defaults of the command line.
  std::string_view codecs, metrics, anchor;
};

const MediumWords& WordsOf(Medium medium);
std::optional<Medium> FindMedium(std::string_view name);

// "1 picture", "24 pictures".
std::string CountText(Medium medium, size_t count);

}  // namespace godwit
