#include "codecs/image/swift_msssim_weights.h"

#include <algorithm>
#include <array>

#include "codecs/image/swift_msssim_scales.h"

namespace godwit::swift {
namespace {

constexpr size_t kScales = kMsssimScales;
constexpr float kChroma = 0.25f;

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
        sum += kSeenAtScale[s][i] * level * level;
      }
      tile.variance.data()[b * static_cast<int64_t>(kScales) + static_cast<int64_t>(s)] = sum / 64;
    }
  }
  for (int64_t y = 0; y < tile.rows(); ++y) {
    for (int64_t x = 0; x < tile.columns(); ++x) {
      std::array<float, kScales> variance;
      for (size_t s = 0; s < kScales; ++s) variance[s] = VarianceAround(tile, y, x, s);
      std::array<float, kChannels> weight;
      WeighForMsssim(variance, weight);
      const int64_t at = tile.BlockAt(y, x);
      for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
        for (size_t i = 0; i < kChannels; ++i)
          tile.weight[p].data()[at + static_cast<int64_t>(i)] =
              p == 0 ? weight[i] : kChroma * weight[i];
      }
    }
  }
}

}  // namespace godwit::swift
