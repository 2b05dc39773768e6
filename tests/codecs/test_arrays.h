// tests/codecs/test_arrays.h: what tests of array codecs share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"

namespace godwit {

inline Shape ShapeOf(const std::vector<int64_t>& sides) {
  Shape shape;
  shape.rank = static_cast<int>(sides.size());
  std::copy(sides.begin(), sides.end(), shape.dims.begin());
  return shape;
}

inline double At(const NdArray& array, size_t i) {
  return WithSampleType(
      array.type, [&](auto type) { return static_cast<double>(array.As<decltype(type)>()[i]); });
}

inline Bytes Encoded(const NdArray& array, const ArrayEncodeOptions& options) {
  Result<Bytes> file = EncodeArray(array, options);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? *std::move(file) : Bytes();
}
inline Result<NdArray> Decoded(const Bytes& file, const ArrayDecodeOptions& options = {}) {
  GODWIT_ASSIGN_OR_RETURN(const ArrayStream stream, ParseArrayStream(file, options.limits));
  return DecodeArray(stream, options);
}

}  // namespace godwit
