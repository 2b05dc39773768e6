// codecs/array/wavelet_decode.h: the samples of a tile coded as a wavelet.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_synthesis.h"
#include "codecs/array/wavelet_context.h"
#include "codecs/array/wavelet_tile.h"
#include "entropy/bit_stream.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// Samples that are sent as they are, as CodeExceptions() has them.
struct TileExceptions {
  std::vector<uint8_t> mask;
  std::vector<int32_t> bits;
  std::vector<uint32_t> lower;
};

// Reads what follows the method: symbols, not samples.
Result<WaveletTile> ReadWaveletTile(BitReader& reader, const ArrayHeader& header,
                                    const WaveletModel& start, const BoxOrder& order,
                                    TileExceptions& exceptions);

// Reads what follows the method and stores the samples of `part`, which lies in `box`; `whole` is
// what `out` holds. `synthesis` may be null.
Status DecodeWaveletTile(BitReader& reader, const ArrayHeader& header, const WaveletModel& start,
                         const ArraySynthesis* synthesis, const Box& box, const Box& part,
                         NdArray& out, const Box& whole);

}  // namespace godwit::array
