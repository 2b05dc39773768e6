#include "codecs/image/swift_msssim_weights.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace godwit::swift {
namespace {

constexpr size_t kScales = kMsssimScales;
constexpr std::array<float, kScales> kScaleWeight = {0.0448f, 0.2856f, 0.3001f, 0.2363f};
constexpr float kC2 = 58.5225f;  // (0.03 * 255)^2
// Of a picture with a variance of 400 at all five scales, over the least of errors: sets what
// lambda means, so that a step gives about the rate that it has without weights at 1 bit/pixel.
constexpr float kUnit = 2.52f * (800 + kC2);
constexpr float kChroma = 0.25f;

// cos(k pi / 16)^2.
constexpr std::array<float, 9> kCosSquared = {
    1, 0.96193977f, 0.85355339f, 0.69134172f, 0.5f, 0.30865828f, 0.14644661f, 0.03806023f, 0};

// What is left of a frequency's energy at a scale: each halving takes the means of pairs.
constexpr float Left(size_t frequency, size_t scale) {
  float left = 1;
  for (size_t j = 0; j < scale; ++j) {
    const size_t k = (frequency << j) % 16;
    left *= kCosSquared[k <= 8 ? k : 16 - k];
  }
  return left;
}
constexpr auto kSeen = [] {
  std::array<std::array<float, kChannels>, kScales> seen{};
  for (size_t s = 0; s < kScales; ++s) {
    for (size_t c = 0; c < kChannels; ++c) seen[s][c] = Left(c / 8, s) * Left(c % 8, s);
  }
  return seen;
}();

// How far a scale's window of 11 samples reaches, in blocks, and how much the outer ones count.
constexpr std::array<int64_t, kScales> kReach = {0, 1, 1, 3};
constexpr std::array<float, kScales> kOuter = {0, 0.25f, 1, 1};

// Of the luma around a block at one scale, in grey levels: what lies in the blocks, and how their
// means differ.
float VarianceAround(const LatentTile& tile, int64_t y, int64_t x, size_t scale) {
  float inside = 0, count = 0, sum = 0, squares = 0;
  const int64_t reach = kReach[scale];
  for (int64_t j = std::max<int64_t>(0, y - reach); j <= std::min(tile.rows() - 1, y + reach);
       ++j) {
    for (int64_t i = std::max<int64_t>(0, x - reach); i <= std::min(tile.columns() - 1, x + reach);
         ++i) {
      const float share = i == x && j == y ? 1 : kOuter[scale];
      const int64_t block = j * tile.columns() + i;
      const float mean =
          static_cast<float>(tile.coefficient[0].data()[block * kChannels]) * (1.0f / 128);
      inside +=
          share *
          tile.variance.data()[block * static_cast<int64_t>(kScales) + static_cast<int64_t>(scale)];
      sum += share * mean;
      squares += share * mean * mean;
      count += share;
    }
  }
  sum /= count;
  return inside / count + std::max(0.0f, squares / count - sum * sum);
}

}  // namespace

void SetMsssimWeights(LatentTile& tile) {
  const int64_t blocks = tile.rows() * tile.columns();
  for (int64_t b = 0; b < blocks; ++b) {
    const int16_t* const c = tile.coefficient[0].data() + b * kChannels;
    for (size_t s = 0; s < kScales; ++s) {
      float sum = 0;
      for (size_t i = 1; i < kChannels; ++i) {
        const float level = static_cast<float>(c[i]) * (1.0f / 16);
        sum += kSeen[s][i] * level * level;
      }
      tile.variance.data()[b * static_cast<int64_t>(kScales) + static_cast<int64_t>(s)] = sum / 64;
    }
  }
  for (int64_t y = 0; y < tile.rows(); ++y) {
    for (int64_t x = 0; x < tile.columns(); ++x) {
      std::array<float, kScales> by_scale;
      for (size_t s = 0; s < kScales; ++s)
        by_scale[s] = kScaleWeight[s] * kUnit / (2 * VarianceAround(tile, y, x, s) + kC2);
      const int64_t at = tile.BlockAt(y, x);
      for (size_t i = 0; i < kChannels; ++i) {
        float cost = 0;
        for (size_t s = 0; s < kScales; ++s) cost += by_scale[s] * kSeen[s][i];
        const float root = std::sqrt(cost), weight = root * std::sqrt(root);
        for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p)
          tile.weight[p].data()[at + static_cast<int64_t>(i)] = p == 0 ? weight : kChroma * weight;
      }
    }
  }
}

}  // namespace godwit::swift
