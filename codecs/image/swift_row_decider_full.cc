// RowDecider: choices by what the `full` model charges.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "codecs/image/swift_row_decider.h"

namespace godwit::swift {
namespace {

constexpr float kLeast = 0.5f;     // of a target that may become a symbol
constexpr float kMost = 32767.0f;  // of a symbol

// The nearest magnitude of a symbol, also for what is no number.
int NearestMagnitude(float target) {
  return static_cast<int>(std::min(kMost, std::abs(target)) + 0.5f);
}

}  // namespace

// The best values of a block that has something; returns the gain without its flag.
float RowDecider::ChooseFull(const LatentTile& tile, int64_t at, int plane, int band,
                             std::array<int16_t, kLanes>& values) {
  const auto pz = static_cast<size_t>(plane);
  const Band& table = kBandTable[static_cast<size_t>(band)];
  const float* const target = tile.target[pz].block.data() + at;
  const float* const toll = options_.tolls ? tile.toll[pz].data() + at : nullptr;
  FullChoices choices;
  for (size_t i = 0; i < table.size; ++i) {
    const int c = table.channel[i];
    if (std::abs(target[c]) < kLeast) continue;
    FullChoices::Value& lane = choices.lane[i];
    const int nearest = NearestMagnitude(target[c]);
    const float each = toll != nullptr ? options_.lambda * toll[c] : 0;
    for (int m = nearest; m > 0 && nearest - m < FullChoices::kMost; ++lane.count, --m) {
      const int v = target[c] < 0 ? -m : m;
      lane.value[static_cast<size_t>(lane.count)] = static_cast<int16_t>(v);
      lane.error[static_cast<size_t>(lane.count)] =
          ErrorOf(tile, pz, at + c, v) + each * static_cast<float>(m);
    }
  }
  return prices_->Choose(choices, options_.lambda, values);
}

void RowDecider::DecideCoarseAcFull(LatentTile& tile, int64_t cell_row, int plane, int64_t x,
                                    uint32_t flag_sum, const CoarseContexts& contexts) {
  const auto pz = static_cast<size_t>(plane);
  const int64_t cell = row_.BorderedCell(x), from = tile.CellAt(cell_row, x);
  const float* const target = tile.target[pz].cell.data() + from;
  int16_t* const out = tile.symbol[pz].cell.data() + from;
  std::array<int16_t, kLanes> values{};
  bool any = false;
  prices_->AtCoarse(row_, plane, x, flag_sum, contexts);
  if (replay_) {
    for (size_t i = 1; i < kCoarse; ++i) {
      values[i - 1] = out[kCoarseOrder[i]];
      any = any || values[i - 1] != 0;
    }
  } else {
    FullChoices choices;
    for (size_t i = 1; i < kCoarse; ++i) {
      const float want = std::clamp(target[kCoarseOrder[i]], -kMost, kMost);
      const int nearest = NearestMagnitude(want);
      FullChoices::Value& lane = choices.lane[i - 1];
      for (int m = nearest; m > 0 && nearest - m < FullChoices::kMost; ++lane.count, --m) {
        const int v = want < 0 ? -m : m;
        const auto value = static_cast<float>(v);
        lane.value[static_cast<size_t>(lane.count)] = static_cast<int16_t>(v);
        lane.error[static_cast<size_t>(lane.count)] = value * (value - 2 * want);
      }
    }
    const float lambda = options_.coarse_lambda;
    any = prices_->Choose(choices, lambda, values) + lambda * prices_->FlagCost(true) <
          lambda * prices_->FlagCost(false);
    if (!any) values = {};
  }
  bits_ += prices_->CodeFlag(any);
  if (any) bits_ += prices_->CodeValues(values.data());
  int16_t* const q = row_.coarse[pz].data() + cell * kCoarse;
  int8_t* const r = row_.coarse_residual[pz].data() + cell * kCoarse;
  int total = 0;
  for (size_t i = 1; i < kCoarse; ++i) {
    const size_t c = kCoarseOrder[i];
    q[c] = out[c] = values[i - 1];
    r[c] = LimitResidual(values[i - 1]);
    total += std::abs(int{r[c]});
  }
  row_.coarse_activity[pz].data()[cell] = static_cast<uint8_t>(std::min(total, 255));
}

}  // namespace godwit::swift
