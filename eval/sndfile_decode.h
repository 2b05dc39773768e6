// eval/sndfile_decode.h: a stream of another's codec decoded by libsndfile, as players would.
#pragma once

#include <span>

#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// All of `stream`, whose rate is `rate_hz` and which holds as much as `sound` does; at its own rate
// again. `name` begins messages.
Status DecodeBySndfile(std::span<const std::byte> stream, uint32_t rate_hz, const char* name,
                       Sound* sound);

}  // namespace godwit
