// codecs/array/wavelet_decode.h: the samples of a tile coded as a wavelet.
#pragma once

#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/wavelet_context.h"
#include "entropy/bit_stream.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// Reads what follows the method and stores the samples of `part`, which lies in `box`; `whole` is
// what `out` holds.
Status DecodeWaveletTile(BitReader& reader, const ArrayHeader& header, const WaveletModel& start,
                         const Box& box, const Box& part, NdArray& out, const Box& whole);

}  // namespace godwit::array
