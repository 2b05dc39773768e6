// models/gradient_sums.h: the sums of a transposed convolution; private to this folder.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace godwit {

inline constexpr int64_t kSumLanes = 16;  // outputs that are summed side by side

inline int64_t PaddedToLanes(int64_t channels) {
  return (channels + kSumLanes - 1) / kSumLanes * kSumLanes;
}

// out[x][o] = sum over taps and inputs, two of which share a lane. All inputs of all taps are in
// memory, and one after an odd last. No sum of magnitudes may leave s32.
struct GradientSums {
  const int16_t* in = nullptr;
  int64_t in_row = 0, in_position = 0;  // values from one to the next
  int32_t* out = nullptr;
  int64_t out_position = 0;
  int64_t width = 0, pairs = 0, outputs = 0;  // outputs: a multiple of kSumLanes
  int kernel = 1;
  const int16_t* weights = nullptr;  // [output / kSumLanes][ky][kx][pair][kSumLanes][2]
};

using GradientSumsFunction = void (*)(const GradientSums&);
GradientSumsFunction GradientSumsFor(SimdLevel level);

}  // namespace godwit
