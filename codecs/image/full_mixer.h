// codecs/image/full_mixer.h: what the `full` entropy model learns while it codes a tile, and how it
// makes one probability of several. docs/format/entropy.md section 6.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "codecs/image/full_network.h"
#include "entropy/adaptive_bit.h"
#include "entropy/bit_mixer.h"
#include "models/safetensors.h"

namespace godwit::swift {

// Kinds of decisions; each network has its own of each.
enum FullDecision : size_t {
  kCellDecision,
  kFlagDecision,
  kFirstNonZeroDecision,  // nothing of the block or cell was nonzero yet
  kNonZeroDecision,
  kSmallSignDecision,  // of a magnitude of 1
  kSignDecision,
  kTwoDecision,
  kFourDecision,
  kThreeDecision,
  kFullDecisions
};
// Networks and what belongs to them: plane * 9 + band, then coarse AC and coarse DC by plane.
inline constexpr size_t kFullGroups = 33, kFullCoarseGroup = 27, kFullCoarseDcGroup = 30;
// Opinions on a decision: the network's, that of `lite`, the network's as it turned out before,
// that of the value's place, and a constant.
inline constexpr size_t kFullOpinions = 5;
inline constexpr size_t kFullSteps = 33;  // of a network's log odds, 160 apart
inline constexpr size_t kFullScales = 13, kFullExponents = 16, kFullMantissas = 3;

// Everything that is learned, and, from the model's file, where it starts.
struct FullState {
  std::array<std::array<std::array<int32_t, kFullOpinions>, kFullDecisions>, kFullGroups> weights;
  std::array<std::array<std::array<uint16_t, kFullSteps>, kFullDecisions>, kFullGroups> refined;
  std::array<std::array<std::array<AdaptiveBit, kFullLanes>, kFullDecisions>, kFullGroups> place;
  // Beyond a magnitude of 4: is it at least 2^k; the first bits below the top one.
  std::array<std::array<std::array<AdaptiveBit, kFullExponents>, kFullScales>, kFullGroups>
      exponent;
  std::array<std::array<std::array<AdaptiveBit, kFullMantissas>, kFullExponents>, kFullGroups>
      mantissa;

  Status Load(const SafeTensors& file);
};

// How fast weights and probabilities move.
inline constexpr int kFullWeightShift = 15, kFullRefineRate = 5, kFullPlaceRate = 4,
                     kFullExponentRate = 5, kFullLiteRate = 5;
inline constexpr int32_t kFullMaxWeight = 1 << 19;

inline int Stretch(uint32_t p1) { return bit_mixer_internal::kStretch[p1 >> 4]; }

// One decision: Predict(), code the bit with p1(), Learn() what it was.
class FullMixer {
 public:
  // `lite` speaks of the opposite bit if `turned`. Without a network its log odds are 0.
  FullMixer(FullState& s, size_t group, FullDecision kind, size_t lane, int network,
            AdaptiveBit* lite, bool turned)
      : weights_(s.weights[group][kind]),
        place_(s.place[group][kind][lane]),
        lite_(lite),
        turned_(turned) {
    const auto at = static_cast<uint32_t>(network + kMaxLogOdds);  // 0..5118
    const uint32_t step = at / 160;
    between_ = at % 160;
    refined_ = s.refined[group][kind].data() + step;
    const uint32_t refined = (refined_[0] * (160 - between_) + refined_[1] * between_) / 160;
    opinion_[0] = network;
    opinion_[1] = lite == nullptr ? 0 : turned ? -Stretch(lite->p1) : Stretch(lite->p1);
    opinion_[2] = Stretch(refined);
    opinion_[3] = Stretch(place_.p1);
    opinion_[4] = 256;
    int64_t sum = 1 << 15;
    for (size_t i = 0; i < kFullOpinions; ++i) sum += int64_t{weights_[i]} * opinion_[i];
    const auto odds = static_cast<int>(std::clamp<int64_t>(sum >> 16, -kMaxLogOdds, kMaxLogOdds));
    p1_ = bit_mixer_internal::Squash(odds);
  }
  uint32_t p1() const { return p1_; }
  void Learn(bool bit) {
    const int32_t error = (bit ? 65535 : 0) - static_cast<int32_t>(p1_);
    for (size_t i = 0; i < kFullOpinions; ++i) {
      const auto step = static_cast<int32_t>(
          (int64_t{opinion_[i]} * error + (1 << (kFullWeightShift - 1))) >> kFullWeightShift);
      weights_[i] = std::clamp(weights_[i] + step, -kFullMaxWeight, kFullMaxWeight);
    }
    // The nearer of the two steps.
    AdaptiveBit refined{refined_[between_ >= 80 ? 1 : 0]};
    refined.Update(bit, kFullRefineRate);
    refined_[between_ >= 80 ? 1 : 0] = refined.p1;
    place_.Update(bit, kFullPlaceRate);
    if (lite_ != nullptr) lite_->Update(bit != turned_, kFullLiteRate);
  }

 private:
  std::array<int32_t, kFullOpinions>& weights_;
  AdaptiveBit& place_;
  AdaptiveBit* lite_;
  bool turned_;
  uint16_t* refined_;
  uint32_t between_, p1_;
  std::array<int32_t, kFullOpinions> opinion_;
};

}  // namespace godwit::swift
