#include "codecs/array/plane_predictor.h"

#include <algorithm>
#include <cassert>

namespace godwit::array {
namespace {

constexpr int32_t kMaxWeight = 1 << 21;
constexpr int64_t kMaxInput = int64_t{1} << 26;  // of learning: squares of 128 inputs fit 64 bits

}  // namespace

TapSet MakeTaps(const PlaneGeometry& g, const std::vector<int64_t>& references) {
  assert(references.size() <= kMaxReferences);
  TapSet set;
  const int64_t up = -g.row_stride();
  set.taps.push_back({-1, 0});
  for (const int64_t r : references) set.taps.push_back({-r * g.plane_stride(), 0});
  set.levels = set.taps.size();
  if (g.is_line()) {
    const int own = references.size() > 3 ? 16 : 32;
    for (int64_t i = 1; i < own; ++i) set.taps.push_back({-i, -i - 1});
  } else {
    for (const int64_t at : {up, up - 1}) set.taps.push_back({at, -1});
    set.taps.push_back({up + 1, up});
    set.taps.push_back({-2, -1});
    set.taps.push_back({2 * up, up});
    set.taps.push_back({2 * up + 1, up + 1});
    set.taps.push_back({up - 2, up - 1});
    set.taps.push_back({up + 2, up + 1});
  }
  for (size_t i = 0; i < references.size(); ++i) {
    const int64_t there = -references[i] * g.plane_stride();
    if (g.is_line()) {
      const int64_t reach = references.size() <= 2 ? 8 : references.size() <= 4 ? 4 : 2;
      for (int64_t d = 1; d <= reach; ++d) {
        set.taps.push_back({there - d, there - d + 1});
        if (d <= kRightPad) set.taps.push_back({there + d, there + d - 1});
      }
    } else if (i < 2) {
      for (const int64_t d : {int64_t{-1}, int64_t{1}, up, -up}) {
        set.taps.push_back({there + d, there});
      }
      for (const int64_t d : {up - 1, up + 1, -up - 1, -up + 1}) {
        if (i == 0) set.taps.push_back({there + d, there});
      }
    } else {
      for (const int64_t d : {int64_t{-1}, up}) set.taps.push_back({there + d, there});
    }
  }
  return set;
}

void PlanePredictor::Start(const TapSet* taps, const std::vector<int32_t>& weights, int64_t bias,
                           int rate) {
  assert(weights.size() == taps->taps.size());
  taps_ = taps;
  weights_ = weights;
  for (int32_t& w : weights_) w = std::clamp(w, -kMaxWeight, kMaxWeight);
  inputs_.assign(weights.size(), 0);
  bias_ = bias;
  rate_ = rate;
}

int64_t PlanePredictor::Predict(const int32_t* at) {
  const size_t n = weights_.size(), levels = taps_->levels;
  const Tap* const taps = taps_->taps.data();
  int64_t sum = bias_;
  for (size_t i = 0; i < levels; ++i) sum += int64_t{weights_[i]} * at[taps[i].at];
  uint64_t energy = 0;
  for (size_t i = levels; i < n; ++i) {
    const int64_t v = int64_t{at[taps[i].at]} - at[taps[i].minus];
    sum += weights_[i] * v;
    const int64_t limited = std::clamp(v, -kMaxInput, kMaxInput);
    inputs_[i] = limited;
    energy += static_cast<uint64_t>(limited * limited);
  }
  energy_ = energy;
  return sum >> (kWeightBits - kFractionBits);
}

void PlanePredictor::Learn(int64_t error) {
  if (rate_ == 0 || error == 0 || energy_ == 0) return;
  const size_t n = weights_.size(), levels = taps_->levels;
  constexpr int kGainBits = 24;
  const int64_t limited = std::clamp(error, -kMaxInput, kMaxInput);
  // |gain * input| <= 2^24 |error| |input| / energy <= 2^50.
  const int64_t gain = limited * (int64_t{1} << kGainBits) / static_cast<int64_t>(energy_ + n);
  const int shift = kGainBits - kWeightBits + rate_;
  const int64_t half = int64_t{1} << (shift - 1);
  for (size_t i = levels; i < n; ++i) {
    const int64_t step = (gain * inputs_[i] + half) >> shift;
    weights_[i] =
        static_cast<int32_t>(std::clamp<int64_t>(weights_[i] + step, -kMaxWeight, kMaxWeight));
  }
}

}  // namespace godwit::array
