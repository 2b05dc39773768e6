// FullPrices: what a magnitude costs those that see it as an input of their networks: the gradient
// of their bits.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/per_level.h"
#include "codecs/image/swift_full_prices.h"

namespace godwit::swift {
namespace {

#define ALWAYS_INLINE __attribute__((always_inline))

constexpr int kMostSlope = 1000;  // a row of 64 adds up in 32 bits
constexpr int kLastHidden = 2035;
constexpr float kBitsOfOdds = 1.0f / (256 * 0.69314718f);

using P = ContextParameters;
typedef int32_t Sums8 __attribute__((vector_size(32)));
typedef int16_t Row8 __attribute__((vector_size(16)));

// The channel at a position.
constexpr std::array<uint8_t, kChannels> kChannelAt = [] {
  std::array<uint8_t, kChannels> channel{};
  for (size_t c = 0; c < kChannels; ++c) channel[kPositionOf[c]] = static_cast<uint8_t>(c);
  return channel;
}();

// to[i] = sum of rows[i][h] * slope[h]
ALWAYS_INLINE inline void DotsBody(const int16_t* rows, size_t count, size_t width,
                                   const int32_t* slope, int32_t* to) {
  for (size_t i = 0; i < count; ++i) {
    Sums8 sum = {};
    for (size_t h = 0; h < width; h += 8) {
      Row8 w;
      Sums8 s;
      std::memcpy(&w, rows + i * width + h, sizeof w);
      std::memcpy(&s, slope + h, sizeof s);
      sum += __builtin_convertvector(w, Sums8) * s;
    }
    to[i] = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
  }
}

}  // namespace

// Bits for a unit of the network's log odds.
float FullPrices::OddsSlope(bool bit, FullDecision decision, size_t lane, int odds,
                            AdaptiveBit* lite) {
  const FullMixer mixer(state_, group_, decision, lane, odds, lite, false);
  const auto& w = state_.weights[group_][decision];
  const float share = static_cast<float>(w[0] + w[2]) * (1.0f / 65536);
  return (static_cast<float>(mixer.p1()) * (1.0f / 65536) - (bit ? 1.0f : 0.0f)) * share *
         kBitsOfOdds;
}

void FullPrices::AddTolls(LatentTile& tile, int64_t block_row, int64_t x, int plane, int band,
                          bool set, const int16_t* values) {
  if (!network_->present()) return;
  const FullNetwork& n = *network_;
  std::array<float, kFullOutputs> output{};
  const float flag_slope =
      OddsSlope(set, kFlagDecision, 0, flag_odds_, &lite_.bit[static_cast<size_t>(flag_context_)]);
  if (set) {
    FinishSums();
    FullSums sums = sums_;
    bool seen = false;
    for (int i = 0; i < lanes_; ++i) {
      const auto lane = static_cast<size_t>(i);
      const int value = values[i], magnitude = std::abs(value);
      int odds[kFullLogits];
      FullOdds(n, sums, lane, odds);
      const auto slope = [&](bool bit, FullDecision decision, FullLogit logit, AdaptiveBit* lite) {
        output[FullOutput(lane, logit)] = OddsSlope(bit, decision, lane, odds[logit], lite);
      };
      if (seen || i < lanes_ - 1) {
        const int state = seen ? 0 : EmptyState(i);
        slope(value != 0, seen ? kNonZeroDecision : kFirstNonZeroDecision, kNonZeroLogit,
              &lite_.bit[static_cast<size_t>(P::ZeroContext(kind_, scale_[lane]) + state)]);
      }
      if (value == 0) continue;
      seen = true;
      slope(magnitude > 1, kTwoDecision, kTwoLogit, nullptr);
      if (magnitude > 1) slope(magnitude > 3, kFourDecision, kFourLogit, nullptr);
      if (magnitude == 2 || magnitude == 3)
        slope(magnitude > 2, kThreeDecision, kThreeLogit, nullptr);
      TellLater(level_, n, lane, full_.Level(value), sums);
    }
  }
  std::array<int32_t, kMaxFullHidden> hidden{};
  for (size_t h = 0; h < n.hidden; ++h) {
    if (sums_.hidden[h] == 0 || sums_.hidden[h] == kLastHidden) continue;
    const int16_t* const row = n.out.data() + h * n.outputs;
    float sum = flag_slope * static_cast<float>(n.flag[h]);
    for (size_t k = 0; set && k < kFullLogits; ++k) {
      for (size_t lane = 0; lane < static_cast<size_t>(n.values); ++lane) {
        const size_t o = FullOutput(lane, k);
        sum += output[o] * static_cast<float>(row[o]);
      }
    }
    hidden[h] = static_cast<int32_t>(std::lrint(std::clamp(
        sum * (static_cast<float>(kSlopeScale) / 1024), float{-kMostSlope}, float{kMostSlope})));
  }
  const auto rows = static_cast<size_t>(n.common + n.even);
  const int16_t* const first = n.first.data();
  size_t width = n.hidden;
  const int32_t* const slope = hidden.data();
  int32_t* const to = dots_.data();
  RunPerLevel<DotsBody>(level_, first, rows, width, slope, to);
  // By input, in the order of FillBand().
  size_t at = 0;
  const auto add = [&](size_t p, int64_t dy, int64_t dx, int from, int count) {
    const int64_t by = block_row + dy, bx = x + dx;
    if (by >= 0 && bx >= 0 && bx < tile.columns()) {
      const int64_t block = tile.BlockAt(by, bx);
      const int16_t* const symbol = tile.symbol[p].block.data() + block;
      float* const toll = tile.toll[p].data() + block;
      for (int i = 0; i < count; ++i) {
        const uint8_t c = kChannelAt[static_cast<size_t>(from + i)];
        toll[c] += static_cast<float>(dots_[at + static_cast<size_t>(i)]) *
                   level_slope_[static_cast<size_t>(std::min(std::abs(int{symbol[c]}), 127))];
      }
    }
    at += static_cast<size_t>(count);
  };
  const auto pz = static_cast<size_t>(plane);
  const int start = kBandFirst[static_cast<size_t>(band)], before = start - 1, size = lanes_;
  add(pz, 0, 0, 1, before);
  add(pz, 0, -1, 1, before + size);
  add(pz, -1, 0, 1, before + size);
  add(pz, 0, 1, 1, before);
  if (block_row % kCellBlocks + 1 < kCellBlocks) {
    add(pz, 1, 0, 1, before);
  } else {
    at += static_cast<size_t>(before);
  }
  at = static_cast<size_t>(n.common);
  add(pz, -1, -1, start, size);
  add(pz, -1, 1, start, size);
  add(pz, 0, -2, start, size);
  for (int other = 0; other < tile.planes; ++other) {
    if (other == plane) continue;
    add(static_cast<size_t>(other), 0, 0, 1,
        kBandFirst[static_cast<size_t>(BandsBefore(other, plane, band))] - 1);
  }
}

}  // namespace godwit::swift
