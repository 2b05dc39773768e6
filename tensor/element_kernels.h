// tensor/element_kernels.h: the layers without weights, by rows; docs/format/network.md is the law.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "tensor/tensor.h"

namespace godwit {

struct ElementKernels {
  // out[i] = min(a[i] + b[i], 255). `out` may be `a` or `b`.
  void (*add)(const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count);
  // out[i] = table[in[i]], 256 entries. `out` may be `in`.
  void (*lut)(const uint8_t* in, const uint8_t* table, uint8_t* out, int64_t count);
  // `count` bytes, each with `flip` xored in. Runs do not overlap.
  void (*copy)(const uint8_t* in, uint8_t* out, int64_t count, uint8_t flip);
};

// `level` must be one of SupportedSimdLevels().
const ElementKernels& ElementKernelsFor(SimdLevel level);

// One input row of out.channels * block * block channels becomes `block` output rows: channel c at
// (dy, dx) comes from input channel (dy * block + dx) * out.channels + c. Strides in bytes; `out`
// is {block, width * block, channels}. Each byte gets `flip` xored in.
void DepthToSpaceRow(const ElementKernels& kernels, const uint8_t* in, int64_t in_col_stride,
                     int block, TensorView<uint8_t> out, uint8_t flip);

// One position of groups * each channels: output channel i * groups + g is input channel
// g * each + i. Each byte gets `flip` xored in. `out` is not `in`.
void ShuffleChannels(const uint8_t* in, uint8_t* out, int64_t groups, int64_t each, uint8_t flip);

// Replicates the edges of `inner`, a window of a larger buffer, into `top` rows above it, `left`
// columns before it and so on. Whole positions of col_stride bytes are copied.
void ReplicateBorder(TensorView<uint8_t> inner, int64_t top, int64_t bottom, int64_t left,
                     int64_t right);

}  // namespace godwit
