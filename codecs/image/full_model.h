// codecs/image/full_model.h: the weights of an entropy model (`mid` or `full`) for the streams of
// one stream model; docs/format/entropy.md section 6 lists the tensors.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "codecs/image/full_mixer.h"
#include "codecs/image/full_network.h"
#include "codecs/image/swift_layout.h"
#include "models/safetensors.h"

namespace godwit::swift {

// Bands of a plane that have networks; finer ones of chroma are too rare.
constexpr int FullBands(int plane) { return plane == 0 ? kBands : 4; }
// How many bands of plane `other` are coded before this band.
constexpr int BandsBefore(int other, int plane, int band) {
  int count = 0;
  for (int b = 0; b < kBands; ++b) {
    const int there = LayerOf(other, b), here = LayerOf(plane, band);
    count += there < here || (there == here && other < plane);
  }
  return count;
}

// Inputs of a band's networks.
struct FullBandShape {
  constexpr FullBandShape(int plane, int band)
      : values(kBandTable[static_cast<size_t>(band)].size),
        common(5 * Before(band) + 3 * values + 8),
        even(3 * values + 3 + (plane > 0 ? 8 : 0)),
        odd(32 + plane * values),
        cell_even(4 + 4 * band + 6 + 2) {
    for (int other = 0; other < kPlanes; ++other) {
      if (other == plane) continue;
      even += Before(BandsBefore(other, plane, band));
      cell_even += BandsBefore(other, plane, band);
    }
  }
  static constexpr int Before(int band) { return kBandFirst[static_cast<size_t>(band)] - 1; }
  int values, common, even, odd, cell_even;
};

struct FullModel {
  std::array<uint8_t, 256> level;                   // of a magnitude, at most 127; level[0] is 0
  std::array<FullNetwork, kFullGroups> values;      // as FullState's groups
  std::array<FullNetwork, kPlanes * kBands> cells;  // by plane * 9 + band
  FullState start;
  uint64_t id = 0, stream_id = 0;

  int Level(int value) const {
    const int size = level[static_cast<size_t>(std::min(value < 0 ? -value : value, 255))];
    return value < 0 ? -size : size;
  }
  // kModelRefused names what is amiss.
  static Result<std::unique_ptr<FullModel>> Load(const SafeTensors& file, uint64_t id);
};

}  // namespace godwit::swift
