// RowDecider: layers 0 and 1. Contexts as ContextCoder makes them.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "codecs/image/swift_row_decider.h"

namespace godwit::swift {
namespace {

using P = ContextParameters;
constexpr float kNever = std::numeric_limits<float>::infinity();

int Nearest(float target) {
  return static_cast<int>(std::lrint(std::clamp(target, -32766.0f, 32766.0f)));
}

// Squared error of `value` less that of 0.
float Error(int value, float target) {
  const auto v = static_cast<float>(value);
  return v * (v - 2 * target);
}

}  // namespace

void RowDecider::DecideCoarseDc(LatentTile& tile, int64_t cell_row, int plane) {
  const auto pz = static_cast<size_t>(plane);
  constexpr int kind = P::kCoarseDcKind;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    const int64_t at = row_.BorderedCell(x) * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    const CoarseDcContext context = CoarseDcContextOf(row_, p_, plane, x);
    const int mean = context.mean, scale = ScaleClass(context.scale.sum);
    const int64_t cell = tile.CellAt(cell_row, x);
    const float target = tile.target[pz].cell.data()[cell];
    const int nearest = Nearest(target);
    const ValueCosts costs(state_->bit.data(), kind, scale, 0);
    const AdaptiveBit zero = state_->bit[static_cast<size_t>(P::ZeroContext(kind, scale))];
    int best = 0;
    float best_cost = kNever;
    if (full()) prices_->AtCoarseDc(row_, plane, x, mean, scale);
    for (int candidate = nearest - 1; candidate <= nearest + 1; ++candidate) {
      const int value = std::clamp(candidate - mean, -32767, 32767);
      const float off = static_cast<float>(candidate) - target;
      float cost = costs_.Of(value != 0, zero);
      if (value != 0) cost += costs.Sign(value < 0) + costs.Magnitude(std::abs(value));
      if (full()) cost = prices_->ValueCost(value);
      cost = off * off + options_.coarse_lambda * cost;
      if (cost < best_cost) {
        best_cost = cost;
        best = candidate;
      }
    }
    if (replay_) best = tile.symbol[pz].cell.data()[cell];
    const int value = std::clamp(best - mean, -32767, 32767);
    if (full()) {
      const auto coded = static_cast<int16_t>(value);
      bits_ += prices_->CodeValues(&coded);
    } else {
      Code(value != 0, P::ZeroContext(kind, scale));
      if (value != 0) CodeValue(value, kind, scale, 0);
    }
    q[0] = static_cast<int16_t>(std::clamp(value + mean, -32767, 32767));
    row_.coarse_residual[pz].data()[at] = LimitResidual(value);
    tile.symbol[pz].cell.data()[cell] = q[0];
  }
}

void RowDecider::DecideCoarseAc(LatentTile& tile, int64_t cell_row, int plane) {
  const auto pz = static_cast<size_t>(plane);
  const int kind = plane == 0 ? P::kCoarseLumaKind : P::kCoarseChromaKind;
  const float lambda = options_.coarse_lambda;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    const int64_t cell = row_.BorderedCell(x), at = cell * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    int8_t* const r = row_.coarse_residual[pz].data() + at;
    uint8_t* const activity = row_.coarse_activity[pz].data() + cell;
    const uint32_t flag_sum = CoarseFlagOf(row_, p_, plane, x).sum;
    const int flag_context = P::CoarseFlagContext(plane, ScaleClass(flag_sum));
    const CoarseNeighbours n = CoarseNeighboursOf(row_, plane, x);
    CoarseContexts contexts;
    SumCoarse(level_, p_.coarse[pz], n, contexts);
    const float* const target = tile.target[pz].cell.data() + tile.CellAt(cell_row, x);
    int16_t* const out = tile.symbol[pz].cell.data() + tile.CellAt(cell_row, x);
    if (full()) {
      DecideCoarseAcFull(tile, cell_row, plane, x, flag_sum, contexts);
      continue;
    }
    // Least cost so far with nothing but zeros, and with something; which values lead there.
    const auto& bit = state_->bit;
    float empty = 0, some = kNever;
    int value[kCoarse] = {}, first = 0;  // of each coefficient once something came before
    bool zero_best[kCoarse] = {};        // of them, that 0 is best there
    int from_empty[kCoarse] = {};        // the last place where the something began
    for (int i = 1; i < kCoarse; ++i) {
      const size_t c = kCoarseOrder[static_cast<size_t>(i)];
      const int scale = contexts.scale_class[c], mean = contexts.mean[c];
      const auto zero_context = static_cast<size_t>(P::ZeroContext(kind, scale));
      const int nearest = Nearest(target[c]);
      float best = kNever;
      if (nearest != 0) {
        const ValueCosts costs(bit.data(), kind, scale, mean);
        const int step = nearest < 0 ? -1 : 1;
        const float sign = costs.Sign(nearest < 0);
        for (int candidate = nearest; candidate != 0 && std::abs(nearest - candidate) < 2;
             candidate -= step) {
          const float cost =
              Error(candidate, target[c]) + lambda * (sign + costs.Magnitude(std::abs(candidate)));
          if (cost < best) {
            best = cost;
            value[c] = candidate;
          }
        }
      }
      const bool implied = i == kCoarse - 1;
      const float begin =
          empty + best + (implied ? 0 : lambda * costs_.Of(true, bit[zero_context + 1]));
      const float zero = some + lambda * costs_.Of(false, bit[zero_context]);
      const float more = some + best + lambda * costs_.Of(true, bit[zero_context]);
      zero_best[c] = zero <= more;
      some = std::min(zero, more);
      from_empty[c] = begin < some;
      if (begin < some) some = begin;
      empty += lambda * costs_.Of(false, bit[zero_context + 1]);
    }
    bool any = some + lambda * costs_.Of(true, bit[static_cast<size_t>(flag_context)]) <
               lambda * costs_.Of(false, bit[static_cast<size_t>(flag_context)]);
    if (replay_) any = std::any_of(out + 1, out + kCoarse, [](int16_t v) { return v != 0; });
    Code(any, flag_context);
    if (replay_) std::copy_n(out, kCoarse, value);
    std::fill_n(out + 1, kCoarse - 1, int16_t{0});
    if (!any) continue;
    for (first = kCoarse - 1;
         !replay_ && from_empty[kCoarseOrder[static_cast<size_t>(first)]] == 0;)
      --first;
    int total = 0, state = 1;
    for (int i = 1; i < kCoarse; ++i) {
      const size_t c = kCoarseOrder[static_cast<size_t>(i)];
      const bool nonzero = replay_ ? value[c] != 0 : i == first || (i > first && !zero_best[c]);
      const int scale = contexts.scale_class[c];
      if (state == 0 || i < kCoarse - 1) Code(nonzero, P::ZeroContext(kind, scale) + state);
      if (!nonzero) continue;
      state = 0;
      CodeValue(value[c], kind, scale, contexts.mean[c]);
      q[c] = static_cast<int16_t>(value[c]);
      out[c] = q[c];
      r[c] = LimitResidual(value[c]);
      total += std::abs(int{r[c]});
    }
    *activity = static_cast<uint8_t>(std::min(total, 255));
  }
}

}  // namespace godwit::swift
