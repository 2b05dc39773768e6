#include "eval/array_stream.h"

#include <string>

namespace godwit {

Status DecodeArrayInto(std::string_view codec, std::span<const std::byte> stream,
                       const ArrayDecodeOptions& options, NdArray* array) {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream parsed, ParseArrayStream(stream));
  if (parsed.header.type != array->type || parsed.header.shape != array->shape) {
    return Status(StatusCode::kInvalidArgument, std::string(codec) + ": a stream of another array");
  }
  GODWIT_ASSIGN_OR_RETURN(*array, DecodeArray(parsed, options));
  return {};
}

}  // namespace godwit
