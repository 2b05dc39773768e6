#include "eval/array_parts.h"

#include <cstring>

namespace godwit {
namespace {

void Exchange(const std::byte* from, int64_t rows, int64_t columns, size_t bytes, std::byte* to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      std::memcpy(to + static_cast<size_t>(c * rows + r) * bytes,
                  from + static_cast<size_t>(r * columns + c) * bytes, bytes);
    }
  }
}

}  // namespace

bool IsTable(const NdArray& array) {
  return array.shape.rank == 2 && array.shape.dims[1] * 8 <= array.shape.dims[0];
}

NdArray ByChannel(const NdArray& array) {
  NdArray out = array;
  if (!IsTable(array)) return out;
  std::swap(out.shape.dims[0], out.shape.dims[1]);
  Exchange(array.data.data(), array.shape.dims[0], array.shape.dims[1], SampleBytes(array.type),
           out.data.data());
  return out;
}

Status FromByChannel(const NdArray& by_channel, NdArray* array) {
  if (by_channel.type != array->type || by_channel.data.size() != array->data.size()) {
    return Status(StatusCode::kInvalidArgument, "a stream of another array");
  }
  if (IsTable(*array)) {
    Exchange(by_channel.data.data(), array->shape.dims[1], array->shape.dims[0],
             SampleBytes(array->type), array->data.data());
  } else {
    array->data = by_channel.data;
  }
  return {};
}

}  // namespace godwit
