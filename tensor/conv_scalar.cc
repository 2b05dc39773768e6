// The definition of convolution: docs/format/network.md in code.
#include <algorithm>

#include "tensor/conv_pack.h"

namespace godwit {

PackedConv PackConvScalar(const ConvWeights& weights) {
  PackedConv packed;
  packed.spec = weights.spec;
  const int64_t count = weights.spec.weight_count();
  packed.weights = Tensor<int8_t>(1, count);
  std::copy_n(weights.weight, count, packed.weights.data());
  packed.bias.assign(weights.bias, weights.bias + weights.spec.out_channels);
  packed.mult.assign(weights.mult, weights.mult + weights.spec.out_channels);
  packed.shift.assign(weights.shift, weights.shift + weights.spec.out_channels);
  return packed;
}

void RunConvScalar(const PackedConv& packed, const ConvArgs& args) {
  const ConvSpec& spec = packed.spec;
  const int group_in = spec.group_in(), group_out = spec.group_out();
  for (int64_t y = 0; y < args.height; ++y) {
    for (int64_t x = 0; x < args.width; ++x) {
      const uint8_t* corner = args.in + y * args.in_row_stride + x * args.in_col_stride;
      uint8_t* out = args.out + y * args.out_row_stride + x * args.out_col_stride;
      const int8_t* weight = packed.weights.data();
      for (int o = 0; o < spec.out_channels; ++o) {
        int32_t acc = packed.bias[o];
        for (int ky = 0; ky < spec.kernel; ++ky) {
          for (int kx = 0; kx < spec.kernel; ++kx, weight += group_in) {
            const uint8_t* in = corner + ky * args.in_row_stride + kx * args.in_col_stride +
                                o / group_out * group_in;
            for (int c = 0; c < group_in; ++c) acc += in[c] * weight[c];
          }
        }
        int64_t r = Requantise(acc, packed.mult[o], packed.shift[o]);
        if (args.residual != nullptr) {
          r += args.residual[y * args.residual_row_stride + x * args.residual_col_stride + o];
        }
        r = std::clamp<int64_t>(r + args.offset, 0, 255);
        out[o] = static_cast<uint8_t>(r ^ args.flip);
      }
    }
  }
}

}  // namespace godwit
