#include "codecs/image/swift_full_prices.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace godwit::swift {
namespace {

using P = ContextParameters;
constexpr float kNever = std::numeric_limits<float>::infinity();

}  // namespace

FullPrices::FullPrices(const SwiftModel& model, const FullModel& full, SimdLevel level)
    : p_(model.context), full_(full), level_(level), costs_(BitCosts::Get()), step_(0) {
  for (int m = 0; m < 128; ++m) {
    const int low = std::max(m - 1, 0);
    level_slope_[static_cast<size_t>(m)] = static_cast<float>(full.Level(m + 1) - full.Level(low)) /
                                           (static_cast<float>(m + 1 - low) * 512 * kSlopeScale);
  }
}

void FullPrices::StartTile(int step_index) {
  step_ = StepInputs(step_index);
  lite_.Reset(p_, step_index);
  state_ = full_.start;
}

void FullPrices::SetPlace(size_t group, const FullNetwork& network, int kind, int lanes,
                          int flag_context) {
  group_ = group;
  network_ = &network;
  flag_kind_ = kFlagDecision;
  kind_ = kind;
  lanes_ = lanes;
  flag_context_ = flag_context;
  flag_odds_ = 0;
  summed_ = false;
  band_ = false;
}

void FullPrices::SumFlag() {
  if (!network_->present()) return;
  SumHidden(level_, *network_, in_.common, in_.even, sums_);
  if (network_->has_flag) flag_odds_ = FlagLogit(*network_, sums_);
}

// Of the values, which most places can do without.
void FullPrices::FinishSums() {
  if (summed_) return;
  summed_ = true;
  if (!network_->present()) return;
  if (band_) FillBandOdd(full_, neighbours_, band_index_, in_);
  SumOutputs(level_, *network_, in_.common, in_.odd, sums_);
}

void FullPrices::AtCoarseDc(const CellRow& row, int plane, int64_t x, int mean, int scale) {
  const size_t group = kFullCoarseDcGroup + static_cast<size_t>(plane);
  SetPlace(group, full_.values[group], P::kCoarseDcKind, 1, 0);
  scale_[0] = static_cast<uint8_t>(scale);
  mean_[0] = 0;
  FillCoarseDc(full_, step_, row, plane, x, mean, in_);
  SumFlag();
  FinishSums();
}

void FullPrices::AtCoarse(const CellRow& row, int plane, int64_t x, uint32_t flag_sum,
                          const CoarseContexts& contexts) {
  const size_t group = kFullCoarseGroup + static_cast<size_t>(plane);
  SetPlace(group, full_.values[group], plane == 0 ? P::kCoarseLumaKind : P::kCoarseChromaKind,
           kCoarse - 1, P::CoarseFlagContext(plane, ScaleClass(flag_sum)));
  for (size_t i = 1; i < kCoarse; ++i) {
    scale_[i - 1] = contexts.scale_class[kCoarseOrder[i]];
    mean_[i - 1] = contexts.mean[kCoarseOrder[i]];
  }
  FillCoarse(full_, step_, row, plane, x, contexts.mean.data(), in_);
  SumFlag();
}

void FullPrices::AtBand(const CellRow& row, int plane, int band, int64_t y, int64_t x,
                        uint32_t flag_sum, const BandContexts& contexts) {
  const auto group = static_cast<size_t>(plane * kBands + band);
  const int flag_class = std::min(ScaleClass(flag_sum), P::kFlagClasses - 1);
  SetPlace(group, full_.values[group], P::KindOf(plane, band),
           kBandTable[static_cast<size_t>(band)].size,
           P::FlagContext(static_cast<int>(group), flag_class));
  std::copy_n(contexts.scale_class.data(), lanes_, scale_.data());
  std::copy_n(contexts.mean.data(), lanes_, mean_.data());
  if (!network_->present()) return;
  band_ = true;
  band_index_ = band;
  neighbours_ = BandNeighboursOf(row, plane, band, y, x, flag_sum);
  FillBand(full_, step_, row, plane, band, y, x, contexts.mean.data(), in_);
  SumFlag();
}

void FullPrices::AtCell(const CellRow& row, int plane, int band, int64_t x, bool left, int scale) {
  const auto group = static_cast<size_t>(plane * kBands + band);
  SetPlace(group, full_.cells[group], 0, 0, P::CellContext(static_cast<int>(group), scale));
  flag_kind_ = kCellDecision;
  if (network_->present()) FillCell(full_, step_, row, plane, band, x, left, in_);
  SumFlag();
}

float FullPrices::CostOf(bool bit, FullDecision decision, size_t lane, int odds, AdaptiveBit* lite,
                         bool turned) {
  const FullMixer mixer(state_, group_, decision, lane, odds, lite, turned);  // learns nothing
  return costs_.Of(bit, AdaptiveBit{static_cast<uint16_t>(mixer.p1())});
}

float FullPrices::FlagCost(bool set) {
  return CostOf(set, flag_kind_, 0, flag_odds_, &lite_.bit[static_cast<size_t>(flag_context_)]);
}

float FullPrices::ZeroCost(bool nonzero, int state, size_t lane, const FullSums& sums) {
  int odds[kFullLogits];
  FullOdds(*network_, sums, lane, odds);
  const auto context = static_cast<size_t>(P::ZeroContext(kind_, scale_[lane]) + state);
  return CostOf(nonzero, state != 0 ? kFirstNonZeroDecision : kNonZeroDecision, lane,
                odds[kNonZeroLogit], &lite_.bit[context]);
}

float FullPrices::MagnitudeCost(int magnitude, size_t lane, const FullSums& sums) {
  int odds[kFullLogits];
  FullOdds(*network_, sums, lane, odds);
  const auto cost = [&](bool bit, FullDecision decision, FullLogit logit) {
    return CostOf(bit, decision, lane, odds[logit], nullptr);
  };
  if (magnitude == 1) return cost(false, kTwoDecision, kTwoLogit);
  float sum = cost(true, kTwoDecision, kTwoLogit);
  sum += cost(magnitude > 3, kFourDecision, kFourLogit);
  if (magnitude <= 3) return sum + cost(magnitude > 2, kThreeDecision, kThreeLogit);
  const auto& exponents =
      state_.exponent[group_][std::min(static_cast<size_t>(scale_[lane]) / 2, kFullScales - 1)];
  size_t k = 2;
  for (; k < 14; ++k) {
    const bool more = magnitude >> (k + 1) != 0;
    sum += costs_.Of(more, exponents[k]);
    if (!more) break;
  }
  const auto& mantissa = state_.mantissa[group_][k];
  const bool top = (magnitude >> (k - 1) & 1) != 0, below = (magnitude >> (k - 2) & 1) != 0;
  return sum + costs_.Of(top, mantissa[0]) + costs_.Of(below, mantissa[top ? 2 : 1]) +
         static_cast<float>(k - 2);
}

float FullPrices::SignCost(int value, size_t lane, const FullSums& sums) {
  const int magnitude = std::abs(value), t = mean_[lane];
  const auto context = static_cast<size_t>(P::SignContext(kind_, SignLevel(t)));
  return CostOf(value > 0, magnitude == 1 ? kSmallSignDecision : kSignDecision, lane,
                FullSignOdds(*network_, sums, lane, magnitude), &lite_.bit[context], t >= 0);
}

float FullPrices::ValueCost(int value) {
  FinishSums();
  float cost = ZeroCost(value != 0, 0, 0, sums_);
  if (value != 0) cost += MagnitudeCost(std::abs(value), 0, sums_) + SignCost(value, 0, sums_);
  return cost;
}

float FullPrices::Choose(const FullChoices& choices, float lambda,
                         std::array<int16_t, kFullLanes>& best) {
  FinishSums();
  float empty = 0;
  size_t paths = 0;
  for (int i = 0; i < lanes_; ++i) {
    const auto lane = static_cast<size_t>(i);
    const FullChoices::Value& choice = choices.lane[lane];
    std::array<Step, kPaths + 1> steps;  // the best, in order; ties to the first
    size_t kept = 0;
    const auto add = [&](float cost, size_t from, int16_t value) {
      size_t at = kept;
      for (; at > 0 && cost < steps[at - 1].cost; --at) steps[at] = steps[at - 1];
      steps[at] = {cost, from, value};
      kept = std::min(kept + 1, kPaths);
    };
    for (size_t p = 0; p < paths; ++p) {
      const FullSums& sums = path_[p].sums;
      add(path_[p].cost + lambda * ZeroCost(false, 0, lane, sums), p, 0);
      if (choice.count == 0) continue;
      const float some = path_[p].cost + lambda * ZeroCost(true, 0, lane, sums);
      for (size_t v = 0; v < static_cast<size_t>(choice.count); ++v) {
        const int16_t value = choice.value[v];
        add(some + choice.error[v] +
                lambda * (SignCost(value, lane, sums) + MagnitudeCost(std::abs(value), lane, sums)),
            p, value);
      }
    }
    const int state = EmptyState(i);
    const bool implied = i == lanes_ - 1;
    if (choice.count > 0) {
      const float some = empty + (implied ? 0 : lambda * ZeroCost(true, state, lane, sums_));
      for (size_t v = 0; v < static_cast<size_t>(choice.count); ++v) {
        const int16_t value = choice.value[v];
        add(some + choice.error[v] +
                lambda *
                    (SignCost(value, lane, sums_) + MagnitudeCost(std::abs(value), lane, sums_)),
            kPaths, value);
      }
    }
    if (!implied) empty += lambda * ZeroCost(false, state, lane, sums_);
    for (size_t k = 0; k < kept; ++k) {
      Path& to = next_[k];
      if (steps[k].from == kPaths) {
        to.sums = sums_;
        to.value = {};
      } else {
        to = path_[steps[k].from];
      }
      to.cost = steps[k].cost;
      to.value[lane] = steps[k].value;
      if (steps[k].value != 0 && network_->present() && !implied)
        TellLater(level_, *network_, lane, full_.Level(steps[k].value), to.sums);
    }
    std::swap(path_, next_);
    paths = kept;
  }
  if (paths == 0) return kNever;
  best = path_[0].value;
  return path_[0].cost;
}

float FullPrices::CodeFlag(bool set) {
  FullValues<BitCounter> values(full_, lite_, state_, {&costs_, 0}, level_);
  values.Mixed(set, group_, flag_kind_, 0, flag_odds_, values.Lite(flag_context_));
  return values.coder().bits;
}

float FullPrices::CodeValues(const int16_t* value) {
  FinishSums();
  FullValues<BitCounter> values(full_, lite_, state_, {&costs_, 0}, level_);
  const bool dc = kind_ == P::kCoarseDcKind;
  bool seen = dc;
  for (int i = 0; i < lanes_; ++i) {
    const auto lane = static_cast<size_t>(i);
    const int state = seen ? 0 : EmptyState(i);
    values.Value(value[i], group_, lane, kind_, scale_[lane], state, mean_[lane],
                 !seen && i == lanes_ - 1, *network_, sums_);
    seen = seen || value[i] != 0;
  }
  return values.coder().bits;
}

void FullPrices::Save(int plane, int band) {
  saved_group_ = static_cast<size_t>(plane * kBands + band);
  saved_ = {state_.weights[saved_group_], state_.refined[saved_group_], state_.place[saved_group_],
            state_.exponent[saved_group_], state_.mantissa[saved_group_]};
  saved_lite_ = lite_;
}

void FullPrices::Restore() {
  state_.weights[saved_group_] = saved_.weights;
  state_.refined[saved_group_] = saved_.refined;
  state_.place[saved_group_] = saved_.place;
  state_.exponent[saved_group_] = saved_.exponent;
  state_.mantissa[saved_group_] = saved_.mantissa;
  lite_ = saved_lite_;
}

}  // namespace godwit::swift
