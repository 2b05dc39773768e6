// Any bytes, from PNG seeds: a picture whose every row can be read, or an error.
#include <cstddef>
#include <cstdint>

#include "io/image_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const DecodeLimits limits{.max_pixels = 1 << 18, .max_memory_bytes = 16 << 20};
  const auto reader = OpenImageBytes(AsBytes({data, size}), limits);
  if (!reader.ok()) return 0;
  const ImageInfo& info = (*reader)->info();
  Tensor<uint8_t> rows(1, info.width, info.channels);
  for (uint32_t y = 0; y < info.height && (*reader)->ReadRows(rows.view()).ok(); ++y) {
  }
  return 0;
}
