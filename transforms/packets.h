// transforms/packets.h: wavelet packets and pyramids of arrays with one to four axes, in place.
// docs/format/packet.md section 3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/cpu.h"
#include "transforms/lifting.h"

namespace godwit {

inline constexpr int kMaxPacketLevels = 16;

enum class PacketTree : uint8_t {
  kFull,  // every band is split again, at every level: 2^levels bands in natural order
  kLow,   // only the low band is split again: levels + 1 bands, the lowest first
};

// How one axis is transformed. Lengths may be anything from 1; bands may then be empty.
struct PacketAxis {
  int64_t length = 1;
  int levels = 0;  // 0 leaves the axis alone; at most kMaxPacketLevels
  PacketTree tree = PacketTree::kFull;

  int bands() const { return tree == PacketTree::kFull ? 1 << levels : levels + 1; }
};

// Where a band lies along an axis after the forward transform.
struct PacketBand {
  int64_t begin = 0, size = 0;
  int lows = 0, highs = 0;  // how often it came out of a low-pass and of a high-pass
};
PacketBand PacketBandOf(const PacketAxis& axis, int band);

// Samples of scratch that the transforms below want.
size_t PacketScratch(std::span<const PacketAxis> axes);

// `data` is contiguous, the last axis fastest. Axes are transformed from the last to the first.
// Sums wrap, so that Inverse undoes Forward exactly for all samples; bands mean what they should
// while samples stay below 2^30 / 1.6^(levels of all axes). `scratch` as PacketScratch() says.
void ForwardPackets(const LiftingKernels& kernels, Wavelet wavelet,
                    std::span<const PacketAxis> axes, int32_t* data, std::span<int32_t> scratch);
void InversePackets(const LiftingKernels& kernels, Wavelet wavelet,
                    std::span<const PacketAxis> axes, int32_t* data, std::span<int32_t> scratch);

// Walsh-Hadamard transform of n = 2^k rows of `width` samples, in natural (Hadamard) order, not
// normalised: applied twice it multiplies by n. Samples below 2^31 / n do not wrap.
void WalshHadamard(const LiftingKernels& kernels, int32_t* rows, size_t n, size_t width);

}  // namespace godwit
