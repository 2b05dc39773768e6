// Any bytes: an array within the limits whose samples are all there, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "io/nifti_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  const DecodeLimits limits{.max_pixels = 1 << 18, .max_memory_bytes = 1 << 20};
  const auto array = ReadNifti(AsBytes({data, size}), limits);
  if (!array.ok()) return 0;
  const auto count = static_cast<size_t>(array->shape.count());
  if (array->data.size() != count * SampleBytes(array->type)) std::abort();
  if (array->data.size() > limits.max_memory_bytes) std::abort();
  return 0;
}
