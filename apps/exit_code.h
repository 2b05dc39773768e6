// apps/exit_code.h: what the program's exit codes say; README.md and godwit(1) have the same table.
#pragma once

#include "base/status.h"

namespace godwit {

enum ExitCode : int {
  kExitOk = 0,           // done
  kExitFailure = 1,      // any other failure
  kExitUsage = 2,        // misused: wrong arguments
  kExitUnreadable = 3,   // input missing, or not what it claims to be
  kExitUnsupported = 4,  // valid, but not supported by this version
  kExitCorrupt = 5,      // corrupt or truncated
  kExitOverLimit = 6,    // over a limit
  kExitModel = 7,        // model missing or refused
  kExitNotWritable = 8,  // output exists or cannot be written
};

constexpr ExitCode ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kInternal:
      return kExitFailure;
    case StatusCode::kInvalidArgument:
      return kExitUsage;
    case StatusCode::kUnreadable:
      return kExitUnreadable;
    case StatusCode::kUnsupported:
      return kExitUnsupported;
    case StatusCode::kCorrupt:
    case StatusCode::kTruncated:
      return kExitCorrupt;
    case StatusCode::kOverLimit:
      return kExitOverLimit;
    case StatusCode::kModelMissing:
    case StatusCode::kModelRefused:
      return kExitModel;
    case StatusCode::kNotWritable:
      return kExitNotWritable;
  }
  return kExitFailure;
}

}  // namespace godwit
