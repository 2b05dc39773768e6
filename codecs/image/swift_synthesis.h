// codecs/image/swift_synthesis.h: latents to pixels, row by row; docs/format/image.md section 5.
#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu.h"
#include "codecs/image/image_model.h"
#include "codecs/image/swift_features.h"
#include "codecs/image/swift_model.h"
#include "models/row_runner.h"
#include "tensor/tensor.h"

namespace godwit::swift {

inline constexpr int kNetworkOutputs = kPlanes * kChannels;

// What a picture's synthesis depends on, apart from its latents.
struct SynthesisInput {
  int planes = 3, step_index = 0, layers = kLayers;
  int64_t picture_h = 0, picture_w = 0;  // blocks
};

// Makes the pixels of a lane, some columns of blocks of a picture, from top to bottom. Each row of
// the network is computed once; neighbouring lanes share the network's halo, which both compute.
// Owns its workspace; for one thread at a time.
class LaneSynthesiser {
 public:
  // For the blocks of `lane`, whose width is a multiple of four. `model` and `synthesis`, which may
  // be null, must outlive the synthesiser.
  static Result<LaneSynthesiser> Create(const SwiftModel& model, const ImageSynthesis* synthesis,
                                        SimdLevel level, const SynthesisInput& input, Rect lane);
  static uint64_t BytesFor(const ImageSynthesis* synthesis, int64_t width);

  // The next row of blocks to make.
  int64_t row() const { return row_; }
  // What a step on the way to `end` reads: rows of latents from FirstRow() on, to NextEnd(), and
  // the lane's columns with the network's halo + 1 on both sides, all as far as there is picture.
  int64_t FirstRow() const;
  int64_t NextEnd(int64_t end);
  // At most four rows of blocks more, none from row `end` of the picture on, as interleaved pixels
  // into `out`, whose first is that of row(); columns and rows that it does not have are left out.
  // The first steps of a network may make none. Allocates nothing.
  Status Step(const LatentRows& latents, int64_t end, TensorView<uint8_t> out);
  // Steps to row `end`.
  Status Synthesise(const LatentRows& latents, int64_t end, TensorView<uint8_t> out);

 private:
  LaneSynthesiser(const SwiftModel& model, SimdLevel level, const SynthesisInput& input, Rect lane);
  void MakePixels(const LatentRows& latents, Rect rect, TensorView<uint8_t> out);

  const SwiftModel* model_;
  const BlockTransformKernels* kernels_;
  Rect lane_;
  int64_t row_;  // next
  int64_t halo_ = 0;
  ReconstructionSteps steps_;
  std::unique_ptr<RowRunner> runner_;  // null without a network
  std::unique_ptr<FeatureWriter> features_;
  Tensor<uint8_t> corrections_;   // of a step of the network
  Tensor<int16_t> coefficients_;  // of some blocks
  Tensor<int16_t> rows_;          // [plane][8][width]
  Tensor<uint8_t> line_;          // of pixels
};

}  // namespace godwit::swift
