// codecs/image/swift_analysis.h: pixels of one row of cells to its latents, in integers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_msssim_limits.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// Owns the scratch of one thread. Analyse() allocates nothing.
class RowAnalyser {
 public:
  RowAnalyser(const SwiftModel& model, SimdLevel level);
  // `tune` is for Analyse(): symbols that are not worth their bits to the metric are left out.
  void SetStep(int step_index, ImageTune tune = ImageTune::kPsnr);
  // `pixels` are the tile's next rows, at most 32, 1 or 3 channels; what is missing to whole cells
  // repeats the last row and column. Fills symbols and everything else that ContextCoder reads.
  void Analyse(TensorView<const uint8_t> pixels, CellRow& row);
  // The same rows' coefficients, f=4, as they are before quantisation: [4 rows][block][64] of each
  // plane, `cells_w` cells across.
  void Coefficients(TensorView<const uint8_t> pixels, int planes, int64_t cells_w,
                    const std::array<int16_t*, kPlanes>& out);

 private:
  void MakePlanes(TensorView<const uint8_t> pixels, int planes, int64_t block_row, int64_t x,
                  int64_t width);
  void AnalyseBlocks(TensorView<const uint8_t> pixels, int64_t block_row, int64_t x, int64_t width,
                     CellRow& row);

  const SwiftModel& model_;
  SimdLevel level_;
  const BlockTransformKernels& kernels_;
  uint32_t step_ = 0;
  PlaneQuantiser quantiser_;
  std::unique_ptr<MsssimLimits> limits_;  // where tuned for MS-SSIM
  Tensor<int16_t> planes_;                // [plane][8][kChunk]
  Tensor<int16_t> coefficients_;          // [block][64]
  Tensor<uint8_t> tail_;                  // the last, padded 32 pixels of a row
};

}  // namespace godwit::swift
