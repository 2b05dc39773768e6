// codecs/image/swift_layout.h: the fixed shape of swift latents; docs/format/image.md section 2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace godwit::swift {

inline constexpr int kPlanes = 3;        // luma, red-blue, green-magenta; grey has luma alone
inline constexpr int kChannels = 64;     // of a plane's 8x8 block, index u * 8 + v; 0 is DC
inline constexpr int kCell = 32;         // pixels: side of the coarsest patch
inline constexpr int kCellBlocks = 4;    // blocks along a cell's side
inline constexpr int kCoarse = 16;       // coefficients of a cell's 4x4 DC patch, index u * 4 + v
inline constexpr int kBands = 9;         // AC bands of a plane, by u + v
inline constexpr int kLayers = 8;        // 0: coarse DC, 1: coarse AC, 2..7: bands
inline constexpr int kMaxBandSize = 15;  // channels in the largest band

// Smallest and largest u + v of a band.
inline constexpr std::array<std::array<uint8_t, 2>, kBands> kBandRange = {
    {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {8, 9}, {10, 14}}};
inline constexpr std::array<uint8_t, kBands> kLumaLayer = {2, 2, 3, 3, 4, 4, 5, 5, 6};
inline constexpr std::array<uint8_t, kBands> kChromaLayer = {2, 3, 4, 4, 5, 5, 6, 6, 7};

struct Band {
  uint8_t size = 0;
  std::array<uint8_t, kMaxBandSize + 1> channel{};  // coding order: by u + v, then u falling
  uint64_t mask = 0;                                // bit per channel
};

constexpr std::array<Band, kBands> MakeBands() {
  std::array<Band, kBands> bands{};
  for (size_t b = 0; b < kBands; ++b) {
    for (int s = kBandRange[b][0]; s <= kBandRange[b][1]; ++s) {
      for (int u = s < 7 ? s : 7; u >= 0 && s - u <= 7; --u) {
        const int channel = u * 8 + s - u;
        bands[b].channel[bands[b].size++] = static_cast<uint8_t>(channel);
        bands[b].mask |= uint64_t{1} << channel;
      }
    }
  }
  return bands;
}
inline constexpr std::array<Band, kBands> kBandTable = MakeBands();

// Channels in coding order, band after band: a channel's position is 0 for DC, then 1..63.
inline constexpr std::array<uint8_t, kBands + 1> kBandFirst = [] {
  std::array<uint8_t, kBands + 1> first{1};
  for (size_t b = 0; b < kBands; ++b)
    first[b + 1] = static_cast<uint8_t>(first[b] + kBandTable[b].size);
  return first;
}();
inline constexpr std::array<uint8_t, kChannels> kPositionOf = [] {
  std::array<uint8_t, kChannels> position{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t i = 0; i < kBandTable[b].size; ++i) {
      position[kBandTable[b].channel[i]] = static_cast<uint8_t>(kBandFirst[b] + i);
    }
  }
  return position;
}();

constexpr uint8_t LayerOf(int plane, int band) {
  return plane == 0 ? kLumaLayer[static_cast<size_t>(band)]
                    : kChromaLayer[static_cast<size_t>(band)];
}

// Coding order of the 16 coarse coefficients: by u + v, then u falling.
inline constexpr std::array<uint8_t, kCoarse> kCoarseOrder = {0, 4, 1,  8,  5, 2,  12, 9,
                                                              6, 3, 13, 10, 7, 14, 11, 15};

// The step is 2^(index / 32) / 2, index 0..kMaxStepIndex, in 1/64 units of an orthonormal
// coefficient: 32 to 64132.
inline constexpr int kMaxStepIndex = 351;
uint32_t StepFromIndex(int index);

}  // namespace godwit::swift
