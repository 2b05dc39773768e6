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

}  // namespace godwit::swift

#include "codecs/image/swift_context_decode.h"
#include "codecs/image/swift_context_encode.h"
#include "codecs/image/swift_context_probe.h"
