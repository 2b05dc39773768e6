// codecs/image/swift_band_context.h: the weighted sums behind the contexts of one band of one
// block, all channels at once; docs/format/entropy.md section 4.4.
#pragma once

#include <array>
#include <cstdint>

#include "base/cpu.h"
#include "codecs/image/swift_layout.h"

namespace godwit::swift {

inline constexpr size_t kLanes = 16;  // channels of a band, padded
inline constexpr size_t kMagnitudePairs = 7, kMeanPairs = 4;

// What a block shows at its four borders, by the frequency along the border: 16 x the DCT at the
// first sample.
struct BlockEdges {
  std::array<int16_t, 8> left{}, right{};  // by vertical frequency v
  std::array<int16_t, 8> top{}, bottom{};  // by horizontal frequency u

  static constexpr std::array<int8_t, 8> kEdge = {6, 8, 7, 7, 6, 4, 3, 2};
  void Add(int u, int v, int value) {
    const int x = value < -255 ? -255 : value > 255 ? 255 : value;
    const auto uz = static_cast<size_t>(u), vz = static_cast<size_t>(v);
    const int across = kEdge[uz] * x, down = kEdge[vz] * x;
    left[vz] = static_cast<int16_t>(left[vz] + across);
    right[vz] = static_cast<int16_t>(right[vz] + (u % 2 != 0 ? -across : across));
    top[uz] = static_cast<int16_t>(top[uz] + down);
    bottom[uz] = static_cast<int16_t>(bottom[uz] + (v % 2 != 0 ? -down : down));
  }
};

// Weights of a band's channels as the sums want them: [pair][lane][first, second].
struct BandWeights {
  alignas(64) std::array<std::array<std::array<int16_t, 2>, kLanes>, kMagnitudePairs> magnitude{};
  alignas(64) std::array<std::array<std::array<int16_t, 2>, kLanes>, kMeanPairs> mean{};
  alignas(64) std::array<int32_t, kLanes> bias{};
  std::array<uint8_t, kLanes> previous{};  // of the magnitude just coded, which the sums leave out
};

// Where the sums look. Magnitude pointers are to the band's first position; sixteen bytes are read.
struct BandNeighbours {
  const uint8_t *left, *up, *up_left, *up_right;  // blocks
  const uint8_t *lower,
      *lowest;  // this block, first position of the band before and the one before that
  const uint8_t *luma, *other;  // the same band of planes 0 and 1, or zeros
  int scale;                    // 0..255, what the block's flag expected
  const BlockEdges *here, *west, *north, *east, *south;
  const int16_t* fraction;                    // [lane], mean less its whole steps
  const int16_t *luma_symbol, *other_symbol;  // [lane], clamped to -15..15
};

struct BandSums {
  alignas(64) std::array<int32_t, kLanes> magnitude;  // >= 0
  alignas(64) std::array<int32_t, kLanes> mean;       // 1/16 steps, -4095..4095
};

using BandContextKernel = void (*)(int band, const BandWeights& w, const BandNeighbours& n,
                                   BandSums& out);
BandContextKernel BandContextKernelFor(SimdLevel level);

// The part of a row of flags' sums that does not depend on the row itself: out[x] = bias + the
// weighted features of block x, all but the block to the left. Pointers are to the first block;
// null ones count as zero.
struct FlagRow {
  const uint8_t *same, *lower, *lowest, *luma, *other;
  int64_t pitch, count;
  const uint8_t* weights;  // [kFlagFeatures]
  uint32_t bias;
  uint32_t* out;
};
void SumFlagRow(SimdLevel level, const FlagRow& row);

// Positions, relative to the first of the band before (lower) or two before (lowest), of the
// channels one and two steps down in frequency; kNone if that channel lies in another band.
// [band][feature][lane]: lower (u - 1, v) and (u, v - 1), lowest (u - 1, v - 1), (u - 2, v) and (u,
// v - 2).
inline constexpr uint8_t kNone = 0x80;
inline constexpr std::array<std::array<std::array<uint8_t, kLanes>, 5>, kBands> kInBlock = [] {
  constexpr int kStep[5][2] = {{1, 0}, {0, 1}, {1, 1}, {2, 0}, {0, 2}};
  std::array<std::array<std::array<uint8_t, kLanes>, 5>, kBands> table{};
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t f = 0; f < 5; ++f) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        table[b][f][lane] = kNone;
        const size_t back = f < 2 ? 1 : 2;
        if (lane >= kBandTable[b].size || b < back) continue;
        const int u = (kBandTable[b].channel[lane] >> 3) - kStep[f][0],
                  v = (kBandTable[b].channel[lane] & 7) - kStep[f][1];
        if (u < 0 || v < 0) continue;
        const int position = kPositionOf[static_cast<size_t>(u * 8 + v)],
                  first = kBandFirst[b - back];
        if (position >= first && position < kBandFirst[b - back + 1]) {
          table[b][f][lane] = static_cast<uint8_t>(position - first);
        }
      }
    }
  }
  return table;
}();

}  // namespace godwit::swift
