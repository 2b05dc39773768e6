// tests/eval/built_codecs.h: which codecs this build has.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "eval/codec_table.h"

namespace godwit {

// Of `names`, those whose libraries were there when this was built. What the table has and cannot
// be made stays, to fail where it is used.
inline std::vector<std::string> BuiltCodecs(std::initializer_list<const char*> names,
                                            const CodecContext& context) {
  std::vector<std::string> built;
  for (const char* const name : names) {
    if (FindCodec(name, context).status().code() != StatusCode::kUnsupported) {
      built.emplace_back(name);
    }
  }
  return built;
}

}  // namespace godwit
