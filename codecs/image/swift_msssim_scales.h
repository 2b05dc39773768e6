// codecs/image/swift_msssim_scales.h: how MS-SSIM sees the coefficients of a block.
//
// MS-SSIM (Wang, Simoncelli, Bovik 2003, on luma) multiplies over scales s what the means of
// 1 - E / (2 V + C2) are to the power w_s, for an error of local energy E where the picture's local
// variance is V, both as that scale shows them. So an error counts by the scales that show its
// frequency, and less where much goes on. Weights are the 3/4 power of that: the whole of it gives
// no more MS-SSIM a bit and twice the loss of PSNR.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

#include "codecs/image/swift_layout.h"

namespace godwit::swift {

inline constexpr size_t kMsssimScales = 4;  // those that blocks show; the fifth is that of DC
inline constexpr std::array<float, kMsssimScales> kMsssimPower = {0.0448f, 0.2856f, 0.3001f,
                                                                  0.2363f};
inline constexpr float kMsssimC2 = 58.5225f;  // (0.03 * 255)^2
// Of a picture with a variance of 400 at all five scales, over the least of errors: so that a step
// gives about the rate that it has without weights at 1 bit/pixel.
inline constexpr float kMsssimUnit = 2.52f * (800 + kMsssimC2);

// cos(k pi / 16)^2.
inline constexpr std::array<float, 9> kCosSquared = {
    1, 0.96193977f, 0.85355339f, 0.69134172f, 0.5f, 0.30865828f, 0.14644661f, 0.03806023f, 0};

// What is left of a frequency's energy at a scale: each halving takes the means of pairs.
constexpr float LeftAtScale(size_t frequency, size_t scale) {
  float left = 1;
  for (size_t j = 0; j < scale; ++j) {
    const size_t k = (frequency << j) % 16;
    left *= kCosSquared[k <= 8 ? k : 16 - k];
  }
  return left;
}
// Of a coefficient of the block.
inline constexpr auto kSeenAtScale = [] {
  std::array<std::array<float, kChannels>, kMsssimScales> seen{};
  for (size_t s = 0; s < kMsssimScales; ++s) {
    for (size_t c = 0; c < kChannels; ++c)
      seen[s][c] = LeftAtScale(c / 8, s) * LeftAtScale(c % 8, s);
  }
  return seen;
}();

// What an error counts in each coefficient, by the local variance that each scale shows.
inline void WeighForMsssim(const std::array<float, kMsssimScales>& variance,
                           std::array<float, kChannels>& weight) {
  std::array<float, kMsssimScales> by_scale;
  for (size_t s = 0; s < kMsssimScales; ++s)
    by_scale[s] = kMsssimPower[s] * kMsssimUnit / (2 * variance[s] + kMsssimC2);
  for (size_t i = 0; i < kChannels; ++i) {
    float cost = 0;
    for (size_t s = 0; s < kMsssimScales; ++s) cost += by_scale[s] * kSeenAtScale[s][i];
    const float root = std::sqrt(cost);
    weight[i] = root * std::sqrt(root);
  }
}

}  // namespace godwit::swift
