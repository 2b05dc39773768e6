// codecs/array/unit_store.h: samples of whole numbers of units. docs/format/array.md section 4.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/array/array_header.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// Samples that are sent as they are, as CodeExceptions() has them.
struct TileExceptions {
  std::vector<uint8_t> mask;
  std::vector<int32_t> bits;
  std::vector<uint32_t> lower;
};

// Stores the samples of `part`, which lies in `box`; `whole` is what `out` holds. `values` are
// those of the box, channel after channel.
void StoreUnits(const ArrayHeader& header, const std::vector<int32_t>& values,
                const TileExceptions& exceptions, const Box& box, const Box& part, NdArray& out,
                const Box& whole);

}  // namespace godwit::array
