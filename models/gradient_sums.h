// models/gradient_sums.h: the sums of a convolution in float; private to this folder.
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace godwit {

inline constexpr int64_t kSumLanes = 16;  // floats that are summed side by side

inline int64_t PaddedToLanes(int64_t channels) {
  return (channels + kSumLanes - 1) / kSumLanes * kSumLanes;
}

// out[x][o] = sum over taps and inputs, one after the other and without fused multiplications: the
// same floats at every level. All inputs of all taps are in memory.
struct GradientSums {
  const float* in = nullptr;
  int64_t in_row = 0, in_position = 0;  // floats from one to the next
  float* out = nullptr;
  int64_t out_position = 0;
  int64_t width = 0, inputs = 0, outputs = 0;  // outputs: a multiple of kSumLanes
  int kernel = 1;
  const float* weights = nullptr;  // [output / kSumLanes][ky][kx][input][kSumLanes]
};

using GradientSumsFunction = void (*)(const GradientSums&);
GradientSumsFunction GradientSumsFor(SimdLevel level);

}  // namespace godwit
