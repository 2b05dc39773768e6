// eval/eval_picture.h: pictures to measure: 8-bit RGB, whole in memory.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "tensor/tensor.h"

namespace godwit {

struct EvalPicture {
  Tensor<uint8_t> rgb;
  std::string digest;  // SHA-256 of the samples, row by row, in hex
};

// Grey becomes RGB and opaque alpha is dropped; other alpha is kUnsupported. Messages name the
// file.
Result<EvalPicture> ReadEvalPicture(const std::string& path, const DecodeLimits& limits = {});

// Exactly, as PNG or PPM by the suffix of `path`, which is replaced if it is there.
Status WriteEvalPicture(const std::string& path, TensorView<const uint8_t> rgb);

}  // namespace godwit
