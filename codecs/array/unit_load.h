// codecs/array/unit_load.h: samples as whole numbers of units, for wavelets.
// docs/format/array.md section 4.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/array/array_header.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// Samples in units, channel after channel; those that have none take the value before them.
struct UnitSamples {
  std::vector<int32_t> values;
  std::vector<uint8_t> exceptions;  // with room, as predicted tiles have it
  std::vector<int32_t> bits;        // of f64 their upper halves
  std::vector<uint32_t> lower;      // and their lower ones
};

UnitSamples LoadUnits(const NdArray& array, const ArrayHeader& header, const Box& box,
                      const BoxOrder& order);

// Units, offset and step for the finite samples, of kind kWavelet; `step` in units of the samples.
ValueMap UnitMap(const NdArray& array, double step);

}  // namespace godwit::array
