// codecs/image/swift_band_context.h: the weighted sums behind the contexts of one band of one
// block, all its channels at once; docs/format/entropy.md section 4.4.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/cpu.h"
#include "codecs/image/swift_layout.h"

namespace godwit::swift {

inline constexpr size_t kLanes = 16;  // channels of a band, padded
inline constexpr int kClasses = 26;
inline constexpr int kZeroClasses = 20, kZeroStates = 3;  // of the decision whether a value is 0
// Of the decisions on magnitudes: the largest classes, and places in unary that differ.
inline constexpr int kMagnitudeClasses = 20, kUnaryContexts = 6;

// What a block shows at its four borders, by the frequency along the border: 16 x the DCT at the
// first sample, in steps. 16-bit sums wrap.
struct alignas(64) BlockEdges {
  std::array<int16_t, 8> left{}, top{}, right{}, bottom{};  // by v, by u, by v, by u

  typedef int16_t Eight __attribute__((vector_size(16)));
  typedef int16_t All __attribute__((vector_size(64)));
  // Of a block of nothing but DC.
  void SetDc(int16_t v) {
    const Eight side = {v};
    for (size_t i = 0; i < 4; ++i) std::memcpy(reinterpret_cast<char*>(this) + 16 * i, &side, 16);
  }
  // A value at channel u * 8 + v adds value * kPattern[channel].
  static const std::array<BlockEdges, kChannels> kPattern;
  void Add(int channel, int value) {
    // Vectors by hand: the compiler leaves this loop scalar.
    const auto x = static_cast<int16_t>(value < -255 ? -255 : value > 255 ? 255 : value);
    All to, pattern;
    std::memcpy(&to, this, sizeof to);
    std::memcpy(&pattern, &kPattern[static_cast<size_t>(channel)], sizeof pattern);
    to += pattern * x;
    std::memcpy(static_cast<void*>(this), &to, sizeof to);
  }
  // The lanes of a band, at least one; values are zero beyond the band.
  void AddLanes(const Band& band, uint32_t lanes, const int16_t* values) {
    All to;
    std::memcpy(&to, this, sizeof to);
    const auto add = [&](uint32_t lane) __attribute__((always_inline)) {
      const int v = values[lane];
      All pattern;
      std::memcpy(&pattern, &kPattern[band.channel[lane]], sizeof pattern);
      const auto x = static_cast<int16_t>(v < -255 ? -255 : v > 255 ? 255 : v);
      to += pattern * x;
    };
    // Two at once, the second maybe nothing: one branch less to mispredict.
    add(static_cast<uint32_t>(std::countr_zero(lanes)));
    lanes &= lanes - 1;
    add(static_cast<uint32_t>(std::countr_zero(lanes | 1u << 15)));
    for (lanes &= lanes - 1; lanes != 0; lanes &= lanes - 1)
      add(static_cast<uint32_t>(std::countr_zero(lanes)));
    std::memcpy(static_cast<void*>(this), &to, sizeof to);
  }
};
inline constexpr std::array<int16_t, 8> kEdge = {6, 8, 7, 7, 6, 4, 3, 2};

// Features of a channel's magnitude, in this order; all are 0..127.
enum MagnitudeFeature : size_t {
  kLeft,    // the channel in the block to the left
  kUp,      // above
  kUpLeft,  // these two share a weight
  kUpRight,
  kLower0,   // this block: (u - 1, v) in the band before
  kLower1,   // (u, v - 1) in the band before
  kLowest0,  // (u - 1, v - 1), two bands before
  kLowest1,  // (u - 2, v); shares a weight with
  kLowest2,  // (u, v - 2)
  kLuma,     // the channel in plane 0
  kOther,    // and in plane 1
  kMean,     // |t| / 4
  kScale,    // what the block's flag expected
  kMagnitudeSlots
};

// Weights of a band's channels, lane by lane.
struct BandWeights {
  alignas(64) std::array<std::array<uint8_t, kLanes>, kMagnitudeSlots> magnitude{};  // 0..127
  alignas(64) std::array<int32_t, kLanes> bias{};                                    // 0..32767
  // West, north, east, south; luma, other symbol. -4095..4095.
  alignas(64) std::array<std::array<int16_t, kLanes>, 6> mean{};
  // The same in the order in which kernels read them.
  alignas(64) std::array<std::array<std::array<uint8_t, 4>, kLanes>, 4> quads{};
  alignas(64) std::array<std::array<std::array<int16_t, 2>, kLanes>, 3> mean_pairs{};
  void Pack();
};

// Where the sums look. Residuals are signed bytes by position; sixteen are read from the band's
// first on, or where they lie in the block itself, all 64.
struct BandNeighbours {
  const int8_t* block;                                   // this block's first position
  const int8_t *left, *up, *up_left, *up_right;          // neighbours' first position
  const int8_t *luma, *other;                            // planes 0 and 1 here, or null
  const BlockEdges *here, *west, *north, *east, *south;  // no south in the last row of a cell: null
  int scale;                                             // 0..127, what the block's flag expected
};

struct BandContexts {
  alignas(64) std::array<uint8_t, kLanes> scale_class;  // 0..25
  alignas(64) std::array<int16_t, kLanes> mean;         // t, 1/16 steps, -4095..4095
};

struct GatheredBand {
  uint16_t nonzero = 0;  // a bit per lane
  uint16_t sum = 0;      // of the bytes' magnitudes
};

// Where the contexts of a kind of values begin, twice: a decision is twice its context and the bit.
struct KindDecisions {
  uint32_t zero, sign, magnitude;
};
// What signs expect, by |t| in 1/16 steps.
inline constexpr int kMostSignT = 24;
inline constexpr std::array<uint16_t, 32> kSignLevel = {
    0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5};

struct DecidedBlocks {
  size_t blocks, decisions;
};

struct BandKernels {
  void (*contexts)(int band, const BandWeights& w, const BandNeighbours& n, BandContexts& out);
  // A band's symbols from a block's 64: values by lane, zeros after the last, and the same limited
  // to -127..127 at `bytes`, sixteen of them.
  GatheredBand (*gather)(int band, const int16_t* symbols, int16_t* values, int8_t* bytes);
  // An encoder's decisions whether each lane is nonzero: 2 * (base + 3 * class + state) + bit,
  // where the class is at most 19 and the state 1 up to the first nonzero lane, but 2 for the last
  // lane but one, and 0 after.
  void (*decide)(const BandContexts& contexts, uint32_t nonzero, int size, uint32_t base,
                 uint32_t out[kLanes]);
  // All decisions of the first of `count` such blocks, signs and magnitudes too, up to a block with
  // a value or class too large for it. Values are by kLanes a block; `out` must hold kMostDecided
  // for each block and kDecidedSlack more.
  DecidedBlocks (*decide_blocks)(const BandContexts* contexts, const int16_t* values,
                                 const uint16_t* nonzero, size_t count, int size,
                                 const KindDecisions& kind, uint32_t* out);
};
inline constexpr int64_t kMostDecided = 4 * kLanes, kDecidedSlack = 16;
// Larger values have more decisions, larger classes low bits.
inline constexpr int kMostDecidedValue = 2, kMostDecidedClass = 17;
const BandKernels& BandKernelsFor(SimdLevel level);
namespace band_context_internal {
GatheredBand GatherScalar(int band, const int16_t* symbols, int16_t* values, int8_t* bytes);
void DecideScalar(const BandContexts& contexts, uint32_t nonzero, int size, uint32_t base,
                  uint32_t out[kLanes]);
DecidedBlocks DecideBlocksScalar(const BandContexts* contexts, const int16_t* values,
                                 const uint16_t* nonzero, size_t count, int size,
                                 const KindDecisions& kind, uint32_t* out);
extern const BandKernels kScalarBandKernels;
#if defined(__x86_64__)
void DecideAvx512(const BandContexts& contexts, uint32_t nonzero, int size, uint32_t base,
                  uint32_t out[kLanes]);
DecidedBlocks DecideBlocksAvx512(const BandContexts* contexts, const int16_t* values,
                                 const uint16_t* nonzero, size_t count, int size,
                                 const KindDecisions& kind, uint32_t* out);
extern const BandKernels kAvx2BandKernels, kAvx512BandKernels;
#endif
}  // namespace band_context_internal

// Class of a weighted sum below 2^25, 64 of which stand for an expected magnitude of 1. Two classes
// an octave: 0, 1, 2, 3, 4-5, 6-7, 8-11, ... in units of 2.
inline int ScaleClass(uint32_t sum) {
  const uint32_t t = sum >> 1;
  if (t < 2) return static_cast<int>(t);
  const int top = std::bit_width(t) - 1;
  return std::min(2 * top + static_cast<int>(t >> (top - 1) & 1), kClasses - 1);
}
// The same for loops that become vectors: a float's exponent is the place of its top bit, and its
// first fraction bit the next. The conversion is exact.
inline int VectorScaleClass(uint32_t sum) {
  const auto t = static_cast<int32_t>(sum >> 1);
  const int32_t scale = (std::bit_cast<int32_t>(static_cast<float>(t)) >> 22) - 254;
  return std::min(std::max(scale, std::min(t, 1)), kClasses - 1);
}

// What a flag that is set counts as, where it stands for the sum of its block or cell.
inline constexpr uint8_t kFlagSet = 8;

// Sums of a row of flags of blocks: sum[x] = bias + the weighted features of block x, but for the
// flag to its left, which only an encoder knows beforehand. Pointers are to the first block; null
// ones count as zero. `below` is the way to the row below, or 0 where that row is not coded yet and
// the row itself stands for it.
struct FlagRow {
  const uint8_t *same, *lower, *lowest, *luma, *other;
  const uint8_t* activity;  // of the cell that a block is in, in the place of `lowest`, or null
  int64_t pitch, below, count;
  const uint8_t* weights;  // [kFlagFeatures]
  uint32_t bias;
  uint32_t* sum;
};
void SumFlagRow(SimdLevel level, const FlagRow& row);
// The same of flags of cells.
struct CellFlagRow {
  const uint8_t *same, *lower, *luma, *other;
  int64_t pitch, count;
  const uint8_t* weights;  // [kCellFeatures]
  uint32_t bias;
  uint32_t* sum;
};
void SumCellFlagRow(SimdLevel level, const CellFlagRow& row);
// An encoder's decisions: out[x] = 2 * (base + class of sum[x] with the flag to the left, at most
// last)
// + 1 if flags[x]. Flags are 0 or kFlagSet; flags[-1] is read. The sums become whole.
struct FlagDecisionRow {
  const uint8_t* flags;
  int64_t count;
  uint32_t left_weight, base, last;
  uint32_t* sum;
  uint32_t* out;
};
void DecideFlags(SimdLevel level, const FlagDecisionRow& row);
// What a decoder knows beforehand: out[x] = base + class of sum[x], at most last, and in the upper
// half the same for sum[x] + left_weight * kFlagSet, should the flag to the left be set.
struct FlagChoiceRow {
  int64_t count;
  uint32_t left_weight, base, last;
  const uint32_t* sum;
  uint32_t* out;
};
void ChooseFlags(SimdLevel level, const FlagChoiceRow& row);

// Positions of the channels one and two steps down in frequency, by feature kLower0 on; kNone if
// that channel lies in another band. [band][feature][lane]
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
          table[b][f][lane] = static_cast<uint8_t>(position);
        }
      }
    }
  }
  return table;
}();

}  // namespace godwit::swift
