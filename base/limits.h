// base/limits.h: what a stranger's file may ask of us. Checked before anything is allocated.
#pragma once

#include <cstdint>

namespace godwit {

struct DecodeLimits {
  uint64_t max_pixels = uint64_t{1} << 28;        // 268 megapixels
  uint64_t max_memory_bytes = uint64_t{4} << 30;  // workspace and output of one decode
};

}  // namespace godwit
