// codecs/image/swift_latent_tile.h: all latents of a tile, for searches in the encoder.
#pragma once

#include <array>
#include <cstdint>

#include "codecs/image/swift_layout.h"
#include "tensor/tensor.h"

namespace godwit::swift {

// Values of a plane's blocks, [row of blocks][column][channel], and of its cells,
// [row][column][16].
template <typename T>
struct LatentPlane {
  Tensor<T> block, cell;
};

inline constexpr int64_t kBandTolls = 16;  // kBands, padded

struct LatentTile {
  int planes = 0;
  int64_t cells_w = 0, cells_h = 0;
  std::array<Tensor<int16_t>, kPlanes> coefficient;  // [block][channel], f=4
  std::array<LatentPlane<int16_t>, kPlanes> symbol;
  std::array<Tensor<int16_t>, kPlanes> dc;  // [block], reconstructed, f=4
  // What the symbols should be but for their cost: coefficients in steps.
  std::array<LatentPlane<float>, kPlanes> target;
  // With a network, the squared error of symbol v less that of 0 is about
  // curvature v^2 - 2 linear v + pull compand(v), as curvature of the channel, [block][channel].
  const std::array<uint8_t, 64>* compand = nullptr;  // null: no network, the error of `target`
  std::array<Tensor<float>, kPlanes> linear, pull;
  std::array<std::array<float, kChannels>, kPlanes> curvature{};
  std::array<Tensor<float>, kPlanes> weight;  // [block][channel], of squared errors; empty: all 1
  Tensor<float> variance;  // [block][kMsssimScales], scratch; see SetMsssimWeights()
  float Weight(size_t plane, int64_t at) const {
    return weight[plane].size() > 0 ? weight[plane].data()[at] : 1.0f;
  }
  // What a symbol's magnitude costs those whose contexts see it, bits for each unit: by itself and
  // in the sum of its band. See RowDecider.
  std::array<Tensor<float>, kPlanes> toll;       // [block][channel]
  std::array<Tensor<float>, kPlanes> band_toll;  // [block][kBandTolls]

  int64_t rows() const { return cells_h * kCellBlocks; }  // of blocks
  int64_t columns() const { return cells_w * kCellBlocks; }
  int64_t BlockAt(int64_t row, int64_t column) const {
    return (row * columns() + column) * kChannels;
  }
  int64_t CellAt(int64_t row, int64_t column) const { return (row * cells_w + column) * kCoarse; }
};

}  // namespace godwit::swift
