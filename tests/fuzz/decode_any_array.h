// tests/fuzz/decode_any_array.h: what every fuzz target asks of a stream of an array.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>

#include "codecs/array/array_decoder.h"

namespace godwit {

// An array within the limits, or an error and false.
inline bool DecodeAnyArray(std::span<const std::byte> file, ArrayDecodeOptions options) {
  options.limits = {.max_pixels = 1 << 14, .max_memory_bytes = 16 << 20};
  options.threads = 1;
  const auto stream = ParseArrayStream(file, options.limits);
  if (!stream.ok()) return false;
  const auto array = DecodeArray(*stream, options);
  if (!array.ok()) return false;
  const auto count = static_cast<size_t>(array->shape.count());
  if (array->data.size() != count * SampleBytes(array->type)) std::abort();
  return true;
}

}  // namespace godwit
