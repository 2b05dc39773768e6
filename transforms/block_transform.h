// transforms/block_transform.h: pixels to 8x8-block coefficients and back in 16-bit integers, the
// heart of the swift codec. docs/format/image.md section 3 defines every rounding.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/cpu.h"

namespace godwit {

inline constexpr int kBlockSide = 8;
inline constexpr int kBlockSize =
    64;  // samples of a block; index u * 8 + v, u horizontal frequency

// Fixed-point matrices of one model. Entry limits that keep every sum below 2^31 are proven by
// CheckTransform(). f = fraction bits of the 16-bit values between the passes.
struct BlockTransform {
  // Forward: samples u8 -> planes f=6 -> f=4 -> coefficients f=4.
  std::array<int32_t, 9> colour;    // [plane][r, g, b], 14 fraction bits
  std::array<int16_t, 64> forward;  // [frequency][sample], 15 fraction bits, both axes
  // Inverse: coefficients f=4 -> f=4 -> planes f=5 -> samples u8.
  std::array<int16_t, 64> inverse;        // [sample][frequency], 14 fraction bits
  std::array<int32_t, 9> colour_inverse;  // [r, g, b][plane], 13 fraction bits
  // CanFoldForward(): kernels may add and subtract mirrored samples first. Same results, half the
  // multiplications.
  bool fold_forward = false;
};

// True if no pixels (forward) and no 16-bit coefficients (inverse) can overflow an accumulator and
// every entry fits 16 bits.
bool CheckTransform(const BlockTransform& t);
// True if the rows of `forward` are even and odd by turns, as a DCT's, and sums of two values that
// follow from pixels fit 16 bits in both passes.
bool CanFoldForward(const BlockTransform& t);

// Quantiser of one plane: q = ((|c| + bias) * reciprocal >> 16) >> shift, with the sign of c.
struct PlaneQuantiser {
  std::array<uint16_t, kBlockSize> bias;        // coefficient units (f=4)
  std::array<uint16_t, kBlockSize> reciprocal;  // 2^(16 + shift) / step
  int shift = 0;
};

// Steps for reconstruction, in 1/64 units (f=6), each at most 65534: kernels split them in two
// factors of 16 bits.
struct ReconstructionSteps {
  int32_t step = 0;        // multiplies symbols
  int32_t correction = 0;  // multiplies corrections, which are in 1/64 steps
};

// x = (a - b) * factor / 2^24 to nearest, away from 0 at one half, where only min(|x|, 63) counts.
// Then `limit` keeps the product in 32 bits: what is beyond it gives 63 too.
struct DifferenceScale {
  uint32_t factor, limit;
  explicit DifferenceScale(uint32_t f)  // 1..2^22
      : factor(f), limit(std::min<uint32_t>(65535, ((63u << 24) + f - 1) / f)) {}
};

// Rows are contiguous; widths are multiples of 32 samples (four blocks). Buffers are 64-byte
// aligned.
struct BlockTransformKernels {
  // `n` interleaved RGB pixels to three planes. n % 32 == 0.
  void (*colour_forward)(const BlockTransform& t, const uint8_t* rgb, size_t n,
                         int16_t* const planes[3]);
  // `n` grey pixels to the luma plane: the same as RGB with r = g = b.
  void (*grey_forward)(const BlockTransform& t, const uint8_t* grey, size_t n, int16_t* plane);
  // Eight rows of a plane, `stride` samples apart, to `blocks` blocks of 64 coefficients.
  void (*block_forward)(const BlockTransform& t, const int16_t* rows, size_t stride, size_t blocks,
                        int16_t* out);
  // Coefficients to symbols; bit i of nonzero[b] tells whether symbol i of block b is not 0.
  void (*quantise)(const PlaneQuantiser& q, const int16_t* coefficients, size_t blocks,
                   int16_t* symbols, uint64_t* nonzero);
  // c = sat16((clamp(q * step, +-2^19) + (correction_q * correction >> 6) + 2) >> 2), f=4.
  // `corrections` has `correction_stride` bytes from block to block.
  void (*reconstruct)(const ReconstructionSteps& s, const int16_t* symbols,
                      const int8_t* corrections, size_t correction_stride, size_t blocks,
                      int16_t* out);
  void (*block_inverse)(const BlockTransform& t, const int16_t* coefficients, size_t blocks,
                        int16_t* rows, size_t stride);
  void (*colour_inverse)(const BlockTransform& t, const int16_t* const planes[3], size_t n,
                         uint8_t* rgb);
  void (*grey_inverse)(const BlockTransform& t, const int16_t* plane, size_t n, uint8_t* grey);
  // Blocks of 64 symbols to network input: lut[min(|x|, 63)] with the sign of x, plus 128. Blocks
  // go out `out_stride` bytes apart.
  void (*compand)(const uint8_t lut[64], const int16_t* symbols, size_t blocks, uint8_t* out,
                  size_t out_stride);
  // The same of `n` scaled differences a - b.
  void (*compand_differences)(const uint8_t lut[64], const DifferenceScale& s, const int16_t* a,
                              const int16_t* b, size_t n, uint8_t* out);
};

const BlockTransformKernels& BlockTransformKernelsFor(SimdLevel level);

namespace block_transform_internal {
extern const BlockTransformKernels kScalarKernels;
#if defined(__x86_64__)
extern const BlockTransformKernels kAvx2Kernels;
extern const BlockTransformKernels kAvx512Kernels;
#endif
}  // namespace block_transform_internal

}  // namespace godwit
