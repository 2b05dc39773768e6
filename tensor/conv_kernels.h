// tensor/conv_kernels.h: integer convolution at each SIMD level; docs/format/network.md is the law.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cpu.h"
#include "tensor/tensor.h"

namespace godwit {

inline constexpr int kMaxConvKernel = 7;    // taps along one side
inline constexpr int kMinConvWeight = -64;  // 7 bits: two u8 * s8 products fit AVX2's s16 pairs
inline constexpr int kMaxConvWeight = 63;
inline constexpr int64_t kChannelAlign = 16;  // activations in memory: channels rounded up to this

// Stride 1, `kernel` odd. `groups` divides both channel counts.
struct ConvSpec {
  int in_channels = 0, out_channels = 0, kernel = 1, groups = 1;
  int taps() const { return kernel * kernel; }
  int group_in() const { return in_channels / groups; }
  int group_out() const { return out_channels / groups; }
  bool depthwise() const { return groups > 1 && groups == in_channels && groups == out_channels; }
  int64_t weight_count() const { return int64_t{out_channels} * taps() * group_in(); }
};

// Borrowed, laid out as in the file. Whoever loads them proves for every output channel that
// |bias| + 255 * sum|weight| < 2^31 and that Requantise() of anything within fits s32; weights in
// [-64, 63], mult >= 1, 1 <= shift <= 62. Kernels rely on all of it.
struct ConvWeights {
  ConvSpec spec;
  const int8_t* weight = nullptr;  // [out][ky][kx][in / groups]
  const int32_t* bias = nullptr;   // [out], the input's zero point already folded in
  const int32_t* mult = nullptr;   // [out]
  const uint8_t* shift = nullptr;  // [out]
};

// Rounds half up. Equals the law's r before residual and saturation.
inline int64_t Requantise(int32_t acc, int32_t mult, int shift) {
  return (int64_t{acc} * mult + (int64_t{1} << (shift - 1))) >> shift;
}

// Output channels that one kernel tile makes together.
struct ConvBlock {
  int first_channel = 0;
  int units = 0;              // vector registers of output channels
  int in_offset = 0;          // first input channel read, a multiple of 4
  int steps = 0;              // input channels read / 4, for each tap
  int64_t weight_offset = 0;  // bytes into PackedConv::weights
  int64_t first_unit = 0;     // units into PackedConv::constants
};

// Weights in the order in which one level's kernels read them. Read-only after packing.
struct PackedConv {
  ConvSpec spec;
  std::vector<ConvBlock> blocks;
  Tensor<int8_t> weights;
  Tensor<int64_t> constants;        // UnitConstants (conv_pack.h) of each unit
  std::vector<int32_t> bias, mult;  // as given; only the scalar kernel reads these
  std::vector<uint8_t> shift;
};

// Strides in bytes. The input's border is in memory: `in` is the top left tap of the first output
// position. in_col_stride is a multiple of 4 and at least in_channels rounded up to 4, and 64 bytes
// past the last input position are readable. Exactly out_channels bytes of each position are
// written.
struct ConvArgs {
  const uint8_t* in = nullptr;
  int64_t in_row_stride = 0, in_col_stride = 0;
  uint8_t* out = nullptr;
  int64_t out_row_stride = 0, out_col_stride = 0;
  const uint8_t* residual = nullptr;  // may be null; must not overlap `out`
  int64_t residual_row_stride = 0, residual_col_stride = 0;
  int64_t height = 0, width = 0;  // output positions
  int16_t offset = 0;             // added before saturation to [0, 255]: within [-128, 128]
  uint8_t flip = 0;               // xor on the stored byte: 0x80 turns value + 128 into s8
};

// A 1x1 convolution, not grouped, of at most 256 channels, whose input seldom differs much from
// that of a position at rest: what that makes is known beforehand.
struct RestingConv {
  Tensor<uint8_t> rest;    // the position, zeros after its channels
  Tensor<int32_t> sums;    // [unit][lane]: what it makes, bias included
  Tensor<int32_t> groups;  // each four channels' part of that, in the order of the weights
};

struct ConvKernels {
  PackedConv (*pack)(const ConvWeights& weights);
  void (*run)(const PackedConv& packed, const ConvArgs& args);
  // The same sums, faster where most channels rest. Null where a level has none.
  void (*run_resting)(const PackedConv& packed, const RestingConv& resting, const ConvArgs& args);
  bool CanRest(const ConvSpec& spec) const {
    return run_resting != nullptr && spec.kernel == 1 && spec.groups == 1 &&
           spec.in_channels <= 256;
  }
};
// For kernels that can rest. `rest` has in_channels bytes.
RestingConv MakeResting(const PackedConv& packed, const uint8_t* rest);

// `level` must be one of SupportedSimdLevels(). A PackedConv belongs to the table that packed it.
const ConvKernels& ConvKernelsFor(SimdLevel level);

}  // namespace godwit
