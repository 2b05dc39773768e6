// eval/array_stream.h: our own streams of arrays, by whatever method.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/status.h"
#include "codecs/array/array_decoder.h"
#include "tensor/nd_array.h"

namespace godwit {

// Into `array`, whose type and shape are the original's. kInvalidArgument, and `codec` named, where
// the stream is of another.
Status DecodeArrayInto(std::string_view codec, std::span<const std::byte> stream,
                       const ArrayDecodeOptions& options, NdArray* array);

}  // namespace godwit
