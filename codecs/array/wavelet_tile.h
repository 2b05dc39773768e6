// codecs/array/wavelet_tile.h: a tile as quantised wavelet coefficients; what encoder and decoder
// share. docs/format/array.md section 8.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/array/array_header.h"
#include "codecs/array/wavelet_bands.h"
#include "codecs/array/wavelet_context.h"

namespace godwit::array {

// Channels mixed from components: channel c = sum of row c times the components, >> kMixBits.
inline constexpr int kMixBits = 14;
inline constexpr int64_t kMaxMixedChannels = 256;

// What a magnitude of 1, and a larger one, is less than its whole number of steps, in 1/64 steps.
struct BandPoints {
  int32_t one = 0, more = 0;
};
inline constexpr int kPointBits = 6;

struct WaveletTile {
  WaveletShape shape;
  std::vector<WaveletBand> bands;
  int64_t channels = 1, components = 1;
  int mix_precision = 0;             // of the matrix, in bits; 0: channels are components
  std::vector<int32_t> mix;          // channels x components, in 2^-kMixBits
  std::vector<BandSymbols> symbols;  // of band b of component c at c * bands.size() + b
  std::vector<BandPoints> points;    // by band
};

WaveletShape ShapeOf(const ArrayHeader& header, const BoxOrder& order);

// Bytes that a decoder takes for such a tile.
uint64_t WaveletWorkBytes(const ArrayHeader& header, const BoxOrder& order);

// The step of a band's coefficients as lifting leaves them, in 2^-16.
inline int64_t BandStep(uint64_t step, const WaveletBand& band) {
  // Below 2^40 * 2^21.
  return std::max<int64_t>(
      1, (static_cast<int64_t>(step) * LiftingScale(band.highs - band.lows)) >> 16);
}

// A coefficient's value; limited to +-2^30.
inline int32_t Dequantised(int32_t symbol, int64_t step, const BandPoints& points) {
  if (symbol == 0) return 0;
  const int64_t size = symbol < 0 ? -int64_t{symbol} : symbol;
  const int64_t parts = (size << kPointBits) - (size == 1 ? points.one : points.more);
  constexpr int64_t kMost = int64_t{1} << 30;
  constexpr int kShift = 16 + kPointBits;
  // Steps have up to 2^46, parts up to 2^32: a product is formed only where it fits.
  if (parts > (kMost << kShift) / step) return static_cast<int32_t>(symbol < 0 ? -kMost : kMost);
  const int64_t v = (parts * step + (int64_t{1} << (kShift - 1))) >> kShift;
  return static_cast<int32_t>(symbol < 0 ? -v : v);
}

template <typename Coder>
Status CodeMix(Coder& coder, WaveletTile& tile) {
  tile.mix_precision =
      static_cast<int>(coder.CodeRaw(static_cast<uint32_t>(tile.mix_precision), 4));
  if (tile.mix_precision == 0) {
    tile.components = tile.channels;
    return {};
  }
  if (tile.mix_precision > kMixBits || tile.channels > kMaxMixedChannels) {
    return Status(StatusCode::kCorrupt, "channels mixed that cannot be");
  }
  tile.components =
      static_cast<int64_t>(coder.CodeRaw(static_cast<uint32_t>(tile.components - 1), 8)) + 1;
  if (tile.components > tile.channels)
    return Status(StatusCode::kCorrupt, "more components than channels");
  tile.mix.resize(static_cast<size_t>(tile.channels * tile.components));
  const int shift = kMixBits - tile.mix_precision;
  GammaModel model;
  for (int64_t k = 0; k < tile.components; ++k) {
    int64_t last = 0;
    for (int64_t c = 0; c < tile.channels; ++c) {  // each after the one before: bands are alike
      int32_t& weight = tile.mix[static_cast<size_t>(c * tile.components + k)];
      const int64_t v = last + CodeSignedGamma(coder, model, (weight >> shift) - last);
      last = std::clamp<int64_t>(v, -(1 << 15), 1 << 15);
      weight = static_cast<int32_t>(std::clamp<int64_t>(last * (1 << shift), -(1 << 15), 1 << 15));
    }
  }
  return {};
}

template <typename Coder>
void CodePoints(Coder& coder, WaveletTile& tile) {
  GammaModel model;
  tile.points.resize(tile.bands.size());
  for (BandPoints& p : tile.points) {
    for (int32_t* v : {&p.one, &p.more}) {
      *v = static_cast<int32_t>(std::clamp<int64_t>(CodeSignedGamma(coder, model, *v), -63, 63));
    }
  }
}

// Symbols to samples of all components, component after component.
std::vector<int32_t> SynthesisedComponents(const WaveletTile& tile, uint64_t step, SimdLevel simd);
// Those of all channels, channel after channel: values of `map` before its offset.
std::vector<int32_t> MixedChannels(const WaveletTile& tile, std::vector<int32_t> components);

}  // namespace godwit::array
