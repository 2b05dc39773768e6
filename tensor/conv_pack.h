// tensor/conv_pack.h: weight layouts shared by the SIMD convolutions, and their entry points.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/conv_kernels.h"

namespace godwit {

// What the epilogue needs for the `kLanes` output channels of one vector register. Products are
// s64, so even and odd lanes are worked apart: index 0 holds lanes 0, 2, 4..., index 1 the others.
template <int kLanes>
struct alignas(kLanes * 4) UnitConstants {
  int64_t mult[2][kLanes / 2];
  int64_t round[2][kLanes / 2];  // 1 << (shift - 1); AVX2 (8 lanes) adds 1 << 63, see `fix`
  int64_t shift[2][kLanes / 2];
  int32_t bias[kLanes];
  // AVX2 has no arithmetic s64 shift: (x + 2^63) >>> s equals (x >> s) + 2^(63 - s), whose low
  // 32 bits are taken off again here. Zero elsewhere.
  int32_t fix[kLanes];
};

// Dense and grouped: blocks of at most `max_units` units, as equal as they come. Weights are
// [block][ky][kx][step][unit][lane][4 input channels]. A block reads the input channels of all its
// groups and holds zeros where an output does not belong to the group.
template <int kLanes>
PackedConv PackBlocks(const ConvWeights& weights, int max_units);

// Depthwise: blocks of 4 units, weights [block][quad of taps][unit][lane][4 taps]. Unit j, lane i
// is channel (i / 4) * 16 + j * 4 + i % 4 of its block: the order in which byte and word unpacks
// leave a register of channels, and in which the packs of the epilogue restore it.
template <int kLanes>
PackedConv PackDepthwise(const ConvWeights& weights);

extern template PackedConv PackBlocks<8>(const ConvWeights&, int);
extern template PackedConv PackBlocks<16>(const ConvWeights&, int);
extern template PackedConv PackDepthwise<8>(const ConvWeights&);
extern template PackedConv PackDepthwise<16>(const ConvWeights&);

inline int DepthwiseQuads(const ConvSpec& spec) { return (spec.taps() + 3) / 4; }

// The byte offset of each tap from the top left one; taps up to the next multiple of 4 repeat the
// first, with zero weights.
using TapOffsets = std::array<int64_t, (kMaxConvKernel * kMaxConvKernel + 3) / 4 * 4>;
TapOffsets DepthwiseTapOffsets(const ConvSpec& spec, const ConvArgs& args);

PackedConv PackConvScalar(const ConvWeights& weights);
void RunConvScalar(const PackedConv& packed, const ConvArgs& args);
#if defined(__x86_64__)
PackedConv PackConvAvx2(const ConvWeights& weights);
void RunConvAvx2(const PackedConv& packed, const ConvArgs& args);
void RunDepthwiseAvx2(const PackedConv& packed, const ConvArgs& args);
PackedConv PackConvAvx512(const ConvWeights& weights);
void RunConvAvx512(const PackedConv& packed, const ConvArgs& args);
void RunDepthwiseAvx512(const PackedConv& packed, const ConvArgs& args);
void RunRestingAvx512(const PackedConv& packed, const RestingConv& resting, const ConvArgs& args);
#endif

}  // namespace godwit
