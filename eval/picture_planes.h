// eval/picture_planes.h: the channels of 8-bit pictures as real numbers, for metrics.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/tensor.h"

namespace godwit {

using Plane = Tensor<double>;  // {height, width}, 0..255

// `channel` of a picture as it is.
Plane ChannelPlane(TensorView<const uint8_t> picture, int channel);

// Y, Cb and Cr of an RGB picture: BT.601 weights, full range, not rounded. Cb and Cr are centred
// on 0; only differences matter to a metric.
std::array<Plane, 3> YcbcrPlanes(TensorView<const uint8_t> rgb);
Plane LumaPlane(TensorView<const uint8_t> rgb);  // the first of them

// Means of 2x2 samples; a last odd row or column is left out.
Plane HalfSize(const Plane& plane);

// Of two planes of one shape.
double MeanSquaredError(const Plane& a, const Plane& b);

}  // namespace godwit
