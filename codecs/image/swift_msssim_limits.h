// codecs/image/swift_msssim_limits.h: `--tune msssim` for effort 1: what is not worth a symbol.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_layout.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// A symbol of 1 that costs b bits pays where the squared error that it saves, by its weight in
// MS-SSIM (swift_msssim_scales.h), is above lambda b: for a coefficient of more than
// 1/2 + lambda b / (2 weight) steps. What the weight follows from is taken from the block of luma
// alone, by its energy and the spectrum that pictures have. BD-rate for MS-SSIM of Kodak 1, 5, 9,
// ..., 21: -15.4 %, where the search of effort 3 gets -18.1 %. With the block's own energy at each
// scale it is the same within 0.1, with that of three blocks side by side 0.5 better.
class MsssimLimits {
 public:
  static constexpr int64_t kBlocks = 32;  // at most, at a time
  MsssimLimits() : limits_(2, kClasses, kChannels) {}
  void SetStep(uint32_t step);  // in 1/64
  // Sets to 0 what is not worth it among the AC coefficients, f=4, of `blocks` blocks of a plane.
  // Planes in order: blocks of chroma are where those of luma were.
  void Drop(SimdLevel level, size_t plane, int64_t blocks, int16_t* coefficients);

 private:
  static constexpr int kClasses = 60;  // two for each power of two of a block's energy, in levels
  Tensor<int16_t> limits_;             // [luma, chroma][class][coefficient]
  std::array<uint8_t, kBlocks> class_{};
};

}  // namespace godwit::swift
