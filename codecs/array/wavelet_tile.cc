#include "codecs/array/wavelet_tile.h"

#include <algorithm>

namespace godwit::array {
namespace {

constexpr size_t kMixRun = 256;

void DequantiseComponent(const WaveletTile& tile, size_t component, uint64_t step, int32_t* out) {
  const std::array<int64_t, 3>& sides = tile.shape.sides;
  for (size_t b = 0; b < tile.bands.size(); ++b) {
    const WaveletBand& band = tile.bands[b];
    const BandSymbols& s = tile.symbols[component * tile.bands.size() + b];
    const int64_t band_step = BandStep(step, band);
    for (int64_t z = 0; z < band.size[0]; ++z) {
      for (int64_t y = 0; y < band.size[1]; ++y) {
        const int32_t* const from = s.symbols.data() + s.At(z, y, 0);
        int32_t* const to =
            out + ((band.begin[0] + z) * sides[1] + band.begin[1] + y) * sides[2] + band.begin[2];
        for (int64_t x = 0; x < band.size[2]; ++x) {
          to[x] = Dequantised(from[x], band_step, tile.points[b]);
        }
      }
    }
  }
}

}  // namespace

WaveletShape ShapeOf(const ArrayHeader& header, const BoxOrder& order) {
  WaveletShape shape =
      ShapeWithLevels({order.places, order.height, order.width}, kMaxWaveletLevels);
  for (size_t a = 0; a < 3; ++a) shape.levels[a] = std::min<int>(shape.levels[a], header.levels[a]);
  return shape;
}

uint64_t WaveletWorkBytes(const ArrayHeader& header, const BoxOrder& order) {
  const WaveletShape shape = ShapeOf(header, order);
  // In floating point, since sides up to 2^40 are looked at before they are refused.
  const auto product = [](double a, int64_t b) { return a * static_cast<double>(b); };
  double of_channel = 0;
  for (const WaveletBand& band : BandsOf(shape)) {
    double count = band.high == 0 ? 2 : 1;
    for (size_t a = 0; a < 3; ++a) {
      const bool is_there = shape.sides[a] > 1 || a == 2;
      if (is_there) {
        count = product(count, band.size[a] + BandSymbols::kBefore[a] + BandSymbols::kAfter[a]);
      }
    }
    of_channel += count * sizeof(int32_t) + sizeof(BandSymbols) + 64;  // 64: of two allocations
  }
  double samples = 1, with_room = 1;
  int64_t longest = 1;
  for (const int64_t side : shape.sides) {
    samples = product(samples, side);
    with_room = product(with_room, side > 1 ? side + 6 : 1);
    longest = std::max(longest, side);
  }
  // Components and channels; exceptions with room around; the scratch of transforms.
  of_channel += samples * 8 + with_room * 5 + 5 * 8;
  constexpr double kModels = 1 << 20;
  const double bytes =
      product(of_channel, order.channels) + samples * 4 + product(64 * 2 * 4, longest) + kModels;
  return bytes < 1e18 ? static_cast<uint64_t>(bytes) : ~uint64_t{0};
}

namespace {

// A run of one channel from those of the components, `count` samples apart.
void MixRun(const int32_t* weights, const int32_t* parts, size_t components, size_t count,
            size_t run, int32_t* out) {
  constexpr int64_t kMost = int64_t{1} << 30;
  std::array<int64_t, kMixRun> sums;
  sums.fill(1 << (kMixBits - 1));
  for (size_t k = 0; k < components; ++k, parts += count) {
    for (size_t i = 0; i < run; ++i) sums[i] += int64_t{weights[k]} * parts[i];
  }
  for (size_t i = 0; i < run; ++i) {
    out[i] = static_cast<int32_t>(std::clamp(sums[i] >> kMixBits, -kMost, kMost));
  }
}

}  // namespace

std::vector<int32_t> SynthesisedComponents(const WaveletTile& tile, uint64_t step, SimdLevel simd) {
  const auto count = static_cast<size_t>(tile.shape.count());
  std::vector<int32_t> scratch(WaveletScratch(tile.shape));
  const auto components = static_cast<size_t>(tile.components);
  std::vector<int32_t> parts(count * components);
  for (size_t k = 0; k < components; ++k) {
    DequantiseComponent(tile, k, step, parts.data() + k * count);
    InverseWavelet(simd, tile.shape, parts.data() + k * count, scratch);
  }
  return parts;
}

std::vector<int32_t> MixedChannels(const WaveletTile& tile, std::vector<int32_t> parts) {
  if (tile.mix_precision == 0) return parts;
  const auto count = static_cast<size_t>(tile.shape.count());
  const auto components = static_cast<size_t>(tile.components);
  const auto channels = static_cast<size_t>(tile.channels);
  std::vector<int32_t> out(count * channels);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < count; i += kMixRun) {
      MixRun(tile.mix.data() + c * components, parts.data() + i, components, count,
             std::min(kMixRun, count - i), out.data() + c * count + i);
    }
  }
  return out;
}

}  // namespace godwit::array
