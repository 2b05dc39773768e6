// io/any_array.h: arrays from files of any kind that holds them, by content.
#pragma once

#include <string>

#include "base/limits.h"
#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit {

// .npy, NIfTI, and sound as (frame, channel). Messages name the file.
Result<NdArray> ReadArrayFile(const std::string& path, const DecodeLimits& limits = {});

}  // namespace godwit
