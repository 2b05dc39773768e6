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

#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_tile.h"
#include "entropy/adaptive_bit.h"

namespace godwit::swift {

inline constexpr int kAdaptRate = 6;  // measured on training pictures: 5 costs 0.5 % more, 7 0.2 %

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
  static void Cell(int, const int*, bool) {}
  static void Flag(int, const int*, bool) {}
  static void Symbol(int, const int*, const int*, int) {}
  static void Coarse(int, const int*, const int*, int) {}
};

template <typename Coder, bool kDecode, typename Probe = NoProbe>
class ContextCoder {
 public:
  ContextCoder(const ContextParameters& p, ContextState& state, TileLatents& tile, Coder& coder,
               Probe probe = {})
      : p_(p), state_(state), tile_(tile), coder_(coder), probe_(probe) {}

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
  void CodeCells(int group, int plane, int band, int cell_row);
  void CodeBlock(int plane, int band, int64_t at, int64_t symbol_at, int scale);

  const ContextParameters& p_;
  ContextState& state_;
  TileLatents& tile_;
  Coder& coder_;
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
      if (kDecode) q[0] = static_cast<int16_t>(std::clamp(value + mean, -32767, 32767));
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
        if (kDecode) q[c] = static_cast<int16_t>(value);
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
void ContextCoder<Coder, kDecode, Probe>::CodeCells(int group, int plane, int band, int cell_row) {
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
  const int64_t pitch = tile_.block_pitch;
  const uint64_t mask = kBandTable[static_cast<size_t>(band)].mask;
  uint8_t* const sums = tile_.band_sum[group].data();
  const uint8_t* const lower =
      band > 0 ? tile_.band_sum[group - 1].data() : tile_.gradient[plane].data();
  const uint8_t* const lowest = band > 1    ? tile_.band_sum[group - 2].data()
                                : band == 1 ? tile_.gradient[plane].data()
                                            : nullptr;
  const uint8_t* const luma = plane > 0 ? tile_.band_sum[band].data() : nullptr;
  const uint8_t* const other = plane > 1 ? tile_.band_sum[kBands + band].data() : nullptr;
  const auto& w = p_.flag_weights[static_cast<size_t>(group)];
  const int64_t blocks_w = tile_.cells_w * kCellBlocks;
  const auto around = [pitch](const uint8_t* a) { return a[-1] + a[1] + a[-pitch] + a[pitch]; };
  for (int cell_row = 0; cell_row < tile_.cells_h; ++cell_row) {
    CodeCells(group, plane, band, cell_row);
    uint8_t* const counts =
        tile_.cell_count[group].data() + (cell_row + 1) * tile_.coarse_pitch + 1;
    for (int64_t y = int64_t{cell_row} * kCellBlocks; y < (cell_row + 1) * kCellBlocks; ++y) {
      for (int64_t cell = 0; cell < tile_.cells_w; ++cell) {
        if (!tile_.cell_flag.data()[static_cast<size_t>(cell)]) continue;
        for (int64_t x = cell * kCellBlocks; x < (cell + 1) * kCellBlocks; ++x) {
          const int64_t at = (y + 1) * pitch + x + 1;  // in arrays with a border
          const uint8_t* const s = sums + at;
          const int cell_sum =
              tile_.coarse_activity[plane].data()[(cell_row + 1) * tile_.coarse_pitch + cell + 1];
          const int features[kFlagFeatures] = {s[-1],
                                               s[-pitch],
                                               s[-pitch - 1] + s[-pitch + 1],
                                               lower[at],
                                               around(lower + at),
                                               lowest != nullptr ? lowest[at] : cell_sum,
                                               lowest != nullptr ? around(lowest + at) : 0,
                                               luma != nullptr ? luma[at] : 0,
                                               luma != nullptr ? around(luma + at) : 0,
                                               other != nullptr ? other[at] : 0};
          uint32_t sum = p_.flag_bias[static_cast<size_t>(group)];
          for (size_t i = 0; i < kFlagFeatures; ++i)
            sum += static_cast<uint32_t>(w[i] * features[i]);
          const int64_t symbol_at = y * blocks_w + x;
          const bool value = !kDecode && (tile_.nonzero[plane].data()[symbol_at] & mask) != 0;
          probe_.Flag(group, features, value);
          const int scale = ScaleClass(sum >> 2, ContextParameters::kClasses);
          if (Bit(value, ContextParameters::FlagContext(group, scale))) {
            CodeBlock(plane, band, at, symbol_at, Clip255(static_cast<int>(sum >> 5)));
            ++counts[cell];
          }
        }
      }
    }
  }
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::CodeBlock(int plane, int band, int64_t at,
                                                    int64_t symbol_at, int scale) {
  const Band& table = kBandTable[static_cast<size_t>(band)];
  const int kind = ContextParameters::KindOf(plane, band);
  const int64_t pitch = tile_.block_pitch;
  uint8_t* const m = tile_.magnitude[plane].data() + at * kChannels;
  int16_t* const symbols = tile_.symbols[plane].data() + symbol_at * kChannels;
  BlockEdges* const edges = tile_.edges[plane].data() + at;
  const uint8_t* const luma = plane > 0 ? tile_.magnitude[0].data() + at * kChannels : nullptr;
  const uint8_t* const other = plane > 1 ? tile_.magnitude[1].data() + at * kChannels : nullptr;
  const int16_t* const luma_symbols =
      plane > 0 ? tile_.symbols[0].data() + symbol_at * kChannels : nullptr;
  const int16_t* const other_symbols =
      plane > 1 ? tile_.symbols[1].data() + symbol_at * kChannels : nullptr;
  const int64_t left = -kChannels, up = -pitch * kChannels;
  int previous = 0, total = 0;
  bool seen = false;
  for (int i = 0; i < table.size; ++i) {
    const int c = table.channel[static_cast<size_t>(i)], u = c >> 3, v = c & 7;
    const size_t channel = static_cast<size_t>(plane * kChannels + c);
    const auto uz = static_cast<size_t>(u), vz = static_cast<size_t>(v);
    // What each neighbour shows at the common border, less what this block already shows there.
    const int mean_features[kMeanFeatures] = {
        edges[-1].right[vz] - edges->left[vz],
        edges[-pitch].bottom[uz] - edges->top[uz],
        edges[1].left[vz] - edges->right[vz],
        edges[pitch].top[uz] - edges->bottom[uz],
        tile_.MeanFraction(plane, symbol_at, c),
        luma_symbols != nullptr ? std::clamp<int>(luma_symbols[c], -15, 15) : 0,
        other_symbols != nullptr ? std::clamp<int>(other_symbols[c], -15, 15) : 0};
    const auto& mw = p_.mean_weights[channel];
    int t = 512;
    for (size_t k = 0; k < kMeanFeatures; ++k) t += mw[k] * mean_features[k];
    t = std::clamp(t >> 10, -4095, 4095);
    const int features[kSymbolFeatures] = {m[left + c],
                                           m[up + c],
                                           m[up + left + c] + m[up - left + c],
                                           u > 0 ? m[c - 8] : 0,
                                           v > 0 ? m[c - 1] : 0,
                                           u > 0 && v > 0 ? m[c - 9] : 0,
                                           (u > 1 ? m[c - 16] : 0) + (v > 1 ? m[c - 2] : 0),
                                           previous,
                                           scale,
                                           luma != nullptr ? luma[c] : 0,
                                           other != nullptr ? other[c] : 0,
                                           Clip255(std::abs(t))};
    const auto& w = p_.symbol_weights[channel];
    uint32_t sum = p_.symbol_bias[channel];
    for (size_t k = 0; k < kSymbolFeatures; ++k) sum += static_cast<uint32_t>(w[k] * features[k]);
    const int scale_class = ScaleClass(sum >> 2, ContextParameters::kClasses);
    const int remaining = table.size - i;
    int value = kDecode ? 0 : tile_.Residual(plane, symbol_at, c);
    probe_.Symbol(static_cast<int>(channel) | (seen ? 256 : 0), features, mean_features, value);
    // The flag promised something: the last of a so far empty band cannot be zero.
    const bool implied = !seen && remaining == 1;
    const int zero_state = seen ? 0 : remaining == 2 ? 2 : 1;
    const bool nonzero =
        implied || Bit(value != 0, ContextParameters::ZeroContext(kind, scale_class, zero_state));
    previous = 0;
    if (!nonzero) continue;
    seen = true;
    value = NonZero(value, kind, scale_class, t);
    if (kDecode) {
      // Saturates like any 16-bit sum of a symbol and its mean.
      symbols[c] = static_cast<int16_t>(std::clamp(symbols[c] + value, -32767, 32767));
      tile_.nonzero[plane].data()[symbol_at] |= uint64_t{1} << c;
    }
    previous = Clip255(std::abs(value));
    m[c] = static_cast<uint8_t>(previous);
    total += previous;
    edges->Add(u, v, value);
  }
  tile_.band_sum[plane * kBands + band].data()[at] = static_cast<uint8_t>(Clip255(total));
}

}  // namespace godwit::swift
