// codecs/image/swift_features.h: latents to the input of a synthesis network; docs/format/image.md
// section 5.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "codecs/image/swift_model.h"
#include "models/network.h"
#include "tensor/tensor.h"

namespace godwit::swift {

inline constexpr int kStepFeatures = 6, kLayerFeatures = 7;
// Input of the network: three planes of 64 (slot 0: DC less that of the block to the left), three
// differences of DC to the block above, then the conditions.
inline constexpr int kNetworkInputs =
    kPlanes * kChannels + kPlanes + kStepFeatures + kLayerFeatures;  // 208

// Input tables of a synthesis network.
struct SynthesisTables {
  std::array<uint8_t, 64> compand;  // magnitude 0..63 to 0..127
  std::array<std::array<uint8_t, kStepFeatures>, kMaxStepIndex + 1> step_features;
  std::array<std::array<uint8_t, kLayerFeatures>, kLayers + 1> layer_features;  // by layers decoded
  // With fewer layers the network works at a coarser step of its own: the larger of the stream's
  // and this.
  std::array<uint16_t, kLayers + 1> step_floor;

  static Result<SynthesisTables> Load(const SafeTensors& file);
  // The index of the network's own step.
  int NetworkStepIndex(int step_index, int layers) const {
    return std::max<int>(step_index, step_floor[static_cast<size_t>(layers)]);
  }
};

// Latents of some rows of blocks of a picture, all columns from first_column on. Row y is in the
// place y % rows_held.
struct LatentRows {
  int planes = 0;
  int64_t picture_h = 0, picture_w = 0;  // blocks
  int64_t rows_held = 0, first_column = 0, columns = 0;
  std::array<const int16_t*, kPlanes> symbols{};  // [row][column][64]
  std::array<const int16_t*, kPlanes> dc{};       // [row][column]
  const int16_t* Symbols(size_t p, int64_t row, int64_t column) const {
    return symbols[p] + (row % rows_held * columns + column - first_column) * kChannels;
  }
  const int16_t* Dc(size_t p, int64_t row, int64_t column) const {
    return dc[p] + row % rows_held * columns + column - first_column;
  }
};

// Fills rows of a network's input. Owns a little scratch; for one thread at a time.
class FeatureWriter {
 public:
  FeatureWriter(const SynthesisTables& tables, const BlockTransformKernels& kernels, int step_index,
                int layers, int64_t max_width);
  static uint64_t BytesFor(int64_t max_width);

  // What is the same at every position, and what pictures of fewer planes leave out: once for all
  // memory that Fill() is given.
  void FillConstants(TensorView<uint8_t> memory) const;
  // The rest, for the blocks of `rect`. `latents` must hold them, those to the left and above.
  void Fill(const LatentRows& latents, Rect rect, TensorView<uint8_t> out);

 private:
  const SynthesisTables* tables_;
  const BlockTransformKernels* kernels_;
  std::array<uint8_t, kStepFeatures + kLayerFeatures> conditions_;
  uint32_t ratio_;               // the stream's step in the network's, 16 fraction bits
  DifferenceScale half_steps_;   // of DC
  std::vector<int16_t> scaled_;  // a row of symbols at the network's step, if that is another
  std::vector<uint8_t> levels_;  // of two rows of differences
};

}  // namespace godwit::swift
