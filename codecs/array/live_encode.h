// codecs/array/live_encode.h: a tile of samples by the live method.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_model.h"
#include "codecs/array/wavelet_context.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// kUnsupported where the model is not for arrays of this shape.
Status CheckLiveShape(const ArrayHeader& header, const ArrayModel& model);

// `start` is the model's, or another. `simd` changes no byte.
Result<Bytes> EncodeLiveTile(const NdArray& array, const ArrayHeader& header,
                             const ArrayModel& model, SimdLevel simd, const WaveletModel& start,
                             int64_t index);

}  // namespace godwit::array
