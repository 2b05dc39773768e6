// codecs/image/swift_context.h: the `lite` entropy model of swift, written once for both
// directions. docs/format/entropy.md section 4 is the contract. Integers only.
//
// A symbol's context is a weighted sum of magnitudes that are already decoded: the same channel in
// neighbouring blocks, lower bands of the block and of the blocks around it, and the luma plane.
// Its sign and mean come from the edges of neighbouring blocks: what a block looks like at its
// border should go on across it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "codecs/image/swift_band_context.h"
#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_tile.h"
#include "entropy/adaptive_bit.h"

namespace godwit::swift {

// On held-out training pictures 5 costs 0.1 to 0.7 % more at steps 4 to 128; 7 costs 0.3 to 0.5 %
// more from step 32 on and 0.2 % less at step 4.
inline constexpr int kAdaptRate = 6;

// Two classes an octave: 0, 1, 2, 3, 4-5, 6-7, 8-11, ...
inline int ScaleClass(uint32_t sum, int classes) {
  if (sum < 2) return static_cast<int>(sum);
  const int top = std::bit_width(sum) - 1;
  return std::min(2 * top + static_cast<int>((sum >> (top - 1)) & 1), classes - 1);
}

// Confidence of a predicted sign, |t| in 1/16 steps.
inline int SignLevel(int32_t t) {
  const int a = std::abs(t);
  return a < 1 ? 0 : a < 3 ? 1 : a < 6 ? 2 : a < 12 ? 3 : a < 24 ? 4 : 5;
}

// Adaptive state of one tile, from the model's trained start for the step.
struct ContextState {
  std::array<AdaptiveBit, ContextParameters::kContexts> bit;
  void Reset(const ContextParameters& p, int step_index) {
    const auto& start = p.start[static_cast<size_t>(ContextParameters::StepRange(step_index))];
    for (size_t i = 0; i < bit.size(); ++i) bit[i].p1 = start[i];
  }
};

// `Coder` has bool Bit(bool, AdaptiveBit&) and uint32_t Raw(uint32_t, int): an encoder writes its
// arguments and returns them, a decoder ignores them and returns what it read. `kDecode` tells
// whether symbols are outputs. `Probe` sees the features of every decision; the default does
// nothing and costs nothing.
struct NoProbe {
  static constexpr bool kActive = false;
  static void Cell(int, const int*, bool) {}
  static void Flag(int, const int*, bool) {}
  static void Symbol(int, const int*, const int*, int) {}
  static void Coarse(int, const int*, const int*, int) {}
};

template <typename Coder, bool kDecode, typename Probe = NoProbe>
class ContextCoder {
 public:
  ContextCoder(const ContextParameters& p, ContextState& state, TileLatents& tile, Coder& coder,
               SimdLevel level, Probe probe = {})
      : p_(p),
        state_(state),
        tile_(tile),
        coder_(coder),
        level_(level),
        kernel_(BandContextKernelFor(level)),
        probe_(probe) {}

  // Codes one layer; layers 0.. must come in order. Layer 2 and up need PredictMeans() first.
  void CodeLayer(int layer) {
    if (layer == 0) {
      for (int p = 0; p < tile_.planes; ++p) CodeCoarseDc(p);
    } else if (layer == 1) {
      for (int p = 0; p < tile_.planes; ++p) CodeCoarseAc(p);
    } else {
      for (int p = 0; p < tile_.planes; ++p) {
        for (int b = 0; b < kBands; ++b) {
          if (LayerOf(p, b) == layer) CodeBand(p, b);
        }
      }
    }
  }

 private:
  bool Bit(bool bit, int context) {
    return coder_.Bit(bit, state_.bit[static_cast<size_t>(context)]);
  }

  // |value| - 1 of a nonzero value: low bits raw where the scale is large, the rest in unary, then
  // Elias gamma.
  int Magnitude(int magnitude, int kind, int scale_class) {
    const int low_bits = std::clamp((scale_class >> 1) - 8, 0, 12);
    const int base = ContextParameters::MagnitudeContext(kind, scale_class, 0);
    const uint32_t rest = kDecode ? 0 : static_cast<uint32_t>(magnitude - 1);
    const uint32_t high = rest >> low_bits;
    uint32_t unary = 0;
    while (unary < ContextParameters::kUnary && Bit(unary < high, base + static_cast<int>(unary)))
      ++unary;
    uint32_t value = unary;
    if (unary == ContextParameters::kUnary) {
      const uint32_t escape = high - ContextParameters::kUnary + 1;  // >= 1
      const int width = kDecode ? 0 : std::bit_width(escape) - 1;
      int w = 0;
      while (w < 15 && coder_.Raw(w < width ? 1 : 0, 1) != 0) ++w;
      value = (1u << w) - 1 + ContextParameters::kUnary;
      value += coder_.Raw(kDecode ? 0 : escape - (1u << width), w);
    }
    if (low_bits > 0)
      value = value << low_bits | coder_.Raw(rest & ((1u << low_bits) - 1), low_bits);
    return static_cast<int>(std::min<uint32_t>(value, 32766)) + 1;
  }

  // A nonzero value: its sign against the predicted one, then its magnitude.
  int NonZero(int value, int kind, int scale_class, int32_t t) {
    const bool flip = t < 0;
    const bool negative =
        Bit((value < 0) != flip, ContextParameters::SignContext(kind, SignLevel(t))) != flip;
    const int magnitude = Magnitude(std::abs(value), kind, scale_class);
    return negative ? -magnitude : magnitude;
  }

  void CodeCoarseDc(int plane);
  void CodeCoarseAc(int plane);
  void CodeBand(int plane, int band);
  void CodeCells(int group, int plane, int band, int64_t cell_row);
  void CodeBlock(int plane, int band, int64_t y, int64_t x, int scale);
  void ProbeFlag(const FlagRow& row, int64_t x, int activity, int group, bool value);
  void ProbeSymbol(int plane, int band, size_t i, bool seen, const BandNeighbours& n, int t,
                   int previous, int value);

  const ContextParameters& p_;
  ContextState& state_;
  TileLatents& tile_;
  Coder& coder_;
  SimdLevel level_;
  BandContextKernel kernel_;
  Probe probe_;
};

inline int Clip255(int v) { return std::min(v, 255); }

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCoarseDc(int plane) {
  // Coarse arrays have a border of one cell, so neighbours need no checks; the border is zero.
  const int64_t pitch = tile_.coarse_pitch;
  for (int64_t y = 0; y < tile_.cells_h; ++y) {
    for (int64_t x = 0; x < tile_.cells_w; ++x) {
      const int64_t at = (y + 1) * pitch + x + 1;
      int16_t* const q = tile_.coarse[plane].data() + at * kCoarse;
      uint8_t* const m = tile_.coarse_magnitude[plane].data() + at * kCoarse;
      const int64_t left = -kCoarse, up = -pitch * kCoarse;
      // At an edge the one neighbour there is serves for both.
      int mean = 0;
      if (x > 0 && y > 0) {
        const auto& w = p_.coarse_dc_weights[static_cast<size_t>(plane)];
        mean = (w[0] * q[left] + w[1] * q[up] + w[2] * q[up + left] +
                w[3] * q[up - left * (x + 1 < tile_.cells_w)] + 128) >>
               8;
      } else if (x > 0) {
        mean = q[left];
      } else if (y > 0) {
        mean = q[up];
      }
      mean = std::clamp(mean, -16000, 16000);
      const int features[kCoarseFeatures] = {
          m[left],
          m[up],
          m[up + left] + m[up - left],
          0,
          0,
          plane > 0 ? tile_.coarse_magnitude[0].data()[at * kCoarse] : 0,
          plane > 1 ? tile_.coarse_magnitude[1].data()[at * kCoarse] : 0,
          0};
      const int channel = plane * kCoarse;
      const auto& w = p_.coarse_weights[static_cast<size_t>(channel)];
      uint32_t sum = p_.coarse_bias[static_cast<size_t>(channel)];
      for (size_t i = 0; i < kCoarseFeatures; ++i) sum += static_cast<uint32_t>(w[i] * features[i]);
      const int scale = ScaleClass(sum >> 2, ContextParameters::kClasses);
      const int kind = ContextParameters::kCoarseDcKind;
      int value = kDecode ? 0 : std::clamp(q[0] - mean, -32767, 32767);
      const int no_mean[kCoarseMeanFeatures] = {};
      probe_.Coarse(channel, features, no_mean, value);
      if (Bit(value != 0, ContextParameters::ZeroContext(kind, scale, 0)))
        value = NonZero(value, kind, scale, 0);
      q[0] = static_cast<int16_t>(std::clamp(value + mean, -32767, 32767));
      m[0] = static_cast<uint8_t>(Clip255(std::abs(value)));
    }
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCoarseAc(int plane) {
  const int64_t pitch = tile_.coarse_pitch;
  const int kind =
      plane == 0 ? ContextParameters::kCoarseLumaKind : ContextParameters::kCoarseChromaKind;
  for (int64_t y = 0; y < tile_.cells_h; ++y) {
    for (int64_t x = 0; x < tile_.cells_w; ++x) {
      const int64_t at = (y + 1) * pitch + x + 1;
      int16_t* const q = tile_.coarse[plane].data() + at * kCoarse;
      uint8_t* const m = tile_.coarse_magnitude[plane].data() + at * kCoarse;
      const int64_t left = -kCoarse, up = -pitch * kCoarse;
      // Differences of coarse DC across the cell, one-sided at an edge of the tile.
      const int dc_x = q[x > 0 ? left : 0] - q[x + 1 < tile_.cells_w ? -left : 0];
      const int dc_y = q[y > 0 ? up : 0] - q[y + 1 < tile_.cells_h ? -up : 0];
      int previous = 0, activity = 0;
      for (size_t i = 1; i < kCoarse; ++i) {
        const int c = kCoarseOrder[i], u = c / 4, v = c % 4;
        const size_t channel = static_cast<size_t>(plane * kCoarse + c);
        const int features[kCoarseFeatures] = {
            m[left + c],
            m[up + c],
            m[up + left + c] + m[up - left + c],
            u > 0 && c > 4 ? m[c - 4] : 0,
            v > 0 && c > 1 ? m[c - 1] : 0,
            plane > 0 ? tile_.coarse_magnitude[0].data()[at * kCoarse + c] : 0,
            plane > 1 ? tile_.coarse_magnitude[1].data()[at * kCoarse + c] : 0,
            previous};
        const int mean_features[kCoarseMeanFeatures] = {dc_x, dc_y, q[left + c], q[up + c]};
        const auto& mw = p_.coarse_mean_weights[channel];
        int64_t t64 = 512;
        for (size_t k = 0; k < kCoarseMeanFeatures; ++k) t64 += int64_t{mw[k]} * mean_features[k];
        const int t = static_cast<int>(std::clamp<int64_t>(t64 >> 10, -4095, 4095));
        const auto& w = p_.coarse_weights[channel];
        uint32_t sum =
            p_.coarse_bias[channel] + static_cast<uint32_t>(p_.coarse_mean_gain[channel]) *
                                          static_cast<uint32_t>(std::abs(t)) / 16;
        for (size_t k = 0; k < kCoarseFeatures; ++k)
          sum += static_cast<uint32_t>(w[k] * features[k]);
        const int scale = ScaleClass(sum >> 2, ContextParameters::kClasses);
        int value = kDecode ? 0 : q[c];
        probe_.Coarse(static_cast<int>(channel), features, mean_features, value);
        if (Bit(value != 0, ContextParameters::ZeroContext(kind, scale, 0))) {
          value = NonZero(value, kind, scale, t);
        }
        q[c] = static_cast<int16_t>(value);
        m[c] = static_cast<uint8_t>(Clip255(std::abs(value)));
        previous = m[c];
        activity += previous;
      }
      tile_.coarse_activity[plane].data()[at] = static_cast<uint8_t>(Clip255(activity));
    }
  }
}

// Which cells (4x4 blocks) of a row have anything in this band.
template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeCells(int group, int plane, int band,
                                                    int64_t cell_row) {
  const int64_t pitch = tile_.coarse_pitch;
  const auto& w = p_.cell_weights[static_cast<size_t>(group)];
  uint8_t* const counts = tile_.cell_count[group].data();
  for (int64_t x = 0; x < tile_.cells_w; ++x) {
    const int64_t at = (cell_row + 1) * pitch + x + 1;
    const int features[kCellFeatures] = {
        counts[at - 1],
        counts[at - pitch],
        counts[at - pitch - 1] + counts[at - pitch + 1],
        band > 0 ? tile_.cell_count[group - 1].data()[at] : tile_.coarse_activity[plane].data()[at],
        plane > 0 ? tile_.cell_count[band].data()[at] : 0,
        plane > 1 ? tile_.cell_count[kBands + band].data()[at] : 0};
    uint32_t sum = p_.cell_bias[static_cast<size_t>(group)];
    for (size_t i = 0; i < kCellFeatures; ++i) sum += static_cast<uint32_t>(w[i] * features[i]);
    const int scale = ScaleClass(sum >> 2, ContextParameters::kCellClasses);
    const bool value =
        !kDecode && tile_.CellHas(plane, at, kBandTable[static_cast<size_t>(band)].mask);
    probe_.Cell(group, features, value);
    tile_.cell_flag.data()[static_cast<size_t>(x)] =
        Bit(value, ContextParameters::CellContext(group, scale));
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeBand(int plane, int band) {
  const int group = plane * kBands + band;
  const auto gz = static_cast<size_t>(group), pz = static_cast<size_t>(plane);
  const int64_t pitch = tile_.block_pitch, blocks_w = tile_.blocks_w();
  const uint64_t mask = kBandTable[static_cast<size_t>(band)].mask;
  const uint8_t* const gradient = tile_.gradient[pz].data();
  FlagRow row{};
  row.pitch = pitch;
  row.weights = p_.flag_weights[gz].data();
  row.bias = p_.flag_bias[gz];
  const auto band_row = [&](int g, int64_t at) {
    return tile_.band_sum[static_cast<size_t>(g)].data() + at;
  };
  for (int64_t cell_row = 0; cell_row < tile_.cells_h; ++cell_row) {
    // The cells that have anything lie in [first, end).
    int64_t first = tile_.cells_w, end = 0;
    CodeCells(group, plane, band, cell_row);
    for (int64_t x = 0; x < tile_.cells_w; ++x) {
      if (!tile_.cell_flag.data()[x]) continue;
      first = std::min(first, x);
      end = x + 1;
    }
    if (first >= end) continue;
    uint8_t* const counts = tile_.cell_count[gz].data() + (cell_row + 1) * tile_.coarse_pitch + 1;
    const uint8_t* const activity =
        tile_.coarse_activity[pz].data() + (cell_row + 1) * tile_.coarse_pitch + 1;
    for (int64_t y = cell_row * kCellBlocks; y < (cell_row + 1) * kCellBlocks; ++y) {
      const int64_t start = (y + 1) * pitch + 1 + first * kCellBlocks;  // in arrays with a border
      row.same = band_row(group, start);
      row.lower = band > 0 ? band_row(group - 1, start) : gradient + start;
      row.lowest = band > 1 ? band_row(group - 2, start) : band == 1 ? gradient + start : nullptr;
      row.luma = plane > 0 ? band_row(band, start) : nullptr;
      row.other = plane > 1 ? band_row(kBands + band, start) : nullptr;
      row.count = (end - first) * kCellBlocks;
      row.out = tile_.flag_sum.data();
      SumFlagRow(level_, row);
      for (int64_t cell = first; cell < end; ++cell) {
        if (!tile_.cell_flag.data()[cell]) continue;
        const uint32_t extra = band == 0 ? uint32_t{row.weights[5]} * activity[cell] : 0;
        for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
          const int64_t at = (y + 1) * pitch + x + 1, symbol_at = y * blocks_w + x;
          const uint8_t left = tile_.band_sum[gz].data()[at - 1];
          const uint32_t sum =
              row.out[x - first * kCellBlocks] + uint32_t{row.weights[0]} * left + extra;
          const bool value = !kDecode && (tile_.nonzero[pz].data()[symbol_at] & mask) != 0;
          if constexpr (Probe::kActive)
            ProbeFlag(row, x - first * kCellBlocks, activity[cell], group, value);
          const int scale = ScaleClass(sum >> 2, ContextParameters::kClasses);
          if (Bit(value, ContextParameters::FlagContext(group, scale))) {
            CodeBlock(plane, band, y, x, static_cast<int>(std::min(sum >> 5, 255u)));
            ++counts[cell];
          }
        }
      }
    }
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeFlag(const FlagRow& r, int64_t x, int activity,
                                                    int group, bool value) {
  const auto at = [x](const uint8_t* a) { return a != nullptr ? a[x] : 0; };
  const auto around = [&](const uint8_t* a) {
    return a != nullptr ? a[x - 1] + a[x + 1] + a[x - r.pitch] + a[x + r.pitch] : 0;
  };
  const int features[kFlagFeatures] = {
      r.same[x - 1],    r.same[x - r.pitch], r.same[x - r.pitch - 1] + r.same[x - r.pitch + 1],
      at(r.lower),      around(r.lower),     group % kBands == 0 ? activity : at(r.lowest),
      around(r.lowest), at(r.luma),          around(r.luma),
      at(r.other)};
  probe_.Flag(group, features, value);
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeBlock(int plane, int band, int64_t y, int64_t x,
                                                    int scale) {
  const auto pz = static_cast<size_t>(plane), bz = static_cast<size_t>(band);
  const Band& table = kBandTable[bz];
  const BandWeights& weights = p_.band[pz * kBands + bz];
  const int kind = ContextParameters::KindOf(plane, band);
  const int64_t pitch = tile_.block_pitch, at = (y + 1) * pitch + x + 1,
                symbol_at = y * tile_.blocks_w() + x;
  const int64_t first = kBandFirst[bz];
  static constexpr std::array<uint8_t, kLanes> kNoMagnitudes{};
  uint8_t* const block = tile_.magnitude[pz].data() + at * kChannels;
  uint8_t* const m = block + first;
  int16_t* const symbols = tile_.symbols[pz].data() + symbol_at * kChannels;
  BlockEdges* const edges = tile_.edges[pz].data() + at;
  const auto plane_magnitude = [&](size_t p) {
    return tile_.magnitude[p].data() + at * kChannels + first;
  };
  std::array<int16_t, kLanes> fraction{}, luma_symbol{}, other_symbol{};
  const auto clamped = [&](size_t p, std::array<int16_t, kLanes>& out) {
    const int16_t* const from = tile_.symbols[p].data() + symbol_at * kChannels;
    for (size_t i = 0; i < table.size; ++i)
      out[i] = static_cast<int16_t>(std::clamp<int>(from[table.channel[i]], -15, 15));
  };
  if (band < kPredictedBands) {
    for (size_t i = 0; i < table.size; ++i) {
      const int mean = tile_.Mean(plane, y, x, table.channel[i]);
      fraction[i] = static_cast<int16_t>(mean - 16 * TileLatents::Whole(mean));
    }
  }
  if (plane > 0) clamped(0, luma_symbol);
  if (plane > 1) clamped(1, other_symbol);
  const BandNeighbours neighbours{m - kChannels,
                                  m - pitch * kChannels,
                                  m - (pitch + 1) * kChannels,
                                  m - (pitch - 1) * kChannels,
                                  block + (band > 0 ? kBandFirst[bz - 1] : 0),
                                  block + (band > 1 ? kBandFirst[bz - 2] : 0),
                                  plane > 0 ? plane_magnitude(0) : kNoMagnitudes.data(),
                                  plane > 1 ? plane_magnitude(1) : kNoMagnitudes.data(),
                                  scale,
                                  edges,
                                  edges - 1,
                                  edges - pitch,
                                  edges + 1,
                                  edges + pitch,
                                  fraction.data(),
                                  luma_symbol.data(),
                                  other_symbol.data()};
  BandSums sums;
  kernel_(band, weights, neighbours, sums);
  int previous = 0, total = 0;
  bool seen = false;
  std::array<int, kMaxBandSize> values{};
  for (size_t i = 0; i < table.size; ++i) {
    const int c = table.channel[i];
    const int t = sums.mean[i];
    const uint32_t sum = static_cast<uint32_t>(sums.magnitude[i] + weights.previous[i] * previous);
    const int scale_class = ScaleClass(sum >> 2, ContextParameters::kClasses);
    const int remaining = static_cast<int>(table.size - i);
    int value =
        kDecode ? 0
                : symbols[c] -
                      (band < kPredictedBands ? TileLatents::Whole(tile_.Mean(plane, y, x, c)) : 0);
    if constexpr (Probe::kActive) ProbeSymbol(plane, band, i, seen, neighbours, t, previous, value);
    // The flag promised something: the last of a so far empty band cannot be zero.
    const bool implied = !seen && remaining == 1;
    const int zero_state = seen ? 0 : remaining == 2 ? 2 : 1;
    const bool nonzero =
        implied || Bit(value != 0, ContextParameters::ZeroContext(kind, scale_class, zero_state));
    previous = 0;
    if (!nonzero) continue;
    seen = true;
    value = NonZero(value, kind, scale_class, t);
    values[i] = value;
    previous = Clip255(std::abs(value));
    total += previous;
  }
  // Only now: the sums above are those of the band's start.
  for (size_t i = 0; i < table.size; ++i) {
    if (values[i] == 0) continue;
    const int c = table.channel[i];
    if (kDecode) {  // saturates like any 16-bit sum of a symbol and its mean
      symbols[c] = static_cast<int16_t>(std::clamp(symbols[c] + values[i], -32767, 32767));
    }
    m[i] = static_cast<uint8_t>(Clip255(std::abs(values[i])));
    edges->Add(c >> 3, c & 7, values[i]);
  }
  tile_.band_sum[pz * kBands + bz].data()[at] = static_cast<uint8_t>(Clip255(total));
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeSymbol(int plane, int band, size_t i, bool seen,
                                                      const BandNeighbours& n, int t, int previous,
                                                      int value) {
  const auto bz = static_cast<size_t>(band);
  const int c = kBandTable[bz].channel[i];
  const auto u = static_cast<size_t>(c >> 3), v = static_cast<size_t>(c & 7);
  const auto in_block = [&](const uint8_t* base, size_t feature) {
    const uint8_t index = kInBlock[bz][feature][i];
    return index == kNone ? 0 : int{base[index]};
  };
  const int mean[kMeanFeatures] = {n.west->right[v] - n.here->left[v],
                                   n.north->bottom[u] - n.here->top[u],
                                   n.east->left[v] - n.here->right[v],
                                   n.south->top[u] - n.here->bottom[u],
                                   n.fraction[i],
                                   n.luma_symbol[i],
                                   n.other_symbol[i]};
  const int features[kSymbolFeatures] = {n.left[i],
                                         n.up[i],
                                         n.up_left[i] + n.up_right[i],
                                         in_block(n.lower, 0),
                                         in_block(n.lower, 1),
                                         in_block(n.lowest, 2),
                                         in_block(n.lowest, 3) + in_block(n.lowest, 4),
                                         previous,
                                         n.scale,
                                         n.luma[i],
                                         n.other[i],
                                         Clip255(std::abs(t))};
  probe_.Symbol((plane * kChannels + c) | (seen ? 256 : 0), features, mean, value);
}

}  // namespace godwit::swift
