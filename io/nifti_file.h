// io/nifti_file.h: volumes from NIfTI-1 files, plain (.nii) or packed by gzip (.nii.gz).
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

// True if these are the first bytes (at least 348) of a plain NIfTI-1 file; of a packed one the
// first two.
bool IsNifti(std::span<const std::byte> prefix);
bool IsGzip(std::span<const std::byte> prefix);

// The samples as they lie in the file, of the types of SampleType: scl_slope and scl_inter are not
// applied. NIfTI's first axis is the fastest, so it becomes the last; axes of one sample beyond
// the others are dropped. kUnreadable, kTruncated, kOverLimit; kUnsupported: other types, more than
// four axes, samples in another file (.hdr and .img).
Result<NdArray> ReadNifti(std::span<const std::byte> file, const DecodeLimits& limits = {});

}  // namespace godwit
