// eval/eval_sound.h: sounds to measure, whole in memory.
#pragma once

#include <string>

#include "base/limits.h"
#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// WAV, FLAC, Ogg, MP3, AIFF; NaN is silence. kUnreadable where there are no samples. Messages name
// the file.
Result<Sound> ReadEvalSound(const std::string& path, const DecodeLimits& limits = {});

}  // namespace godwit
