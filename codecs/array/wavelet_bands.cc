#include "codecs/array/wavelet_bands.h"

#include <algorithm>
#include <cstring>

#include "transforms/packets.h"

namespace godwit::array {
namespace {

using Sides = std::array<int64_t, 3>;

// Of the low corner that is left after so many levels.
Sides SidesAt(const WaveletShape& shape, int level) {
  Sides sides = shape.sides;
  for (size_t a = 0; a < 3; ++a) {
    for (int i = 0; i < std::min(level, shape.levels[a]); ++i) sides[a] = (sides[a] + 1) / 2;
  }
  return sides;
}

int Levels(const WaveletShape& shape) {
  return *std::max_element(shape.levels.begin(), shape.levels.end());
}

uint32_t ContextOf(const WaveletBand& band) {
  return static_cast<uint32_t>(std::min(band.level, 5) * 4 + band.highs);
}

// The low corner of the box, rows of `sides` samples, to or from a block of its own.
template <bool kGather>
void MoveCorner(const WaveletShape& shape, const Sides& sides, int32_t* box, int32_t* block) {
  const auto bytes = static_cast<size_t>(sides[2]) * sizeof(int32_t);
  for (int64_t z = 0; z < sides[0]; ++z) {
    for (int64_t y = 0; y < sides[1]; ++y, block += sides[2]) {
      int32_t* const row = box + (z * shape.sides[1] + y) * shape.sides[2];
      if constexpr (kGather) {
        std::memcpy(block, row, bytes);
      } else {
        std::memcpy(row, block, bytes);
      }
    }
  }
}

template <bool kForward>
void OneLevel(SimdLevel simd, const WaveletShape& shape, int level, int32_t* data,
              std::vector<int32_t>& scratch) {
  const Sides sides = SidesAt(shape, level);
  std::array<PacketAxis, 3> axes;
  for (size_t a = 0; a < 3; ++a) axes[a] = {sides[a], level < shape.levels[a] ? 1 : 0};
  const bool whole = sides == shape.sides;
  int32_t* const block = whole ? data : scratch.data();
  const auto used = static_cast<size_t>(whole ? 0 : sides[0] * sides[1] * sides[2]);
  if (!whole) MoveCorner<true>(shape, sides, data, block);
  const LiftingKernels& kernels = LiftingKernelsFor(simd);
  const std::span<int32_t> rest(scratch.data() + used, scratch.size() - used);
  if constexpr (kForward) {
    ForwardPackets(kernels, Wavelet::k97, axes, block, rest);
  } else {
    InversePackets(kernels, Wavelet::k97, axes, block, rest);
  }
  if (!whole) MoveCorner<false>(shape, sides, data, block);
}

}  // namespace

WaveletShape ShapeWithLevels(const Sides& sides, int most) {
  WaveletShape shape{sides, {}};
  for (size_t a = 0; a < 3; ++a) {
    for (int64_t n = sides[a]; n >= 8 && shape.levels[a] < most; n = (n + 1) / 2) ++shape.levels[a];
  }
  return shape;
}

std::vector<WaveletBand> BandsOf(const WaveletShape& shape) {
  std::vector<WaveletBand> bands;
  const int levels = Levels(shape);
  WaveletBand lowest;
  lowest.level = levels;
  lowest.size = SidesAt(shape, levels);
  lowest.lows = shape.levels[0] + shape.levels[1] + shape.levels[2];
  lowest.context = ContextOf(lowest);
  bands.push_back(lowest);
  std::vector<int> above, here;  // band numbers by `high`, of the level before and of this one
  for (int level = levels - 1; level >= 0; --level) {
    const Sides whole = SidesAt(shape, level), low = SidesAt(shape, level + 1);
    here.assign(8, -1);
    std::vector<int> order;
    for (unsigned high = 1; high < 8; ++high) {
      WaveletBand band;
      band.level = level;
      band.high = high;
      unsigned splits_above = 0;
      bool exists = true;
      for (size_t a = 0; a < 3; ++a) {
        const bool is_split = level < shape.levels[a], is_high = (high >> (2 - a) & 1) != 0;
        exists &= is_split || !is_high;
        band.begin[a] = is_high ? low[a] : 0;
        band.size[a] = is_high ? whole[a] - low[a] : low[a];
        band.highs += is_high;
        band.lows += std::min(level + 1, shape.levels[a]) - is_high;
        if (level + 1 < shape.levels[a]) splits_above |= 4u >> a;
      }
      if (!exists || band.is_empty()) continue;
      band.context = ContextOf(band);
      if (!above.empty() && above[high & splits_above] >= 0) {
        band.parent = above[high & splits_above];
        for (size_t a = 0; a < 3; ++a) band.halved[a] = (splits_above >> (2 - a) & 1) != 0;
      }
      const size_t first = order.size() > 3 ? order.size() - 3 : 0;
      band.siblings.assign(order.begin() + static_cast<ptrdiff_t>(first), order.end());
      here[high] = static_cast<int>(bands.size());
      order.push_back(here[high]);
      bands.push_back(std::move(band));
    }
    above = here;
  }
  if (bands[0].is_empty()) bands.erase(bands.begin());
  return bands;
}

size_t WaveletScratch(const WaveletShape& shape) {
  const Sides corner = SidesAt(shape, 1);
  std::array<PacketAxis, 3> axes;
  for (size_t a = 0; a < 3; ++a) axes[a] = {shape.sides[a], shape.levels[a] > 0 ? 1 : 0};
  return static_cast<size_t>(corner[0] * corner[1] * corner[2]) + PacketScratch(axes);
}

void ForwardWavelet(SimdLevel simd, const WaveletShape& shape, int32_t* data,
                    std::vector<int32_t>& scratch) {
  for (int level = 0; level < Levels(shape); ++level) {
    OneLevel<true>(simd, shape, level, data, scratch);
  }
}
void InverseWavelet(SimdLevel simd, const WaveletShape& shape, int32_t* data,
                    std::vector<int32_t>& scratch) {
  for (int level = Levels(shape); level-- > 0;) {
    OneLevel<false>(simd, shape, level, data, scratch);
  }
}

int64_t LiftingScale(int n) {
  int64_t scale = 1 << 16;
  for (int i = 0; i < n; ++i) scale = (scale * 75340 + (1 << 15)) >> 16;
  for (int i = 0; i > n; --i) scale = (scale * 57007 + (1 << 15)) >> 16;
  return scale;
}

}  // namespace godwit::array
