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
#include "entropy/adaptive_bit.h"

namespace godwit::swift {

// Confidence of a predicted sign, by |t| in 1/16 steps. Not inside the function: there the compiler
// would write it to the stack at each call.
inline constexpr std::array<uint8_t, 25> kSignLevel = {0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4,
                                                       4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5};
inline int SignLevel(int32_t t) {
  return kSignLevel[static_cast<size_t>(std::min(std::abs(t), 24))];
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
// and of an encoder void Some(const uint32_t* decisions, int count), as DecisionWriter.
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
           coder.Bit(unary < high, base + std::min(unary, ContextParameters::kUnaryContexts - 1)))
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
  CellFlagRow MakeCellFlagRow(int plane, int band) const;
  void EncodeRow(Coder& coder, int plane, int band, int64_t y, int64_t first, int64_t end);
  void DecodeRow(Coder& coder, int plane, int band, int64_t y, int64_t first, int64_t end);
  FlagRow MakeFlagRow(int plane, int band, int64_t y, int64_t first, int64_t end) const;
  BandNeighbours Neighbours(int plane, int band, int64_t y, int64_t x, uint32_t flag_sum) const;
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

inline int8_t LimitResidual(int v) { return static_cast<int8_t>(std::clamp(v, -127, 127)); }

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCoarseDc(int plane) {
  // Coarse arrays have a border of one cell, so neighbours need no checks; the border is zero.
  Coder coder = coder_;
  const auto pz = static_cast<size_t>(plane);
  const CoarseWeights& w = p_.coarse[pz];
  constexpr int kind = ContextParameters::kCoarseDcKind;
  const int64_t left = -kCoarse, up = -row_.cell_pitch * kCoarse;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    coder.Pause();
    const int64_t at = row_.BorderedCell(x) * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    const auto magnitude = [&](size_t p, int64_t offset) {
      return std::abs(int{row_.coarse_residual[p].data()[at + offset]});
    };
    // At an edge the one neighbour there is serves for both.
    int mean = 0;
    if (x > 0 && !row_.first) {
      const auto& m = p_.coarse_dc_mean[pz];
      mean = (m[0] * q[left] + m[1] * q[up] + m[2] * q[up + left] +
              m[3] * q[up - left * (x + 1 < row_.cells_w)] + 128) >>
             8;
    } else if (x > 0) {
      mean = q[left];
    } else if (!row_.first) {
      mean = q[up];
    }
    mean = std::clamp(mean, -16000, 16000);
    const int features[kCoarseFeatures] = {magnitude(pz, left),
                                           magnitude(pz, up),
                                           magnitude(pz, up + left) + magnitude(pz, up - left),
                                           plane > 0 ? magnitude(0, 0) : 0,
                                           plane > 1 ? magnitude(1, 0) : 0,
                                           0};
    uint32_t sum = w.bias[0];
    for (size_t k = 0; k < kCoarseFeatures; ++k)
      sum += static_cast<uint32_t>(w.magnitude[k][0] * features[k]);
    const int scale = ScaleClass(sum);
    int value = kDecode ? 0 : std::clamp(q[0] - mean, -32767, 32767);
    if constexpr (Probe::kActive) {
      const int no_mean[kCoarseMeanFeatures] = {};
      probe_.Coarse(plane * kCoarse, features, no_mean, value);
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
  const int64_t left = -kCoarse, up = -row_.cell_pitch * kCoarse;
  const int kind =
      plane == 0 ? ContextParameters::kCoarseLumaKind : ContextParameters::kCoarseChromaKind;
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    coder.Pause();
    const int64_t cell = row_.BorderedCell(x), at = cell * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    int8_t* const r = row_.coarse_residual[pz].data() + at;
    uint8_t* const activity = row_.coarse_activity[pz].data() + cell;
    const int flag_features[kCoarseFlagFeatures] = {
        activity[-1], activity[-row_.cell_pitch],
        plane > 0 ? row_.coarse_activity[0].data()[cell] : 0,
        plane > 1 ? row_.coarse_activity[1].data()[cell] : 0};
    uint32_t flag_sum = p_.coarse_flag_bias[pz];
    for (size_t k = 0; k < kCoarseFlagFeatures; ++k)
      flag_sum += static_cast<uint32_t>(p_.coarse_flag_weights[pz][k] * flag_features[k]);
    bool any = !kDecode && std::any_of(q + 1, q + kCoarse, [](int16_t v) { return v != 0; });
    if constexpr (Probe::kActive) probe_.CoarseFlag(plane, flag_features, any);
    any = coder.Bit(any, ContextParameters::CoarseFlagContext(plane, ScaleClass(flag_sum)));
    if (!any) continue;
    // Slope of coarse DC across the cell, one-sided at an edge of the tile, and from the cell
    // above.
    const CoarseNeighbours n{r + left,
                             r + up,
                             r + up + left,
                             r + up - left,
                             plane > 0 ? row_.coarse_residual[0].data() + at : nullptr,
                             plane > 1 ? row_.coarse_residual[1].data() + at : nullptr,
                             q + left,
                             q + up,
                             q[x > 0 ? left : 0] - q[x + 1 < row_.cells_w ? -left : 0],
                             row_.first ? 0 : q[up] - q[0]};
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
CellFlagRow ContextCoder<Coder, kDecode, Probe>::MakeCellFlagRow(int plane, int band) const {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const auto counts = [&](size_t g) { return row_.cell_count[g].data() + row_.BorderedCell(0); };
  return {counts(gz),
          band > 0 ? counts(gz - 1) : row_.coarse_activity[pz].data() + row_.BorderedCell(0),
          plane > 0 ? counts(bz) : nullptr,
          plane > 1 ? counts(kBands + bz) : nullptr,
          row_.cell_pitch,
          row_.cells_w,
          p_.cell_weights[gz].data(),
          p_.cell_bias[gz],
          row_.flag_sum.data()};
}

// Which cells (4x4 blocks) have anything in this band. Counts are only known later, so of the cell
// to the left its flag stands in.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::EncodeCells(Coder& coder, int plane, int band) {
  const uint64_t mask = kBandTable[static_cast<size_t>(band)].mask;
  const uint64_t* const nonzero = row_.cell_nonzero[static_cast<size_t>(plane)].data();
  uint8_t* const flags = row_.cell_flag.data() + 1;
  for (int64_t x = 0; x < row_.cells_w; ++x) flags[x] = (nonzero[x] & mask) != 0 ? kFlagSet : 0;
  const int group = plane * kBands + band;
  const CellFlagRow r = MakeCellFlagRow(plane, band);
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
  const CellFlagRow r = MakeCellFlagRow(plane, band);
  SumCellFlagRow(level_, r);
  for (int64_t x = 0; x < r.count; ++x) {
    const int scale = ScaleClass(r.sum[x] + uint32_t{r.weights[0]} * flags[x - 1]);
    const bool set = coder.Bit(false, ContextParameters::CellContext(plane * kBands + band, scale));
    flags[x] = set ? kFlagSet : 0;
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
  // The cells that have anything lie in [first, end).
  const uint8_t* const flags = row_.cell_flag.data() + 1;
  int64_t first = 0, end = row_.cells_w;
  while (first < end && flags[first] == 0) ++first;
  while (end > first && flags[end - 1] == 0) --end;
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

template <typename Coder, bool kDecode, typename Probe>
FlagRow ContextCoder<Coder, kDecode, Probe>::MakeFlagRow(int plane, int band, int64_t y,
                                                         int64_t first, int64_t end) const {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const int64_t start = row_.Bordered(y, first * kCellBlocks);
  const auto sums = [&](size_t g) { return row_.band_sum[g].data() + start; };
  const uint8_t* const gradient = row_.gradient[pz].data() + start;
  FlagRow r{};
  r.same = sums(gz);
  r.lower = band > 0 ? sums(gz - 1) : gradient;
  r.lowest = band > 1 ? sums(gz - 2) : band == 1 ? gradient : nullptr;
  r.luma = plane > 0 ? sums(bz) : nullptr;
  r.other = plane > 1 ? sums(kBands + bz) : nullptr;
  r.activity = band == 0 ? row_.coarse_activity[pz].data() + row_.BorderedCell(first) : nullptr;
  r.pitch = row_.block_pitch;
  r.below = y + 1 < kCellBlocks ? row_.block_pitch : 0;
  r.count = (end - first) * kCellBlocks;
  r.weights = p_.flag_weights[gz].data();
  r.bias = p_.flag_bias[gz];
  r.sum = row_.flag_sum.data() + first * kCellBlocks;
  return r;
}

template <typename Coder, bool kDecode, typename Probe>
__attribute__((always_inline)) inline BandNeighbours
ContextCoder<Coder, kDecode, Probe>::Neighbours(int plane, int band, int64_t y, int64_t x,
                                                uint32_t flag_sum) const {
  const auto pz = static_cast<size_t>(plane);
  const int64_t pitch = row_.block_pitch, at = row_.Bordered(y, x);
  const int64_t first = kBandFirst[static_cast<size_t>(band)];
  const int8_t* const residual = row_.residual[pz].data() + at * kChannels;
  const int8_t* const r = residual + first;
  const BlockEdges* const edges = row_.edges[pz].data() + at;
  const auto other_plane = [&](size_t p) {
    return row_.residual[p].data() + at * kChannels + first;
  };
  return {residual,
          r - kChannels,
          r - pitch * kChannels,
          r - (pitch + 1) * kChannels,
          r - (pitch - 1) * kChannels,
          plane > 0 ? other_plane(0) : nullptr,
          plane > 1 ? other_plane(1) : nullptr,
          edges,
          edges - 1,
          edges - pitch,
          edges + 1,
          y + 1 < kCellBlocks ? edges + pitch : nullptr,
          static_cast<int>(std::min(flag_sum >> 4, 127u))};
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
  const FlagRow flag_row = MakeFlagRow(plane, band, y, first, end);
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
    const BandNeighbours n = Neighbours(plane, band, y, x, row_.flag_sum.data()[x]);
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
    BlockEdges& edges = row_.edges[pz].data()[row_.Bordered(y, x)];
    for (uint32_t lanes = row_.value_lanes.data()[k]; lanes != 0; lanes &= lanes - 1) {
      const int lane = std::countr_zero(lanes);
      edges.Add(kBandTable[bz].channel[static_cast<size_t>(lane)], values[lane]);
    }
  }
  const auto zero = static_cast<uint32_t>(ContextParameters::ZeroContext(kind, 0));
  std::array<uint32_t, 2 * kLanes> zero_bits{};  // copied by whole blocks from any lane
  for (size_t k = 0; k < count; ++k) {
    const BandContexts& contexts = row_.contexts.data()[k];
    const int16_t* const values = row_.values.data() + k * kLanes;
    uint32_t lanes = row_.value_lanes.data()[k];
    kernels_.decide(contexts, lanes, size, zero, zero_bits.data());
    // The flag promised something: the last of a so far empty band cannot be zero.
    const bool implied = lanes >> (size - 1) == 1 && (lanes & (lanes - 1)) == 0;
    coder.Pause();
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
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::DecodeRow(Coder& from, int plane, int band, int64_t y,
                                                    int64_t first, int64_t end) {
  Coder coder = from;
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const Band& table = kBandTable[bz];
  const int size = table.size, kind = ContextParameters::KindOf(plane, band);
  const FlagRow flag_row = MakeFlagRow(plane, band, y, first, end);
  SumFlagRow(level_, flag_row);
  uint32_t* const flag_sum = row_.flag_sum.data();
  uint16_t* const flagged = row_.flagged.data();
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  const int flag_base = ContextParameters::FlagContext(static_cast<int>(gz), 0);
  size_t count = 0;
  uint32_t left = 0;
  for (int64_t cell = first; cell < end; ++cell) {
    if (row_.cell_flag.data()[cell + 1] == 0) {
      left = 0;
      continue;
    }
    for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
      flag_sum[x] += flag_row.weights[0] * left;
      const int scale = std::min(ScaleClass(flag_sum[x]), ContextParameters::kFlagClasses - 1);
      const bool set = coder.Bit(false, flag_base + scale);
      left = set ? kFlagSet : 0;
      flagged[count] = static_cast<uint16_t>(x);
      count += set;
      counts[cell] = static_cast<uint8_t>(counts[cell] + set);
    }
  }
  uint8_t* const sums = row_.band_sum[gz].data() + row_.Bordered(y, 0);
  for (size_t k = 0; k < count; ++k) {
    const int64_t x = flagged[k];
    BandContexts contexts;
    kernels_.contexts(band, p_.band[gz], Neighbours(plane, band, y, x, flag_sum[x]), contexts);
    int16_t* const symbols = row_.Symbols(pz, y, x);
    int8_t* const residual =
        row_.residual[pz].data() + row_.Bordered(y, x) * kChannels + kBandFirst[bz];
    BlockEdges& edges = row_.edges[pz].data()[row_.Bordered(y, x)];
    const int zero = ContextParameters::ZeroContext(kind, 0);
    int total = 0;
    bool seen = false;
    for (int i = 0; i < size; ++i) {
      const auto iz = static_cast<size_t>(i);
      const int scale = contexts.scale_class[iz];
      const int state = seen ? 0 : i == size - 2 ? 2 : 1;
      const bool implied = !seen && i == size - 1;
      if (!implied &&
          !coder.Bit(false, zero + std::min(scale, kZeroClasses - 1) * kZeroStates + state))
        continue;
      seen = true;
      const int value = NonZero(coder, 0, kind, scale, contexts.mean[iz]);
      const int c = table.channel[iz];
      symbols[c] = static_cast<int16_t>(value);
      residual[i] = LimitResidual(value);
      total += std::abs(int{residual[i]});
      edges.Add(c, value);
    }
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
