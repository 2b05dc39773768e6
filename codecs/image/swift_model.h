// codecs/image/swift_model.h: what a stream is tied to: transform, steps, and the `lite` context
// model. One safetensors file; its SHA-256 names the model. docs/format/image.md section 6 lists
// the tensors.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_coarse_context.h"
#include "codecs/image/swift_coarse_transform.h"
#include "codecs/image/swift_layout.h"
#include "models/safetensors.h"
#include "transforms/block_transform.h"

namespace godwit::swift {

inline constexpr size_t kCellFeatures = 6, kFlagFeatures = 10, kSymbolFeatures = 11,
                        kMeanFeatures = 6;
inline constexpr size_t kGroups = kPlanes * kBands;

// Integer weights and trained starting probabilities of swift_context.h.
struct ContextParameters {
  // Large classes share a context where they decide alike: nearly all values are nonzero there;
  // small ones where values beyond 1 are rare.
  static constexpr int kFlagClasses = 20, kCellClasses = 14, kSignLevels = 6;
  static constexpr int kUnary = 14;
  static constexpr int kStepRanges = 3;
  // Kinds of values that share contexts. Contexts of one layer are never used by another, so a
  // layer may be left out: nine luma bands, chroma bands by layer, the coarse scale.
  static constexpr int kCoarseLumaKind = 15, kCoarseChromaKind = 16, kCoarseDcKind = 17,
                       kKinds = 18;
  static constexpr int KindOf(int plane, int band) {
    return plane == 0 ? band : kBands + LayerOf(plane, band) - 2;
  }
  static constexpr int kMagnitudeKinds = 9;
  static constexpr int MagnitudeKindOf(int kind) {
    return kind < kBands ? LayerOf(0, kind) - 2 : kind - kBands;
  }

  // Layout of the contexts.
  static constexpr int kZeroBase = 0;
  static constexpr int kSignBase = kZeroBase + kKinds * kZeroClasses * kZeroStates;
  static constexpr int kMagnitudeBase = kSignBase + kKinds * kSignLevels;
  static constexpr int kFlagBase =
      kMagnitudeBase + kMagnitudeKinds * kMagnitudeClasses * kUnaryContexts;
  static constexpr int kCellBase = kFlagBase + static_cast<int>(kGroups) * kFlagClasses;
  static constexpr int kCoarseFlagBase = kCellBase + static_cast<int>(kGroups) * kCellClasses;
  static constexpr size_t kContexts = kCoarseFlagBase + kPlanes * kCellClasses;
  // `state` is added to it.
  static constexpr int ZeroContext(int kind, int scale) {
    return kZeroBase + (kind * kZeroClasses + std::min(scale, kZeroClasses - 1)) * kZeroStates;
  }
  static constexpr int SignContext(int kind, int level) {
    return kSignBase + kind * kSignLevels + level;
  }
  // The place in unary, limited to kUnaryContexts - 1, is added to it.
  static constexpr int MagnitudeContext(int kind, int scale) {
    return kMagnitudeBase + (MagnitudeKindOf(kind) * kMagnitudeClasses +
                             std::max(scale - (kClasses - kMagnitudeClasses), 0)) *
                                kUnaryContexts;
  }
  static constexpr int FlagContext(int group, int scale) {
    return kFlagBase + group * kFlagClasses + std::min(scale, kFlagClasses - 1);
  }
  static constexpr int CellContext(int group, int scale) {
    return kCellBase + group * kCellClasses + std::min(scale, kCellClasses - 1);
  }
  static constexpr int CoarseFlagContext(int plane, int scale) {
    return kCoarseFlagBase + plane * kCellClasses + std::min(scale, kCellClasses - 1);
  }
  // Steps below 8, up to 40, and above (in pixels) start differently.
  static constexpr int StepRange(int step_index) {
    return step_index < 128 ? 0 : step_index < 202 ? 1 : 2;
  }

  std::array<std::array<uint8_t, kCellFeatures>, kGroups> cell_weights;
  std::array<uint16_t, kGroups> cell_bias;
  std::array<std::array<uint8_t, kFlagFeatures>, kGroups> flag_weights;
  std::array<uint16_t, kGroups> flag_bias;
  std::array<BandWeights, kGroups> band;  // of symbols and their means
  std::array<std::array<uint8_t, kCoarseFlagFeatures>, kPlanes> coarse_flag_weights;
  std::array<uint16_t, kPlanes> coarse_flag_bias;
  CoarseWeights coarse[kPlanes];
  // Coarse DC: left, up, up-left, up-right of the mean, 256 is one; magnitudes as kCoarseFeatures.
  std::array<std::array<int16_t, 4>, kPlanes> coarse_dc_mean;
  std::array<std::array<uint16_t, kContexts>, kStepRanges> start;  // p1, never 0
};

struct SwiftModel {
  BlockTransform transform;
  CoarseMatrix coarse_forward;  // [frequency][sample], 14 fraction bits
  CoarseMatrix coarse_inverse;  // [sample][frequency], 14 fraction bits
  // Rounding point of the quantiser of AC symbols in 1/256 of a step: 128 rounds to nearest.
  // Encoder only.
  uint8_t rounding = 128;
  ContextParameters context;
  uint64_t id = 0;

  // Checks every tensor's shape and range; kModelRefused names the tensor.
  static Result<SwiftModel> Load(const SafeTensors& file, uint64_t id);
};

}  // namespace godwit::swift
