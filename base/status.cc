#include "base/status.h"

namespace godwit {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInternal:
      return "internal";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kUnreadable:
      return "unreadable";
    case StatusCode::kUnsupported:
      return "unsupported";
    case StatusCode::kCorrupt:
      return "corrupt";
    case StatusCode::kTruncated:
      return "truncated";
    case StatusCode::kOverLimit:
      return "over limit";
    case StatusCode::kModelMissing:
      return "model missing";
    case StatusCode::kModelRefused:
      return "model refused";
    case StatusCode::kNotWritable:
      return "not writable";
  }
  return "unknown";
}

}  // namespace godwit
