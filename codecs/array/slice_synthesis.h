// codecs/array/slice_synthesis.h: a network's corrections to decoded samples, slice by slice.
// docs/format/array.md section 10.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/array_synthesis.h"
#include "codecs/array/wavelet_bands.h"

namespace godwit::array {

inline constexpr int kPatchSide = 8;
inline constexpr int kPatchSamples = kPatchSide * kPatchSide;
// The patch, those of the slices before and after, the means to the left and above.
inline constexpr int kPatchInputs = 3 * kPatchSamples + 2;

// Values of the least and the largest sample of a type; +-2^30 where there is no such bound.
struct ValueBounds {
  int32_t least = -(1 << 30), largest = 1 << 30;
};
ValueBounds BoundsOf(const ValueMap& map);

// Whether slices of this shape have rows and columns: others are left as they are.
inline bool HasSlices(const WaveletShape& shape) {
  return shape.sides[1] > 1 && shape.sides[2] > 1;
}

// What CorrectSlices() allocates for a tile of this box.
uint64_t SliceWorkBytes(const ArraySynthesis& synthesis, const BoxOrder& order);

// Corrects the samples of one component, the box of `shape`. May throw bad_alloc.
Status CorrectSlices(const ArraySynthesis& synthesis, SimdLevel level, const WaveletShape& shape,
                     uint64_t step, ValueBounds bounds, int32_t* samples);

}  // namespace godwit::array
