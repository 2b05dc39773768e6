// codecs/image/swift_tile.h: the latents of one tile and what their contexts need, for encoder and
// decoder.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// All arrays of one tile. Sized for the largest tile once; Reset() clears what a tile of a given
// size uses. Arrays "with a border" have one extra block or cell on every side that stays zero.
struct TileLatents {
  int planes = 0;
  int64_t cells_h = 0, cells_w = 0;
  int64_t coarse_pitch = 0;  // cells_w + 2
  int64_t block_pitch = 0;   // 4 * cells_w + 2

  // Latents. Symbols have no border; block b of the tile is at b * 64.
  std::array<Tensor<int16_t>, kPlanes> symbols;   // [block][channel]; channel 0 is not used
  std::array<Tensor<uint64_t>, kPlanes> nonzero;  // [block], bit per channel: residual is not 0
  std::array<Tensor<int16_t>, kPlanes> coarse;    // [cell with border][16]
  std::array<Tensor<int16_t>, kPlanes> dc;        // [block with border], reconstructed, f=4

  // Means of kPredicted channels in 1/16 steps: symbol = Whole(mean) + residual.
  std::array<Tensor<int16_t>, kPlanes> mean_sixteenths;  // [row of blocks][8][column]
  Tensor<int16_t> dc_steps;                              // scratch: a row of blocks
  static int Whole(int sixteenths) { return (sixteenths + 8) >> 4; }

  // Contexts.
  std::array<Tensor<uint8_t>, kPlanes> coarse_magnitude;   // [cell with border][16]
  std::array<Tensor<uint8_t>, kPlanes> coarse_activity;    // [cell with border]
  std::array<Tensor<uint8_t>, kPlanes> magnitude;          // [block with border][position]
  std::array<Tensor<uint8_t>, kPlanes> gradient;           // [block with border]
  std::array<Tensor<BlockEdges>, kPlanes> edges;           // [block with border]
  std::array<Tensor<uint8_t>, kPlanes * kBands> band_sum;  // [block with border]
  std::array<Tensor<uint8_t>, kPlanes * kBands>
      cell_count;  // [cell with border], blocks with the flag set
  std::array<Tensor<uint64_t>, kPlanes> cell_nonzero;  // [cell with border], OR of nonzero
  Tensor<uint32_t> flag_sum;                           // scratch: a row of blocks
  Tensor<uint8_t> cell_flag;                           // [cell of a row]

  // Allocates for tiles of up to max_cells_h x max_cells_w cells.
  static TileLatents Create(int planes, int64_t max_cells_h, int64_t max_cells_w);
  static uint64_t BytesFor(int planes, int64_t max_cells_h, int64_t max_cells_w);
  // Clears what a tile of this size needs cleared; it must not exceed the size of Create(). With
  // `latents`, symbols and their flags too: a decoder fills in only what is not zero, an encoder
  // all.
  void Reset(int64_t new_cells_h, int64_t new_cells_w, bool latents);

  int64_t blocks_h() const { return cells_h * kCellBlocks; }
  int64_t blocks_w() const { return cells_w * kCellBlocks; }

  // The index in kPredicted of a channel, or -1.
  static constexpr std::array<int8_t, kChannels> kPredictedIndex = [] {
    std::array<int8_t, kChannels> index{};
    index.fill(-1);
    for (size_t i = 0; i < kPredicted.size(); ++i) index[kPredicted[i]] = static_cast<int8_t>(i);
    return index;
  }();
  // In 1/16 steps; 0 for channels that are not predicted.
  int Mean(int plane, int64_t row, int64_t column, int channel) const {
    const int i = kPredictedIndex[static_cast<size_t>(channel)];
    return i < 0 ? 0
                 : mean_sixteenths[static_cast<size_t>(plane)]
                       .data()[(row * 8 + i) * blocks_w() + column];
  }
  bool CellHas(int plane, int64_t cell, uint64_t mask) const {
    return (cell_nonzero[static_cast<size_t>(plane)].data()[cell] & mask) != 0;
  }
};

// The reconstructed DC plane from the coarse symbols of layers 0 and 1 (docs/format/image.md
// section 4).
void ReconstructDc(const SwiftModel& model, uint32_t step, TileLatents& tile);

// Means, gradients and edges from the DC plane: call between layers 1 and 2, in encoder and
// decoder. `set_symbols` also starts the symbols at their means, for the decoder.
void PredictMeans(const SwiftModel& model, uint32_t step, bool set_symbols, SimdLevel level,
                  TileLatents& tile);

}  // namespace godwit::swift
