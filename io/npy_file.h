// io/npy_file.h: NumPy's .npy files, versions 1 to 3.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

// True if these are the first bytes of a .npy file.
bool IsNpy(std::span<const std::byte> prefix);

// C and Fortran order, both byte orders, one to four axes of u8, i8, u16, i16, u32, i32, f32 or
// f64; b1 is read as u8. kUnreadable: not such a file, or samples left over; kTruncated: it ends
// early; kUnsupported: other types, no axis or more than four; kOverLimit.
Result<NdArray> ReadNpy(std::span<const std::byte> file, const DecodeLimits& limits = {});

// What comes before the samples of a file in C order: version 1.0.
Bytes NpyHeader(SampleType type, const Shape& shape);

}  // namespace godwit
