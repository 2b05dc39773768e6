// codecs/image/full_context.h: the entropy models of swift, written once for both directions;
// docs/format/entropy.md section 6 is the contract. Integers only.
//
// The symbols and their order are those of `lite` (swift_context.h), but blocks come one by one:
// flag, then values. A small trained network says what each decision will be, from all that is
// known around; the class that `lite` has for it and a few adaptive probabilities say what this
// picture has been like; a mixer weighs them and learns whom to trust.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "codecs/image/full_inputs.h"
#include "codecs/image/full_model.h"
#include "codecs/image/full_values.h"
#include "codecs/image/swift_context.h"

namespace godwit::swift {

// `Probe` sees each sum of a network, for counting; the default does nothing and costs nothing.
struct NoFullProbe {
  static void Hidden(const FullNetwork&, const FullInputSet&) {}
  static void Outputs(const FullNetwork&, const FullInputSet&, const FullSums&) {}
  static void Later(const FullNetwork&) {}
};

// Codes layers of one row of cells. `Coder` has bool Bit(bool, uint32_t p1) and
// uint32_t Raw(uint32_t, int count): an encoder writes its arguments and returns them, a decoder
// ignores them and returns what it read. An encoder's row has its symbols and `nonzero` masks; a
// decoder's symbols are zeros.
template <typename Coder, bool kDecode, typename Probe = NoFullProbe>
class FullCoder {
 public:
  FullCoder(const SwiftModel& model, const FullModel& full, const StepInputs step, CellRow& row,
            ContextState& lite, FullState& state, const Coder& coder, SimdLevel level,
            Probe probe = {})
      : p_(model.context),
        m_(full),
        step_(step),
        row_(row),
        values_(full, lite, state, coder, level),
        level_(level),
        kernels_(BandKernelsFor(level)),
        probe_(probe) {}

  // Layers 0.. must come in order. Layer 2 and up need StartEdges() first.
  void CodeLayer(int layer) {
    for (int p = 0; p < row_.planes; ++p) {
      if (layer == 0) {
        CodeCoarseDc(p);
      } else if (layer == 1) {
        CodeCoarseAc(p);
      } else {
        bool coded = false;
        for (int b = 0; b < kBands; ++b) {
          if (LayerOf(p, b) == layer) coded = CodeBand(p, b, coded) || coded;
        }
        row_.KeepEdgesBelow(static_cast<size_t>(p), layer, coded);
      }
    }
  }
  const Coder& coder() const { return values_.coder(); }

 private:
  void Hidden(const FullNetwork& net) {
    SumHidden(level_, net, in_.common, in_.even, sums_);
    probe_.Hidden(net, in_);
  }
  void Outputs(const FullNetwork& net) {
    SumOutputs(level_, net, in_.common, in_.odd, sums_);
    probe_.Outputs(net, in_, sums_);
  }
  void CodeCoarseDc(int plane);
  void CodeCoarseAc(int plane);
  // Whether any block has the band; `coded` tells whether one had one of this layer before.
  bool CodeBand(int plane, int band, bool coded);
  void CodeCells(int plane, int band);
  void CodeRow(int plane, int band, int64_t y, int64_t first, int64_t end);
  bool CodeBlock(int plane, int band, int64_t y, int64_t x, uint32_t flag_sum, bool set);

  const ContextParameters& p_;
  const FullModel& m_;
  StepInputs step_;
  CellRow& row_;
  FullValues<Coder> values_;
  SimdLevel level_;
  const BandKernels& kernels_;
  Probe probe_;
  FullInputSet in_;
  FullSums sums_;
};

template <typename Coder, bool kDecode, typename Probe>
void FullCoder<Coder, kDecode, Probe>::CodeCoarseDc(int plane) {
  const auto pz = static_cast<size_t>(plane);
  const size_t group = kFullCoarseDcGroup + pz;
  const FullNetwork& net = m_.values[group];
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    const int64_t at = row_.BorderedCell(x) * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    const CoarseDcContext context = CoarseDcContextOf(row_, p_, plane, x);
    const int mean = context.mean;
    int value = kDecode ? 0 : std::clamp(q[0] - mean, -32767, 32767);
    FillCoarseDc(m_, step_, row_, plane, x, mean, in_);
    Hidden(net);
    Outputs(net);
    value = values_.Value(value, group, 0, ContextParameters::kCoarseDcKind,
                          ScaleClass(context.scale.sum), 0, 0, false, net, sums_);
    if (value != 0) probe_.Later(net);
    q[0] = static_cast<int16_t>(std::clamp(value + mean, -32767, 32767));
    row_.coarse_residual[pz].data()[at] = LimitResidual(value);
  }
}

template <typename Coder, bool kDecode, typename Probe>
void FullCoder<Coder, kDecode, Probe>::CodeCoarseAc(int plane) {
  const auto pz = static_cast<size_t>(plane);
  const int kind =
      plane == 0 ? ContextParameters::kCoarseLumaKind : ContextParameters::kCoarseChromaKind;
  const size_t group = kFullCoarseGroup + pz;
  const FullNetwork& net = m_.values[group];
  for (int64_t x = 0; x < row_.cells_w; ++x) {
    const int64_t cell = row_.BorderedCell(x), at = cell * kCoarse;
    int16_t* const q = row_.coarse[pz].data() + at;
    int8_t* const r = row_.coarse_residual[pz].data() + at;
    uint8_t* const activity = row_.coarse_activity[pz].data() + cell;
    const uint32_t flag_sum = CoarseFlagOf(row_, p_, plane, x).sum;
    const CoarseNeighbours n = CoarseNeighboursOf(row_, plane, x);
    CoarseContexts contexts;
    SumCoarse(level_, p_.coarse[pz], n, contexts);
    FillCoarse(m_, step_, row_, plane, x, contexts.mean.data(), in_);
    Hidden(net);
    bool any = !kDecode && std::any_of(q + 1, q + kCoarse, [](int16_t v) { return v != 0; });
    any = values_.Mixed(
        any, group, kFlagDecision, 0, FlagLogit(net, sums_),
        values_.Lite(ContextParameters::CoarseFlagContext(plane, ScaleClass(flag_sum))));
    if (!any) continue;
    Outputs(net);
    int total = 0, state = 1;
    for (size_t i = 1; i < kCoarse; ++i) {
      const size_t c = kCoarseOrder[i];
      const bool implied = state != 0 && i == kCoarse - 1;
      const int value =
          values_.Value(kDecode ? 0 : q[c], group, i - 1, kind, contexts.scale_class[c], state,
                        contexts.mean[c], implied, net, sums_);
      if (value == 0) continue;
      probe_.Later(net);
      probe_.Later(net);
      state = 0;
      q[c] = static_cast<int16_t>(value);
      r[c] = LimitResidual(value);
      total += std::abs(int{r[c]});
    }
    *activity = static_cast<uint8_t>(std::min(total, 255));
  }
}

template <typename Coder, bool kDecode, typename Probe>
void FullCoder<Coder, kDecode, Probe>::CodeCells(int plane, int band) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const CellFlagRow r = CellFlagRowOf(row_, p_, plane, band, row_.flag_sum.data());
  SumCellFlagRow(level_, r);
  const FullNetwork& net = m_.cells[gz];
  uint8_t* const flags = row_.cell_flag.data() + 1;
  const uint64_t mask = kBandTable[bz].mask;
  for (int64_t x = 0; x < r.count; ++x) {
    const int scale = ScaleClass(r.sum[x] + uint32_t{r.weights[0]} * flags[x - 1]);
    int odds = 0;
    if (net.present()) {
      FillCell(m_, step_, row_, plane, band, x, flags[x - 1] != 0, in_);
      Hidden(net);
      odds = FlagLogit(net, sums_);
    }
    const bool set = !kDecode && (row_.cell_nonzero[pz].data()[x] & mask) != 0;
    flags[x] =
        values_.Mixed(set, gz, kCellDecision, 0, odds,
                      values_.Lite(ContextParameters::CellContext(static_cast<int>(gz), scale)))
            ? kFlagSet
            : 0;
  }
}

template <typename Coder, bool kDecode, typename Probe>
bool FullCoder<Coder, kDecode, Probe>::CodeBand(int plane, int band, bool coded) {
  CodeCells(plane, band);
  const auto [first, end] = FlaggedCells(row_);
  if (first == end) return false;
  if (!coded) row_.TakeEdgesAbove(static_cast<size_t>(plane), LayerOf(plane, band));
  for (int64_t y = 0; y < kCellBlocks; ++y) CodeRow(plane, band, y, first, end);
  return true;
}

template <typename Coder, bool kDecode, typename Probe>
void FullCoder<Coder, kDecode, Probe>::CodeRow(int plane, int band, int64_t y, int64_t first,
                                               int64_t end) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const FlagRow r = FlagRowOf(row_, p_, plane, band, y, first, end);
  SumFlagRow(level_, r);
  uint8_t* const counts = row_.cell_count[gz].data() + row_.BorderedCell(0);
  const uint64_t* const nonzero = row_.nonzero[pz].data() + y * row_.blocks_w();
  const uint64_t mask = kBandTable[bz].mask;
  uint32_t left = 0;
  for (int64_t cell = first; cell < end; ++cell) {
    if (row_.cell_flag.data()[cell + 1] == 0) {
      left = 0;
      continue;
    }
    for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
      const uint32_t sum = row_.flag_sum.data()[x] + r.weights[0] * left;
      const bool set = CodeBlock(plane, band, y, x, sum, !kDecode && (nonzero[x] & mask) != 0);
      left = set ? kFlagSet : 0;
      counts[cell] = static_cast<uint8_t>(counts[cell] + set);
    }
  }
}

// One block's flag, `set` if it has anything, and its values.
template <typename Coder, bool kDecode, typename Probe>
bool FullCoder<Coder, kDecode, Probe>::CodeBlock(int plane, int band, int64_t y, int64_t x,
                                                 uint32_t flag_sum, bool set) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band), gz = pz * kBands + bz;
  const FullNetwork& net = m_.values[gz];
  const int64_t at = row_.Bordered(y, x);
  const int64_t first = kBandFirst[bz];
  int8_t* const block = row_.residual[pz].data() + at * kChannels;
  int8_t* const r = block + first;
  BlockEdges* const edges = row_.edges[pz].data() + at;
  const BandNeighbours n = BandNeighboursOf(row_, plane, band, y, x, flag_sum);
  BandContexts contexts;
  kernels_.contexts(band, p_.band[gz], n, contexts);
  int odds = 0;
  if (net.present()) {
    FillBand(m_, step_, row_, plane, band, y, x, contexts.mean.data(), in_);
    Hidden(net);
    odds = FlagLogit(net, sums_);
  }
  const int flag_class = std::min(ScaleClass(flag_sum), ContextParameters::kFlagClasses - 1);
  set =
      values_.Mixed(set, gz, kFlagDecision, 0, odds,
                    values_.Lite(ContextParameters::FlagContext(static_cast<int>(gz), flag_class)));
  if (!set) return false;
  if (net.present()) {
    FillBandOdd(m_, n, band, in_);
    Outputs(net);
  }
  const Band& table = kBandTable[bz];
  const int size = table.size, kind = ContextParameters::KindOf(plane, band);
  int16_t* const symbols = row_.Symbols(pz, y, x);
  int total = 0;
  bool seen = false;
  for (int i = 0; i < size; ++i) {
    const auto iz = static_cast<size_t>(i);
    const int state = seen ? 0 : i == size - 2 ? 2 : 1;
    const bool implied = !seen && i == size - 1;
    const int c = table.channel[iz];
    const int value =
        values_.Value(kDecode ? 0 : symbols[c], gz, iz, kind, contexts.scale_class[iz], state,
                      contexts.mean[iz], implied, net, sums_);
    if (value == 0) continue;
    probe_.Later(net);
    seen = true;
    symbols[c] = static_cast<int16_t>(value);
    r[i] = LimitResidual(value);
    total += std::abs(int{r[i]});
    edges->Add(c, value);
  }
  row_.band_sum[gz].data()[at] = static_cast<uint8_t>(std::min(total, 255));
  return true;
}

}  // namespace godwit::swift
