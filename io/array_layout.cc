#include "io/array_layout.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace godwit {
namespace {

void SwapBytes(std::span<std::byte> data, size_t size) {
  for (size_t i = 0; i + size <= data.size(); i += size) {
    std::reverse(data.begin() + static_cast<ptrdiff_t>(i),
                 data.begin() + static_cast<ptrdiff_t>(i + size));
  }
}

// From first axis fastest to last axis fastest.
void Reorder(const Shape& shape, size_t size, const std::byte* from, std::byte* to) {
  const auto& d = shape.dims;
  for (int64_t a = 0; a < d[0]; ++a) {
    for (int64_t b = 0; b < d[1]; ++b) {
      for (int64_t c = 0; c < d[2]; ++c) {
        for (int64_t e = 0; e < d[3]; ++e, to += size) {
          const int64_t at = ((e * d[2] + c) * d[1] + b) * d[0] + a;
          std::memcpy(to, from + static_cast<size_t>(at) * size, size);
        }
      }
    }
  }
}

}  // namespace

Result<uint64_t> ArrayBytes(SampleType type, const Shape& shape, const DecodeLimits& limits) {
  uint64_t count = 1;
  for (const int64_t side : shape.dims) {
    if (side == 0) return uint64_t{0};
  }
  for (const int64_t side : shape.dims) {
    if (side < 0 || static_cast<uint64_t>(side) > limits.max_pixels / count) {
      return Status(StatusCode::kOverLimit, "the array has more samples than the limit of " +
                                                std::to_string(limits.max_pixels));
    }
    count *= static_cast<uint64_t>(side);
  }
  if (count > limits.max_memory_bytes / SampleBytes(type)) {
    return Status(StatusCode::kOverLimit, "the array takes more than the limit of " +
                                              std::to_string(limits.max_memory_bytes) + " bytes");
  }
  return count * SampleBytes(type);
}

Result<NdArray> ReadSamples(const ArrayLayout& layout, std::span<const std::byte> file,
                            bool exact) {
  const size_t size = SampleBytes(layout.type);
  const size_t bytes = static_cast<size_t>(layout.shape.count()) * size;
  if (file.size() < bytes) {
    return Status(StatusCode::kTruncated, "holds " + std::to_string(file.size()) + " of the " +
                                              std::to_string(bytes) + " bytes of samples");
  }
  if (exact && file.size() > bytes) {
    return Status(StatusCode::kUnreadable,
                  std::to_string(file.size() - bytes) + " bytes left after the samples");
  }
  NdArray array{layout.type, layout.shape, {}};
  if (layout.first_fastest) {
    array.data.resize(bytes);
    if (bytes > 0) Reorder(layout.shape, size, file.data(), array.data.data());
  } else {
    array.data.assign(file.begin(), file.begin() + static_cast<ptrdiff_t>(bytes));
  }
  if (layout.swapped) SwapBytes(array.data, size);
  return array;
}

}  // namespace godwit
