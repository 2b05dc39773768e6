// io/array_layout.h: what the readers of array files share: sizes within limits, samples to the
// order and the byte order of this machine.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

// How samples lie in a file.
struct ArrayLayout {
  SampleType type = SampleType::kU8;
  Shape shape;                 // as the reader of the array will see it, last axis fastest
  bool first_fastest = false;  // Fortran order: the file's first axis is its fastest
  bool swapped = false;        // big-endian
};

// Bytes of all samples. kOverLimit beyond limits.max_pixels samples or max_memory_bytes; computed
// without overflow, whatever the sides are.
Result<uint64_t> ArrayBytes(SampleType type, const Shape& shape, const DecodeLimits& limits);

// `file` holds the samples from its start; kTruncated where it has too few, kUnreadable where it
// has more and `exact`. The layout must have passed ArrayBytes().
Result<NdArray> ReadSamples(const ArrayLayout& layout, std::span<const std::byte> file, bool exact);

}  // namespace godwit
