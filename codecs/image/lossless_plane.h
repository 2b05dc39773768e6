// codecs/image/lossless_plane.h: one plane of bytes (alpha), lossless; docs/format/alpha.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "tensor/tensor.h"

namespace godwit {

// Bytes that always suffice for a plane of this size.
size_t LosslessPlaneBound(int64_t height, int64_t width);

// Writes `plane` (channels == 1, any strides) into `out` and returns the byte count; 0 for a plane
// of 255 only. kOverLimit if `out` is too small, which LosslessPlaneBound() bytes never are.
// Allocates a few rows of scratch.
Result<size_t> EncodeLosslessPlane(TensorView<const uint8_t> plane, std::span<std::byte> out);

// Fills `plane`, whose size is not in the stream. After an error it is unspecified. Bytes that no
// encoder writes are errors (entropy/range_coder.h says which cannot be seen), never worse.
Status DecodeLosslessPlane(std::span<const std::byte> in, TensorView<uint8_t> plane);

}  // namespace godwit
