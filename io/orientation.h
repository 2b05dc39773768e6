// io/orientation.h: turns pictures upright as EXIF orientations 1..8 ask.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace godwit {

// Orientations 5..8 exchange width and height.
inline bool OrientationTransposes(int orientation) { return orientation >= 5; }

// Puts a strip of stored rows, the first of which is row `first_row` of `stored_height`, where
// they belong in the upright picture `out`. `stored` and `out` have the same 1..4 channels.
void PlaceOriented(TensorView<const uint8_t> stored, int64_t first_row, int64_t stored_height,
                   int orientation, TensorView<uint8_t> out);

}  // namespace godwit
