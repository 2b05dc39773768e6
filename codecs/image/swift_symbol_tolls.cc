// RowDecider: what a symbol costs those that see it in their contexts. Each weighted sum of
// magnitudes has a slope, bits for a unit of it, from the costs of the classes beside its own; each
// magnitude's toll is the sum of weight times slope over those that look at it.
#include <algorithm>
#include <cstdlib>

#include "codecs/image/swift_row_decider.h"

namespace godwit::swift {
namespace {

using P = ContextParameters;

// The channel at a position.
constexpr std::array<uint8_t, kChannels> kChannelAt = [] {
  std::array<uint8_t, kChannels> channel{};
  for (size_t c = 0; c < kChannels; ++c) channel[kPositionOf[c]] = static_cast<uint8_t>(c);
  return channel;
}();

// The middle of a class of sums.
constexpr std::array<float, kClasses> kClassMiddle = [] {
  std::array<float, kClasses> middle{};
  middle[1] = 2;
  for (int c = 2; c < kClasses; ++c)
    middle[static_cast<size_t>(c)] = static_cast<float>(1 << (c / 2)) * (c % 2 != 0 ? 3.5f : 2.5f);
  return middle;
}();

float ClassSpan(int low, int high) {
  return kClassMiddle[static_cast<size_t>(high)] - kClassMiddle[static_cast<size_t>(low)];
}

// What a unit more of a sum adds to the cost of a bit, whose contexts are `pitch` apart by class.
float BitSlope(const AdaptiveBit* contexts, int pitch, int last, int scale, bool bit) {
  const int low = std::max(scale - 1, 0), high = std::min(scale + 1, kClasses - 1);
  const BitCosts& costs = BitCosts::Get();
  return (costs.Of(bit, contexts[std::min(high, last) * pitch]) -
          costs.Of(bit, contexts[std::min(low, last) * pitch])) /
         ClassSpan(low, high);
}

float MagnitudeSlope(const AdaptiveBit* contexts, int kind, int scale, int magnitude) {
  const int low = std::max(scale - 1, 0), high = std::min(scale + 1, kClasses - 1);
  return (ValueCosts(contexts, kind, high, 0).Magnitude(magnitude) -
          ValueCosts(contexts, kind, low, 0).Magnitude(magnitude)) /
         ClassSpan(low, high);
}

}  // namespace

float RowDecider::FlagSlope(int group, int scale, bool flag) const {
  return BitSlope(state_->bit.data() + P::FlagContext(group, 0), 1, P::kFlagClasses - 1, scale,
                  flag);
}

// What the sums of a block's values see gets its toll. Returns the toll of the flag's sum.
float RowDecider::AddSymbolTolls(LatentTile& tile, int64_t block_row, int64_t x, int plane,
                                 int band, const BandContexts& contexts,
                                 const BlockChoice& choice) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const Band& table = kBandTable[bz];
  const BandWeights& w = p_.band[gz];
  const int kind = P::KindOf(plane, band), size = table.size;
  const AdaptiveBit* const bit = state_->bit.data();
  const int64_t width = row_.blocks_w() * kChannels, at = tile.BlockAt(block_row, x);
  float* const here = tile.toll[pz].data() + at;
  const bool left = x > 0, right = x + 1 < row_.blocks_w(), up = block_row > 0;
  float flag = 0;
  bool seen = false;
  for (int i = 0; i < size; ++i) {
    const auto iz = static_cast<size_t>(i);
    const int value = choice.values[iz], scale = contexts.scale_class[iz], c = table.channel[iz];
    const int state = seen ? 0 : i == size - 2 ? 2 : 1;
    float slope = 0;
    if (seen || i < size - 1) {
      slope = BitSlope(bit + P::ZeroContext(kind, 0) + state, kZeroStates, kZeroClasses - 1, scale,
                       value != 0);
    }
    if (value != 0) {
      seen = true;
      slope += MagnitudeSlope(bit, kind, scale, std::abs(value));
    }
    const auto weighted = [&](MagnitudeFeature f) {
      return static_cast<float>(w.magnitude[f][iz]) * slope;
    };
    if (left) here[c - kChannels] += weighted(kLeft);
    if (up) {
      here[c - width] += weighted(kUp);
      if (left) here[c - width - kChannels] += weighted(kUpLeft);
      if (right) here[c - width + kChannels] += weighted(kUpRight);
    }
    for (size_t f = 0; f < 5; ++f) {
      const uint8_t position = kInBlock[bz][f][iz];
      if (position != kNone)
        here[kChannelAt[position]] += weighted(static_cast<MagnitudeFeature>(kLower0 + f));
    }
    if (plane > 0) tile.toll[0].data()[at + c] += weighted(kLuma);
    if (plane > 1) tile.toll[1].data()[at + c] += weighted(kOther);
    flag += weighted(kScale) * (1.0f / 16);
  }
  return flag;
}

// The same of a flag, whose sum costs `slope` for a unit.
void RowDecider::AddFlagToll(LatentTile& tile, int64_t block_row, int64_t x, int plane, int band,
                             float slope) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const auto& w = p_.flag_weights[gz];
  const int64_t width = row_.blocks_w(), at = block_row * width + x;
  const bool left = x > 0, right = x + 1 < width, up = block_row > 0;
  const bool down = block_row % kCellBlocks + 1 < kCellBlocks;
  const auto toll = [&](size_t p, int b, int64_t to, size_t feature) {
    tile.band_toll[p].data()[(at + to) * kBandTolls + b] += static_cast<float>(w[feature]) * slope;
  };
  const auto around = [&](size_t p, int b, size_t feature) {
    if (w[feature] == 0) return;
    if (left) toll(p, b, -1, feature);
    if (right) toll(p, b, 1, feature);
    if (up) toll(p, b, -width, feature);
    toll(p, b, down ? width : 0, feature);
  };
  if (up) {
    toll(pz, band, -width, 1);
    if (left) toll(pz, band, -width - 1, 2);
    if (right) toll(pz, band, -width + 1, 2);
  }
  if (band > 0) {
    toll(pz, band - 1, 0, 3);
    around(pz, band - 1, 4);
  }
  if (band > 1) {
    toll(pz, band - 2, 0, 5);
    around(pz, band - 2, 6);
  }
  if (plane > 0) {
    toll(0, band, 0, 7);
    around(0, band, 8);
  }
  if (plane > 1) toll(1, band, 0, 9);
}

}  // namespace godwit::swift
