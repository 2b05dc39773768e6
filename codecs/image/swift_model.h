// codecs/image/swift_model.h: what a stream is tied to: transform, steps, and the `lite` context
// model. One safetensors file; its SHA-256 names the model. docs/format/image.md section 6 lists
// the tensors.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_layout.h"
#include "models/safetensors.h"
#include "transforms/block_transform.h"

namespace godwit::swift {

inline constexpr size_t kCellFeatures = 6, kFlagFeatures = 10, kSymbolFeatures = 12,
                        kMeanFeatures = 7;
inline constexpr size_t kCoarseFeatures = 8, kCoarseMeanFeatures = 4;
inline constexpr size_t kGroups = kPlanes * kBands;

// Integer weights and trained starting probabilities of swift_context.h.
struct ContextParameters {
  static constexpr int kClasses = 26, kCellClasses = 14, kSignLevels = 6;
  static constexpr uint32_t kUnary = 14;
  static constexpr int kStepRanges = 3;
  // Kinds of symbols that share contexts: nine luma bands, five kinds of chroma bands, the coarse
  // scale.
  static constexpr int kCoarseLumaKind = 14, kCoarseChromaKind = 15, kCoarseDcKind = 16,
                       kKinds = 17;
  static constexpr int kMagnitudeKinds = 6;
  static constexpr int KindOf(int plane, int band) {
    constexpr uint8_t kChroma[kBands] = {9, 10, 11, 12, 12, 13, 13, 13, 13};
    return plane == 0 ? band : kChroma[band];
  }
  static constexpr int MagnitudeKindOf(int kind) {
    constexpr uint8_t kMap[kKinds] = {0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5};
    return kMap[kind];
  }

  // Layout of the contexts.
  static constexpr int kZeroStates = 3;
  static constexpr int kZeroBase = 0;
  static constexpr int kSignBase = kZeroBase + kKinds * kClasses * kZeroStates;
  static constexpr int kMagnitudeBase = kSignBase + kKinds * kSignLevels;
  static constexpr int kFlagBase =
      kMagnitudeBase + kMagnitudeKinds * kClasses * static_cast<int>(kUnary);
  static constexpr int kCellBase = kFlagBase + static_cast<int>(kGroups) * kClasses;
  static constexpr size_t kContexts = kCellBase + kGroups * kCellClasses;
  static constexpr int ZeroContext(int kind, int scale, int state) {
    return kZeroBase + (kind * kClasses + scale) * kZeroStates + state;
  }
  static constexpr int SignContext(int kind, int level) {
    return kSignBase + kind * kSignLevels + level;
  }
  static constexpr int MagnitudeContext(int kind, int scale, int bin) {
    return kMagnitudeBase + (MagnitudeKindOf(kind) * kClasses + scale) * static_cast<int>(kUnary) +
           bin;
  }
  static constexpr int FlagContext(int group, int scale) {
    return kFlagBase + group * kClasses + scale;
  }
  static constexpr int CellContext(int group, int scale) {
    return kCellBase + group * kCellClasses + scale;
  }
  // Steps below 8, up to 40, and above (in pixels) start differently.
  static constexpr int StepRange(int step_index) {
    return step_index < 128 ? 0 : step_index < 202 ? 1 : 2;
  }

  std::array<std::array<uint8_t, kCellFeatures>, kGroups> cell_weights;
  std::array<uint16_t, kGroups> cell_bias;
  std::array<std::array<uint8_t, kFlagFeatures>, kGroups> flag_weights;
  std::array<uint16_t, kGroups> flag_bias;
  std::array<std::array<uint8_t, kSymbolFeatures>, kPlanes * kChannels> symbol_weights;
  std::array<uint16_t, kPlanes * kChannels> symbol_bias;
  std::array<std::array<int16_t, kMeanFeatures>, kPlanes * kChannels> mean_weights;
  std::array<BandWeights, kGroups> band;  // symbol and mean weights again, as the sums want them
  std::array<std::array<uint8_t, kCoarseFeatures>, kPlanes * kCoarse> coarse_weights;
  std::array<uint16_t, kPlanes * kCoarse> coarse_bias;
  std::array<std::array<int16_t, kCoarseMeanFeatures>, kPlanes * kCoarse> coarse_mean_weights;
  std::array<uint8_t, kPlanes * kCoarse> coarse_mean_gain;
  std::array<std::array<int16_t, 4>, kPlanes>
      coarse_dc_weights;  // left, up, up-left, up-right; 256 is one
  std::array<std::array<uint16_t, kContexts>, kStepRanges> start;  // p1, never 0
};

struct SwiftModel {
  BlockTransform transform;
  std::array<int16_t, 16> coarse_forward;  // [frequency][sample], 14 fraction bits
  std::array<int16_t, 16> coarse_inverse;  // [sample][frequency], 14 fraction bits
  // Weights of the eight neighbours' DC (row by row, centre left out) for kPredicted, 12 fraction
  // bits.
  std::array<std::array<std::array<int16_t, 8>, 8>, kPlanes>
      dc_predictor;  // [plane][predicted][neighbour]
  // Rounding point of the quantiser of AC symbols in 1/256 of a step: 128 rounds to nearest.
  // Encoder only.
  uint8_t rounding = 128;
  ContextParameters context;
  uint64_t id = 0;

  // Checks every tensor's shape and range; kModelRefused names the tensor.
  static Result<SwiftModel> Load(const SafeTensors& file, uint64_t id);
};

}  // namespace godwit::swift
