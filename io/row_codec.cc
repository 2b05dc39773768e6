#include "io/row_codec.h"

namespace godwit {

Status CheckPixels(uint64_t width, uint64_t height, const DecodeLimits& limits) {
  if (width == 0 || height == 0) return Status(StatusCode::kUnreadable, "has no pixels");
  if (width <= limits.max_pixels && height <= limits.max_pixels / width) return {};
  return Status(StatusCode::kOverLimit, std::to_string(width) + " x " + std::to_string(height) +
                                            " pixels, but at most " +
                                            std::to_string(limits.max_pixels) + " are allowed");
}

Status CheckMemory(uint64_t memory_bytes, const DecodeLimits& limits) {
  if (memory_bytes <= limits.max_memory_bytes) return {};
  return Status(StatusCode::kOverLimit,
                "needs " + std::to_string(memory_bytes) + " bytes of memory, but at most " +
                    std::to_string(limits.max_memory_bytes) + " are allowed");
}

}  // namespace godwit
