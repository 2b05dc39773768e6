// codecs/array/live_decode.h: the samples of a tile of the live method.
#pragma once

#include "base/cpu.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_model.h"
#include "entropy/bit_stream.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// As DecodeWaveletTile(); `model` is of the live method and has the header's levels.
Status DecodeLiveTile(BitReader& reader, const ArrayHeader& header, const ArrayModel& model,
                      SimdLevel simd, const Box& box, const Box& part, NdArray& out,
                      const Box& whole);

}  // namespace godwit::array
