// codecs/image/swift_analysis.h: pixels of one tile to its latents, in integers, eight rows at a
// time.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_tile.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// Owns the scratch of one thread. Analyse() allocates nothing.
class TileAnalyser {
 public:
  TileAnalyser(const SwiftModel& model, SimdLevel level, int64_t max_cells_w);
  // `pixels` is the tile, at least 1x1, 1 or 3 channels; what is missing to whole cells repeats the
  // last row and column. Fills symbols, means and everything else that ContextCoder reads. `tile`
  // must be large enough.
  void Analyse(TensorView<const uint8_t> pixels, int step_index, TileLatents& tile);

 private:
  void AnalyseBlockRow(TensorView<const uint8_t> pixels, int64_t block_row, TileLatents& tile);
  void AnalyseCoarse(uint32_t step, TileLatents& tile);

  const SwiftModel& model_;
  SimdLevel level_;
  const BlockTransformKernels& kernels_;
  PlaneQuantiser quantiser_;
  Tensor<int16_t> rows_;          // [plane][8][width]
  Tensor<int16_t> coefficients_;  // [block][64]
  Tensor<uint8_t> tail_;          // the last, padded 32 pixels of a row
};

}  // namespace godwit::swift
