// codecs/audio/lapped_transform.h: the MDCT in integers, as rotations across block boundaries and a
// DCT-IV of each block. docs/format/audio.md section 4.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "codecs/audio/lapped_kernels.h"

namespace godwit::audio {

// A block has 2^a or 5 * 2^a samples: 8 to 4096.
bool IsBlockSize(uint32_t n);

// DCT-IV of one size, orthonormal and hence its own inverse but for rounding.
class Dct4 {
 public:
  Dct4(uint32_t size, const LappedKernels& kernels);
  // In place; `scratch` holds 2 * size.
  void Run(int32_t* x, int32_t* scratch) const;

 private:
  struct Pass {
    int radix;
    uint32_t n, stride;
    size_t factors;  // where they begin in tables_
  };
  const LappedKernels* kernels_;
  uint32_t half_;                // complex points
  std::vector<int32_t> tables_;  // real parts, then imaginary parts, of each table in turn
  std::vector<Pass> passes_;
};

// The rotations across a boundary where blocks overlap by `size` samples, half on each side.
class Overlap {
 public:
  Overlap(uint32_t size, const LappedKernels& kernels);
  // `boundary` is the first sample after the boundary.
  void Fold(int32_t* boundary) const {
    kernels_->fold(boundary - 1, boundary, cosine_.data(), sine_.data(), cosine_.size());
  }
  void Unfold(int32_t* boundary) const {
    kernels_->unfold(boundary - 1, boundary, cosine_.data(), sine_.data(), cosine_.size());
  }

 private:
  const LappedKernels* kernels_;
  std::vector<int32_t> cosine_, sine_;  // of the pairs, nearest first; cosine: a sample's own share
};

// All that frames of `hop` samples need, split into 1, 2, 4 or 8 blocks.
inline constexpr int kMaxSplit = 3;
class LappedTransform {
 public:
  LappedTransform(uint32_t hop, SimdLevel level);
  // The DCT-IV of each of the 2^split blocks of `frame` (folded, or coefficients), in place.
  void RunBlocks(int32_t* frame, int split);
  // Overlap between blocks of 2^-split_a and 2^-split_b of the hop.
  const Overlap& Between(int split_a, int split_b) const {
    return overlaps_[static_cast<size_t>(split_a > split_b ? split_a : split_b)];
  }

 private:
  uint32_t hop_;
  std::vector<Dct4> dcts_;
  std::vector<Overlap> overlaps_;
  std::vector<int32_t> scratch_;
};

}  // namespace godwit::audio
