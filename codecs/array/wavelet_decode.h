// codecs/array/wavelet_decode.h: the samples of a tile coded as a wavelet.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_synthesis.h"
#include "codecs/array/unit_store.h"
#include "codecs/array/wavelet_context.h"
#include "codecs/array/wavelet_tile.h"
#include "entropy/bit_stream.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// The symbols and points of a tile whose bands and components are known, to the end of the tile.
Status ReadTileSymbols(BitReader& reader, const WaveletModel& start, WaveletTile& tile);

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
