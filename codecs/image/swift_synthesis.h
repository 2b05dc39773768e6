// codecs/image/swift_synthesis.h: latents to pixels, window by window; docs/format/image.md
// section 5.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/image_model.h"
#include "codecs/image/swift_model.h"
#include "models/network.h"
#include "tensor/tensor.h"

namespace godwit::swift {

inline constexpr int kStepFeatures = 6, kLayerFeatures = 7;
// Input of the network: three planes of 64 (slot 0: DC less that of the block to the left), three
// differences of DC to the block above, then the conditions.
inline constexpr int kNetworkInputs =
    kPlanes * kChannels + kPlanes + kStepFeatures + kLayerFeatures;  // 208
inline constexpr int kNetworkOutputs = kPlanes * kChannels;

// Input tables of a synthesis network.
struct SynthesisTables {
  std::array<uint8_t, 64> compand;  // magnitude 0..63 to 0..127
  std::array<std::array<uint8_t, kStepFeatures>, kMaxStepIndex + 1> step_features;
  std::array<std::array<uint8_t, kLayerFeatures>, kLayers + 1> layer_features;  // by layers decoded
  // With fewer layers the network works at a coarser step of its own: the larger of the stream's
  // and this.
  std::array<uint16_t, kLayers + 1> step_floor;

  static Result<SynthesisTables> Load(const SafeTensors& file);
};

// Latents of some rows of blocks of a picture, all columns from first_column on. Rows are absolute.
struct LatentRows {
  int planes = 0;
  int64_t picture_h = 0, picture_w = 0;  // blocks
  int64_t first_row = 0, first_column = 0, columns = 0;
  std::array<const int16_t*, kPlanes> symbols{};  // [row][column][64]
  std::array<const int16_t*, kPlanes> dc{};       // [row][column]
  const int16_t* Symbols(size_t p, int64_t row, int64_t column) const {
    return symbols[p] + ((row - first_row) * columns + column - first_column) * kChannels;
  }
  int16_t Dc(size_t p, int64_t row, int64_t column) const {
    return dc[p][(row - first_row) * columns + column - first_column];
  }
};

// Owns the workspace of one thread. Synthesise() allocates nothing.
class TileSynthesiser {
 public:
  // For windows of up to max_h x max_w blocks, max_w a multiple of four. `synthesis` may be null.
  static Result<TileSynthesiser> Create(const SwiftModel& model, const ImageSynthesis* synthesis,
                                        SimdLevel level, int planes, int64_t max_h, int64_t max_w);
  static uint64_t BytesFor(const ImageSynthesis* synthesis, int64_t max_h, int64_t max_w);

  // The pixels of `window` (in blocks, w a multiple of four), interleaved, into `out` {8 h, 8 w,
  // planes}. `latents` must hold the window grown by the network's halo and one block more, clipped
  // to the picture.
  Status Synthesise(const LatentRows& latents, int step_index, int layers, Rect window,
                    TensorView<uint8_t> out);

 private:
  TileSynthesiser(const SwiftModel& model, const ImageSynthesis* synthesis, SimdLevel level);
  Status Correct(const LatentRows& latents, int step_index, int layers, Rect window);
  void FillFeatures(const LatentRows& latents, uint32_t step, uint32_t net_step, Rect rect);

  const SwiftModel* model_;
  const ImageSynthesis* synthesis_;
  const BlockTransformKernels* kernels_;
  std::unique_ptr<NetworkRunner> runner_;
  std::array<uint8_t, kStepFeatures + kLayerFeatures> conditions_{};
  Tensor<uint8_t> features_;
  Tensor<uint8_t> corrections_;
  Tensor<int16_t> scaled_;        // symbols at the network's step
  Tensor<int16_t> coefficients_;  // a row of blocks
  Tensor<int16_t> rows_;          // [plane][8][width]
};

}  // namespace godwit::swift
