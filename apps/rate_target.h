// apps/rate_target.h: finds the step that meets a size or a PSNR.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

struct EncodedPicture {
  Bytes stream;
  int step_index = 0, layers = 8;
  double psnr_db = -1;  // -1: not measured
};

// Encodes at a step with so many layers; measures what it gave.
using EncodeAt = std::function<Result<EncodedPicture>(int step_index, int layers)>;
using MeasurePsnr = std::function<Result<double>(const Bytes& stream)>;

// The finest step whose file has at most `max_bytes`; only if none has, fewer layers. kOverLimit
// with the smallest possible size. Size falls with the step but for a few bytes here and there, so
// bisection finds the largest file that fits, or one that is within those few bytes of it.
Result<EncodedPicture> EncodeToSize(uint64_t max_bytes, int layers, const EncodeAt& encode);

// The coarsest step that reaches `psnr_db`, or the finest step where none does.
Result<EncodedPicture> EncodeToPsnr(double psnr_db, int layers, const EncodeAt& encode,
                                    const MeasurePsnr& measure);

// Passes over the picture that a search takes, about.
inline constexpr int kSearchPasses = 9;

}  // namespace godwit
