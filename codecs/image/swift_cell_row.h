// codecs/image/swift_cell_row.h: the latents of one row of cells of a tile and what their contexts
// need, for encoder and decoder. A tile is coded row of cells by row of cells, so that is all of it
// that either side ever holds: of the row above, only its last row of blocks is left.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_coarse_transform.h"
#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// Arrays "with a border" have one extra column on each side that stays zero, and the row above
// before their own rows.
struct CellRow {
  int planes = 0;
  int64_t cells_w = 0;             // of the tile
  int64_t cell_pitch = 0;          // cells_w + 2
  int64_t block_pitch = 0;         // 4 * cells_w + 2
  bool first = true;               // nothing of the tile lies above
  const CellRow* above = nullptr;  // null: the row above was in this object

  // Latents. An encoder has symbols of its own; a decoder writes them where they are wanted, over
  // zeros.
  std::array<int16_t*, kPlanes> symbols{};  // [row][block][channel]; channel 0 is not used
  int64_t symbol_pitch = 0;                 // from row to row, in blocks
  std::array<Tensor<int16_t>, kPlanes> own_symbols;
  std::array<Tensor<uint64_t>, kPlanes> nonzero;  // [row][block], bit per channel: symbol is not 0;
                                                  // only encoders fill it in
  std::array<Tensor<int16_t>, kPlanes> coarse;    // [2 rows of cells with border][16]
  std::array<Tensor<int16_t>, kPlanes> dc;  // [6 rows with border], reconstructed, f=4; the last
                                            // stands for the row below

  // Contexts. Residuals are symbols, coarse DC less its mean, limited to +-127.
  std::array<Tensor<int8_t>, kPlanes> coarse_residual;   // [2 rows of cells with border][16]
  std::array<Tensor<uint8_t>, kPlanes> coarse_activity;  // [2 rows of cells with border]
  std::array<Tensor<int8_t>, kPlanes> residual;          // [5 rows with border][position]
  std::array<Tensor<uint8_t>, kPlanes> gradient;         // [5 rows with border]
  std::array<Tensor<BlockEdges>, kPlanes> edges;         // [5 rows with border]
  // The lower edges of a row as they were after each layer from 2 on, for the row below: a layer
  // must not see those that may be left out. [parity of the row][layer - 2][block][u]
  std::array<Tensor<int16_t>, kPlanes> edges_below;
  // Where in edges_below a layer's are: where it coded nothing, those of the layer before serve.
  std::array<std::array<std::array<int8_t, kLayers>, 2>, kPlanes> edges_kept{};
  int parity = 0;                                          // of this row
  std::array<Tensor<uint8_t>, kPlanes * kBands> band_sum;  // [5 rows with border]
  // [2 rows of cells with border], blocks with the flag set
  std::array<Tensor<uint8_t>, kPlanes * kBands> cell_count;
  std::array<Tensor<uint64_t>, kPlanes> cell_nonzero;  // [cell], OR of `nonzero`
  // Scratch: of a row of blocks, sums, flags (one more before the first, which is 0) and what
  // encoders find out beforehand of the blocks that have something.
  Tensor<uint32_t> flag_sum, flag_decision;
  Tensor<uint8_t> flag;
  Tensor<uint16_t> flagged;       // columns of the blocks with a flag
  Tensor<int16_t> values;         // [flagged][kLanes]
  Tensor<uint16_t> value_lanes;   // [flagged], bit per lane that is not 0
  Tensor<BandContexts> contexts;  // [flagged]
  Tensor<uint8_t> cell_flag;      // [cell], one more before the first

  // Allocates for tiles of up to max_cells_w cells across.
  static CellRow Create(int planes, int64_t max_cells_w, bool own_symbols);
  static uint64_t BytesFor(int planes, int64_t max_cells_w);
  // Starts a tile of `width` cells, at most those of Create().
  void StartTile(int64_t width);
  // The next row of cells: keeps what lies above it and clears the rest, but for symbols.
  void NextRow();
  // Instead of both, a row of a tile of `width` cells whose rows are coded side by side: `up` has
  // the row above, or is null in the first. Before each layer, once that layer is done there,
  // TakeAbove() brings what the layers from it on see of it. `up` must stay till this row is done.
  void StartBeside(int64_t width, const CellRow* up);
  // What both have in common.
  void Start(int64_t width, const CellRow* up);
  void TakeAbove(int layer);

  // Before a plane's first band of a layer in which it codes anything in this row.
  void TakeEdgesAbove(size_t plane, int layer);
  // After each of a plane's layers from 2 on; `coded` tells whether it coded anything.
  void KeepEdgesBelow(size_t plane, int layer, bool coded);

  int64_t blocks_w() const { return cells_w * kCellBlocks; }
  // Row 0..3 of blocks, column 0..: index into arrays with a border.
  int64_t Bordered(int64_t row, int64_t column) const {
    return (row + 1) * block_pitch + column + 1;
  }
  int16_t* Symbols(size_t plane, int64_t row, int64_t column) const {
    return symbols[plane] + (row * symbol_pitch + column) * kChannels;
  }
  int64_t BorderedCell(int64_t column) const { return cell_pitch + column + 1; }
  CoarseRow Coarse(size_t plane, uint32_t step) {
    return {dc[plane].data() + Bordered(0, 0), block_pitch,
            coarse[plane].data() + BorderedCell(0) * kCoarse, cells_w, step};
  }
};

// The reconstructed DC plane from the coarse symbols of layers 0 and 1 (docs/format/image.md
// section 4).
void ReconstructDc(const SwiftModel& model, uint32_t step, SimdLevel level, CellRow& row);

// Gradients and edges from the DC plane: call between layers 1 and 2, in encoder and decoder.
void StartEdges(uint32_t step, SimdLevel level, CellRow& row);

}  // namespace godwit::swift
