// tests/eval/built_codecs.h: which codecs this build has. By its libraries alone and never by the
// table of codecs, so that a codec that the table has lost fails where it is used.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace godwit {

// A codec of a library that eval does without, and whether this build has it.
struct Rival {
  std::string_view name;
  bool is_built;
};
inline constexpr Rival kRivals[] = {
    {"avif", GODWIT_EVAL_AVIF != 0},         {"jxl", GODWIT_EVAL_JXL != 0},
    {"opus", GODWIT_EVAL_OPUS != 0},         {"vorbis", GODWIT_EVAL_VORBIS != 0},
    {"mp3", GODWIT_EVAL_MP3 != 0},           {"zfp", GODWIT_EVAL_ZFP != 0},
    {"jpeg2000", GODWIT_EVAL_JPEG2000 != 0}, {"flac", GODWIT_EVAL_FLAC != 0},
    {"zstd", GODWIT_EVAL_ZSTD != 0},
};

// `name` may have options. What is no rival is in every build.
inline bool IsBuilt(std::string_view name) {
  const std::string_view base = name.substr(0, name.find(':'));
  const auto rival = std::find_if(std::begin(kRivals), std::end(kRivals),
                                  [base](const Rival& r) { return r.name == base; });
  return rival == std::end(kRivals) || rival->is_built;
}

// Those of `names` that this build has.
inline std::vector<std::string> BuiltCodecs(std::initializer_list<const char*> names) {
  std::vector<std::string> built;
  std::copy_if(names.begin(), names.end(), std::back_inserter(built), IsBuilt);
  return built;
}

}  // namespace godwit
