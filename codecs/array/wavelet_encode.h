// codecs/array/wavelet_encode.h: a tile of samples as a wavelet.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/wavelet_context.h"
#include "tensor/nd_array.h"

namespace godwit::array {

using WaveletLevels = std::array<uint8_t, 3>;
// Those that leave the least to code of a part in the middle of the array, whose other parts of
// the header are known.
WaveletLevels ChooseLevels(const NdArray& array, ArrayHeader header);

// `end`, where it is given, becomes what the tile leaves behind.
Result<Bytes> EncodeWaveletTile(const NdArray& array, const ArrayHeader& header,
                                const WaveletModel& start, int64_t index,
                                WaveletModel* end = nullptr);

}  // namespace godwit::array
