// codecs/image/swift_context.h: the `lite` entropy model of swift, written once for both
// directions. docs/format/entropy.md section 4 is the contract. Integers only.
//
// A symbol's context is a weighted sum of magnitudes that are already decoded: the same channel in
// neighbouring blocks, lower bands of the block and of the blocks around it, and the planes before.
// Its sign and mean come from these planes and from the edges of neighbouring blocks: what a block
// looks like at its border should go on across it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "base/per_level.h"
#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_neighbours.h"
#include "entropy/adaptive_bit.h"
#include "entropy/decision_list.h"

namespace godwit::swift {

// Confidence of a predicted sign.
inline int SignLevel(int32_t t) {
  return kSignLevel[static_cast<size_t>(std::min(std::abs(t), kMostSignT))];
}

// Adaptive state of one tile, from the model's trained start for the step.
struct ContextState {
  std::array<AdaptiveBit, ContextParameters::kContexts> bit;
  void Reset(const ContextParameters& p, int step_index) {
    const auto& start = p.start[static_cast<size_t>(ContextParameters::StepRange(step_index))];
    for (size_t i = 0; i < bit.size(); ++i) bit[i].p1 = start[i];
  }
};

// `Probe` sees the features of every decision; the default does nothing and costs nothing.
struct NoProbe {
  static constexpr bool kActive = false;
  static void Cell(int, const int*, bool) {}
  static void Flag(int, const int*, bool) {}
  static void Symbol(int, const int*, const int*, int) {}
  static void CoarseFlag(int, const int*, bool) {}
  static void Coarse(int, const int*, const int*, int) {}
};

// Codes layers of one row of cells. `Coder` is copied in and taken back with coder(): copies live
// in registers. It has
//   bool Bit(bool, int context) and uint32_t Raw(uint32_t, int count): an encoder writes its
//   arguments and returns them, a decoder ignores them and returns what it read;
//   void Pause(): called between blocks;
// and of an encoder void Some(const uint32_t* decisions, int count), Room() and Skip(), as
// DecisionWriter.
// `kDecode` tells whether symbols are outputs. An encoder knows a band's residuals beforehand, so
// it sums up a row of blocks at a time and then writes; a decoder goes block by block.
template <typename Coder, bool kDecode, typename Probe = NoProbe>
class ContextCoder {
 public:
  ContextCoder(const ContextParameters& p, CellRow& row, const Coder& coder, SimdLevel level,
               Probe probe = {})
      : p_(p),
        row_(row),
        coder_(coder),
        level_(level),
        kernels_(BandKernelsFor(level)),
        probe_(probe) {}

  // Layers 0.. must come in order. Layer 2 and up need StartEdges() first.
  void CodeLayer(int layer) { RunPerLevel<&ContextCoder::CodePlanes>(level_, *this, layer); }
  const Coder& coder() const { return coder_; }

 private:
  static void CodePlanes(ContextCoder& c, int layer) {
    for (int p = 0; p < c.row_.planes; ++p) {
      if (layer == 0) {
        c.CodeCoarseDc(p);
      } else if (layer == 1) {
        c.CodeCoarseAc(p);
      } else {
        bool coded = false;
        for (int b = 0; b < kBands; ++b) {
          if (LayerOf(p, b) == layer) coded = c.CodeBand(p, b, coded) || coded;
        }
        c.row_.KeepEdgesBelow(static_cast<size_t>(p), layer, coded);
      }
    }
  }

  // |value| - 1 of a nonzero value: low bits raw where the scale is large, the rest in unary, then
  // Elias gamma.
  static int Magnitude(Coder& coder, int magnitude, int kind, int scale) {
    const int low_bits = std::max((scale >> 1) - 8, 0);  // classes end at 25: at most 4
    const int base = ContextParameters::MagnitudeContext(kind, scale);
    const int rest = kDecode ? 0 : magnitude - 1;
    const int high = rest >> low_bits;
    int unary = 0;
    while (unary < ContextParameters::kUnary &&
           coder.Bit(unary < high, base + std::min(unary, kUnaryContexts - 1)))
      ++unary;
    uint32_t value = static_cast<uint32_t>(unary);
    if (unary == ContextParameters::kUnary) {
      const auto escape = static_cast<uint32_t>(high - ContextParameters::kUnary + 1);  // >= 1
      const int width = kDecode ? 0 : std::bit_width(escape) - 1;
      int w = 0;
      while (w < 15 && coder.Raw(w < width ? 1 : 0, 1) != 0) ++w;
      value = (1u << w) - 1 + ContextParameters::kUnary;
      value += coder.Raw(kDecode ? 0 : escape - (1u << width), w);
    }
    if (low_bits > 0) {
      value = value << low_bits |
              coder.Raw(static_cast<uint32_t>(rest) & ((1u << low_bits) - 1), low_bits);
    }
    return static_cast<int>(std::min<uint32_t>(value, 32766)) + 1;
  }

  // A nonzero value: its sign against the predicted one, then its magnitude.
  static int NonZero(Coder& coder, int value, int kind, int scale, int t) {
    const bool flip = t < 0;
    const bool negative =
        coder.Bit((value < 0) != flip, ContextParameters::SignContext(kind, SignLevel(t))) != flip;
    const int magnitude = Magnitude(coder, std::abs(value), kind, scale);
    return negative ? -magnitude : magnitude;
  }

  void CodeCoarseDc(int plane);
  void CodeCoarseAc(int plane);
  // Whether any block has the band; `coded` tells whether one had one of this layer before.
  bool CodeBand(int plane, int band, bool coded);
  void EncodeCells(Coder& coder, int plane, int band);
  void DecodeCells(Coder& coder, int plane, int band);
  void EncodeRow(Coder& coder, int plane, int band, int64_t y, int64_t first, int64_t end);
  void EncodeBlock(Coder& coder, size_t k, int size, int kind);
  void DecodeRow(Coder& coder, int plane, int band, int64_t y, int64_t first, int64_t end);
  void ProbeFlag(const FlagRow& row, int64_t x, int left, size_t group, bool value);
  void ProbeSymbol(int plane, int band, size_t i, bool seen, const BandNeighbours& n, int t,
                   int value);

  const ContextParameters& p_;
  CellRow& row_;
  Coder coder_;
  SimdLevel level_;
  const BandKernels& kernels_;
  Probe probe_;
};

// What may come between two calls of Pause(), in decisions: the flags of a row of blocks or cells,
// the blocks that are decided at once, or one block or cell, whose values take at most their zero
// bit and sign, 14 in unary, 16 of a gamma code and the low bits.
inline constexpr int64_t kBlocksAtOnce = 12, kMostOfValue = 33;
inline constexpr int64_t DecisionsBetweenPauses(int64_t cells_w) {
  return std::max(
      {cells_w * kCellBlocks, kBlocksAtOnce * kMostDecided, kMostOfValue * (kMaxBandSize + 1)});
}
static_assert(kDecidedSlack <= DecisionWriter::kSlack);

inline int8_t LimitResidual(int v) { return static_cast<int8_t>(std::clamp(v, -127, 127)); }

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCoarseDc(int plane) {
  Coder coder = coder_;
  const auto pz = static_cast<size_t>(plane);
  constexpr int kind = ContextParameters::kCoarseDcKind;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    coder.Pause();
    const int64_t at = row_.BorderedCell(x) * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    const CoarseDcContext context = CoarseDcContextOf(row_, p_, plane, x);
    const int mean = context.mean, scale = ScaleClass(context.scale.sum);
    int value = kDecode ? 0 : std::clamp(q[0] - mean, -32767, 32767);
    if constexpr (Probe::kActive) {
      const int no_mean[kCoarseMeanFeatures] = {};
      probe_.Coarse(plane * kCoarse, context.scale.features.data(), no_mean, value);
    }
    if (coder.Bit(value != 0, ContextParameters::ZeroContext(kind, scale)))
      value = NonZero(coder, value, kind, scale, 0);
    q[0] = static_cast<int16_t>(std::clamp(value + mean, -32767, 32767));
    row_.coarse_residual[pz].data()[at] = LimitResidual(value);
  }
  coder_ = coder;
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCoarseAc(int plane) {
  Coder coder = coder_;
  const auto pz = static_cast<size_t>(plane);
  const int kind =
      plane == 0 ? ContextParameters::kCoarseLumaKind : ContextParameters::kCoarseChromaKind;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    coder.Pause();
    const int64_t cell = row_.BorderedCell(x), at = cell * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    int8_t* const r = row_.coarse_residual[pz].data() + at;
    uint8_t* const activity = row_.coarse_activity[pz].data() + cell;
    const auto flag = CoarseFlagOf(row_, p_, plane, x);
    bool any = !kDecode && std::any_of(q + 1, q + kCoarse, [](int16_t v) { return v != 0; });
    if constexpr (Probe::kActive) probe_.CoarseFlag(plane, flag.features.data(), any);
    any = coder.Bit(any, ContextParameters::CoarseFlagContext(plane, ScaleClass(flag.sum)));
    if (!any) continue;
    const CoarseNeighbours n = CoarseNeighboursOf(row_, plane, x);
    CoarseContexts contexts;
    SumCoarse(level_, p_.coarse[pz], n, contexts);
    int total = 0, state = 1;
    for (size_t i = 1; i < kCoarse; ++i) {
      const size_t c = kCoarseOrder[i];
      const int t = contexts.mean[c], scale = contexts.scale_class[c];
      int value = kDecode ? 0 : q[c];
      if constexpr (Probe::kActive) {
        const auto size = [c](const int8_t* p) { return p != nullptr ? std::abs(int{p[c]}) : 0; };
        const int features[kCoarseFeatures] = {
            size(n.left), size(n.up),    size(n.up_left) + size(n.up_right),
            size(n.luma), size(n.other), std::abs(t) >> 4};
        const int mean_features[kCoarseMeanFeatures] = {n.slope_x, n.slope_y, n.left_symbol[c],
                                                        n.up_symbol[c]};
        probe_.Coarse(plane * kCoarse + static_cast<int>(c) + (state == 0 ? 256 : 0), features,
                      mean_features, value);
      }
      // The flag promised something: the last of a so far empty cell cannot be zero.
      const bool implied = state != 0 && i == kCoarse - 1;
      if (!implied && !coder.Bit(value != 0, ContextParameters::ZeroContext(kind, scale) + state))
        continue;
      state = 0;
      value = NonZero(coder, value, kind, scale, t);
      q[c] = static_cast<int16_t>(value);
      r[c] = LimitResidual(value);
      total += std::abs(int{r[c]});
    }
    *activity = static_cast<uint8_t>(std::min(total, 255));
  }
  coder_ = coder;
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeCells(Coder& coder, int plane, int band) {
  const uint64_t mask = kBandTable[static_cast<size_t>(band)].mask;
  const uint64_t* const nonzero = row_.cell_nonzero[static_cast<size_t>(plane)].data();
  uint8_t* const flags = row_.cell_flag.data() + 1;
  for (int64_t x = 0; x < row_.cells_w; ++x) flags[x] = (nonzero[x] & mask) != 0 ? kFlagSet : 0;
  const int group = plane * kBands + band;
  const CellFlagRow r = CellFlagRowOf(row_, p_, plane, band, row_.flag_sum.data());
  SumCellFlagRow(level_, r);
  for (int64_t x = 0; Probe::kActive && x < r.count; ++x) {
    const auto at = [x](const uint8_t* a) { return a != nullptr ? a[x] : 0; };
    const int features[kCellFeatures] = {
        flags[x - 1], r.same[x - r.pitch], r.same[x - r.pitch - 1] + r.same[x - r.pitch + 1],
        at(r.lower),  at(r.luma),          at(r.other)};
    probe_.Cell(group, features, flags[x] != 0);
  }
  uint32_t* const decisions = row_.flag_decision.data();
  DecideFlags(level_, {flags, r.count, r.weights[0],
                       static_cast<uint32_t>(ContextParameters::CellContext(group, 0)),
                       ContextParameters::kCellClasses - 1, r.sum, decisions});
  for (int64_t x = 0; x < r.count; x += Coder::kBlock)
    coder.Some(decisions + x, static_cast<int>(std::min<int64_t>(Coder::kBlock, r.count - x)));
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::DecodeCells(Coder& coder, int plane, int band) {
  uint8_t* const flags = row_.cell_flag.data() + 1;
  const CellFlagRow r = CellFlagRowOf(row_, p_, plane, band, row_.flag_sum.data());
  SumCellFlagRow(level_, r);
  uint32_t* const choices = row_.flag_decision.data();
  ChooseFlags(level_,
              {r.count, r.weights[0],
               static_cast<uint32_t>(ContextParameters::CellContext(plane * kBands + band, 0)),
               ContextParameters::kCellClasses - 1, r.sum, choices});
  int left = 0;
  for (int64_t x = 0; x < r.count; ++x) {
    left = coder.Bit(false, static_cast<int>(choices[x] >> (16 * left) & 0xffff));
    flags[x] = static_cast<uint8_t>(left * kFlagSet);
  }
}

template <typename Coder, bool kDecode, typename Probe>
bool ContextCoder<Coder, kDecode, Probe>::CodeBand(int plane, int band, bool coded) {
  Coder coder = coder_;
  coder.Pause();
  if constexpr (kDecode) {
    DecodeCells(coder, plane, band);
  } else {
    EncodeCells(coder, plane, band);
  }
  const auto [first, end] = FlaggedCells(row_);
  if (first < end && !coded) row_.TakeEdgesAbove(static_cast<size_t>(plane), LayerOf(plane, band));
  for (int64_t y = 0; first < end && y < kCellBlocks; ++y) {
    coder.Pause();
    if constexpr (kDecode) {
      DecodeRow(coder, plane, band, y, first, end);
    } else {
      EncodeRow(coder, plane, band, y, first, end);
    }
  }
  coder_ = coder;
  return first < end;
}

// Row y of the cells [first, end): the flags of the cells that have something, then the blocks that
// have.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeRow(Coder& coder, int plane, int band, int64_t y,
                                                    int64_t first, int64_t end) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const int size = kBandTable[bz].size, kind = ContextParameters::KindOf(plane, band);
  const int64_t begin_x = first * kCellBlocks, end_x = end * kCellBlocks;
  uint8_t* const flags = row_.flag.data() + 1;
  const uint64_t* const nonzero = row_.nonzero[pz].data() + y * row_.blocks_w();
  const uint64_t mask = kBandTable[bz].mask;
  uint16_t* const flagged = row_.flagged.data();
  size_t count = 0;
  flags[begin_x - 1] = 0;
  for (int64_t x = begin_x; x < end_x; ++x) {  // no branch: flags are hard to foresee
    const bool set = (nonzero[x] & mask) != 0;
    flags[x] = set ? kFlagSet : 0;
    flagged[count] = static_cast<uint16_t>(x);
    count += set;
  }
  const FlagRow flag_row = FlagRowOf(row_, p_, plane, band, y, first, end);
  SumFlagRow(level_, flag_row);
  if constexpr (Probe::kActive) {
    for (int64_t x = begin_x; x < end_x; ++x) {
      if (row_.cell_flag.data()[x / kCellBlocks + 1] != 0)
        ProbeFlag(flag_row, x - begin_x, flags[x - 1], gz, flags[x] != 0);
    }
  }
  uint32_t* const decisions = row_.flag_decision.data();
  DecideFlags(level_,
              {flags + begin_x, end_x - begin_x, flag_row.weights[0],
               static_cast<uint32_t>(ContextParameters::FlagContext(static_cast<int>(gz), 0)),
               ContextParameters::kFlagClasses - 1, flag_row.sum, decisions});
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  for (int64_t cell = first; cell < end; ++cell) {
    const bool in = row_.cell_flag.data()[cell + 1] != 0;
    coder.Some(decisions + (cell - first) * kCellBlocks, in ? kCellBlocks : 0);
    uint32_t four;
    std::memcpy(&four, flags + cell * kCellBlocks, sizeof four);
    counts[cell] = static_cast<uint8_t>(counts[cell] + std::popcount(four));
  }
  // What each block's channels are, then their contexts: each block's edges are those of the next.
  uint8_t* const sums = row_.band_sum[gz].data() + row_.Bordered(y, 0);
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    const GatheredBand gathered = kernels_.gather(
        band, row_.Symbols(pz, y, x), row_.values.data() + k * kLanes,
        row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz]);
    row_.value_lanes.data()[k] = gathered.nonzero;
    sums[x] = static_cast<uint8_t>(std::min<int>(gathered.sum, 255));
  }
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    const BandNeighbours n = BandNeighboursOf(row_, plane, band, y, x, row_.flag_sum.data()[x]);
    BandContexts& contexts = row_.contexts.data()[k];
    kernels_.contexts(band, p_.band[gz], n, contexts);
    const int16_t* const values = row_.values.data() + k * kLanes;
    if constexpr (Probe::kActive) {
      const int start = std::countr_zero(row_.value_lanes.data()[k]);
      for (int i = 0; i < size; ++i) {
        const auto iz = static_cast<size_t>(i);
        ProbeSymbol(plane, band, iz, i > start, n, contexts.mean[iz], values[i]);
      }
    }
    row_.edges[pz].data()[row_.Bordered(y, x)].AddLanes(kBandTable[bz], row_.value_lanes.data()[k],
                                                        values);
  }
  const KindDecisions decisions_of = {
      2 * static_cast<uint32_t>(ContextParameters::ZeroContext(kind, 0)),
      2 * static_cast<uint32_t>(ContextParameters::SignContext(kind, 0)),
      2 * static_cast<uint32_t>(ContextParameters::MagnitudeContext(kind, 0))};
  for (size_t k = 0; k < count;) {
    coder.Pause();
    const size_t most = std::min<size_t>(count - k, kBlocksAtOnce);
    const DecidedBlocks done =
        kernels_.decide_blocks(row_.contexts.data() + k, row_.values.data() + k * kLanes,
                               row_.value_lanes.data() + k, most, size, decisions_of, coder.Room());
    coder.Skip(done.decisions);
    k += done.blocks;
    if (done.blocks == most) continue;
    coder.Pause();  // the next is too large for that
    EncodeBlock(coder, k++, size, kind);
  }
}

// Of the k-th block that has the band.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeBlock(Coder& coder, size_t k, int size, int kind) {
  const BandContexts& contexts = row_.contexts.data()[k];
  const int16_t* const values = row_.values.data() + k * kLanes;
  uint32_t lanes = row_.value_lanes.data()[k];
  std::array<uint32_t, 2 * kLanes> zero_bits{};  // copied by whole blocks from any lane
  kernels_.decide(contexts, lanes, size,
                  static_cast<uint32_t>(ContextParameters::ZeroContext(kind, 0)), zero_bits.data());
  // The flag promised something: the last of a so far empty band cannot be zero.
  const bool implied = lanes >> (size - 1) == 1 && (lanes & (lanes - 1)) == 0;
  for (int done = 0;;) {
    const int lane = lanes != 0 ? std::countr_zero(lanes) : size - 1;
    coder.Some(zero_bits.data() + done, lane + 1 - done - (implied ? 1 : 0));
    if (lanes == 0) break;
    const auto lz = static_cast<size_t>(lane);
    NonZero(coder, values[lane], kind, contexts.scale_class[lz], contexts.mean[lz]);
    lanes &= lanes - 1;
    done = lane + 1;
    if (done == size) break;
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::DecodeRow(Coder& from, int plane, int band, int64_t y,
                                                    int64_t first, int64_t end) {
  Coder coder = from;
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const Band& table = kBandTable[bz];
  const int size = table.size, kind = ContextParameters::KindOf(plane, band);
  const FlagRow flag_row = FlagRowOf(row_, p_, plane, band, y, first, end);
  SumFlagRow(level_, flag_row);
  // Both contexts that a flag may have are known before the flag to its left.
  uint32_t* const choices = row_.flag_decision.data();
  ChooseFlags(level_,
              {flag_row.count, flag_row.weights[0],
               static_cast<uint32_t>(ContextParameters::FlagContext(static_cast<int>(gz), 0)),
               ContextParameters::kFlagClasses - 1, flag_row.sum, choices});
  uint32_t* const flag_sum = row_.flag_sum.data();
  uint16_t* const flagged = row_.flagged.data();
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  const uint32_t left_sum = uint32_t{flag_row.weights[0]} * kFlagSet;
  size_t count = 0;
  uint32_t left = 0;
  for (int64_t cell = first; cell < end; ++cell) {
    if (row_.cell_flag.data()[cell + 1] == 0) {
      left = 0;
      continue;
    }
    const size_t before = count;
    for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
      flag_sum[x] += left * left_sum;
      const uint32_t choice = choices[x - first * kCellBlocks] >> (16 * left);
      left = coder.Bit(false, static_cast<int>(choice & 0xffff));
      flagged[count] = static_cast<uint16_t>(x);
      count += left;
    }
    counts[cell] = static_cast<uint8_t>(counts[cell] + (count - before));
  }
  uint8_t* const sums = row_.band_sum[gz].data() + row_.Bordered(y, 0);
  const int zero = ContextParameters::ZeroContext(kind, 0);
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    BandContexts contexts;
    kernels_.contexts(band, p_.band[gz], BandNeighboursOf(row_, plane, band, y, x, flag_sum[x]),
                      contexts);
    int16_t* const symbols = row_.Symbols(pz, y, x);
    int8_t* const residual =
        row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz];
    BlockEdges& edges = row_.edges[pz].data()[row_.Bordered(y, x)];
    // Contexts of all lanes in state 0.
    std::array<uint16_t, kLanes> zeros;
    for (size_t i = 0; i < kLanes; ++i)
      zeros[i] = static_cast<uint16_t>(
          zero + std::min<int>(contexts.scale_class[i], kZeroClasses - 1) * kZeroStates);
    int total = 0, i = 0;
    // The flag promised something: the last of a so far empty band is nonzero.
    while (i < size - 1 &&
           !coder.Bit(false, zeros[static_cast<size_t>(i)] + (i == size - 2 ? 2 : 1)))
      ++i;
    do {
      const auto iz = static_cast<size_t>(i);
      const int value = NonZero(coder, 0, kind, contexts.scale_class[iz], contexts.mean[iz]);
      const int c = table.channel[iz];
      symbols[c] = static_cast<int16_t>(value);
      residual[i] = LimitResidual(value);
      total += std::abs(int{residual[i]});
      edges.Add(c, value);
      ++i;
      while (i < size && !coder.Bit(false, zeros[static_cast<size_t>(i)])) ++i;
    } while (i < size);
    sums[x] = static_cast<uint8_t>(std::min(total, 255));
  }
  from = coder;
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeFlag(const FlagRow& r, int64_t x, int left,
                                                    size_t group, bool value) {
  const auto at = [x](const uint8_t* a) { return a != nullptr ? a[x] : 0; };
  const auto around = [&](const uint8_t* a) {
    return a != nullptr ? a[x - 1] + a[x + 1] + a[x - r.pitch] + a[x + r.below] : 0;
  };
  const int features[kFlagFeatures] = {
      left,
      r.same[x - r.pitch],
      r.same[x - r.pitch - 1] + r.same[x - r.pitch + 1],
      at(r.lower),
      around(r.lower),
      r.activity != nullptr ? r.activity[x / kCellBlocks] : at(r.lowest),
      around(r.lowest),
      at(r.luma),
      around(r.luma),
      at(r.other)};
  probe_.Flag(static_cast<int>(group), features, value);
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeSymbol(int plane, int band, size_t i, bool seen,
                                                      const BandNeighbours& n, int t, int value) {
  const auto bz = static_cast<size_t>(band);
  const int c = kBandTable[bz].channel[i];
  const auto u = static_cast<size_t>(c >> 3), v = static_cast<size_t>(c & 7);
  const auto in_block = [&](size_t feature) {
    const uint8_t position = kInBlock[bz][feature][i];
    return position == kNone ? 0 : std::abs(int{n.block[position]});
  };
  const auto size = [i](const int8_t* p) { return p != nullptr ? std::abs(int{p[i]}) : 0; };
  const auto small = [i](const int8_t* p) {
    return p != nullptr ? std::clamp<int>(p[i], -15, 15) : 0;
  };
  const int mean[kMeanFeatures] = {n.west->right[v] - n.here->left[v],
                                   n.north->bottom[u] - n.here->top[u],
                                   n.east->left[v] - n.here->right[v],
                                   n.south != nullptr ? n.south->top[u] - n.here->bottom[u] : 0,
                                   small(n.luma),
                                   small(n.other)};
  const int features[kSymbolFeatures] = {
      size(n.left), size(n.up),    size(n.up_left) + size(n.up_right), in_block(0),
      in_block(1),  in_block(2),   in_block(3) + in_block(4),          n.scale,
      size(n.luma), size(n.other), std::min(std::abs(t) >> 2, 127)};
  probe_.Symbol((plane * kChannels + c) | (seen ? 256 : 0), features, mean, value);
}

}  // namespace godwit::swift
