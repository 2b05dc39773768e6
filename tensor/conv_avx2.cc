// Convolution by maddubs, madd and add: 32 u8 * s8 products in three instructions.
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <utility>

#include "tensor/requantise_avx2.h"

namespace godwit {
namespace {

// Tiles of up to 2 registers x 6 positions. Measured as in conv_avx512.cc, shares of the peak of
// maddubs + madd + add on registers (about 86 G multiply-adds a second): 3x3 48 -> 48 92 %, 96 ->
// 96 94 %, 128 -> 128 95 %, 1x1 208 -> 96 85 %, 96 -> 192 75 %. Other tiles were not tried.
constexpr int kLanes = 8;
constexpr int kMaxUnits = 2;
constexpr int kMaxPositions = 6;

struct TileArgs {
  const uint8_t* in;
  int64_t row_stride, col_stride;
  int rows, cols, steps;  // taps down, taps across, groups of four channels a tap
  const int8_t* weights;
  const UnitConstants<kLanes>* units;
  StoreArgs store;
};

// `P` positions of a row times `N` registers of 8 output channels: P * N <= 12 accumulators, a
// broadcast input, a product and the ones stay in registers; weights are memory operands.
template <int N, int P>
GODWIT_AVX2 void ConvTile(const TileArgs& a) {
  __m256i acc[P][N];
#pragma GCC unroll 6
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 2
    for (int n = 0; n < N; ++n) acc[p][n] = Load(a.units[n].bias);
  }
  const int64_t stride = a.col_stride;
  const int8_t* w = a.weights;
  for (int ky = 0; ky < a.rows; ++ky) {
    for (int kx = 0; kx < a.cols; ++kx) {
      const uint8_t* low = a.in + ky * a.row_stride + kx * stride;
      const uint8_t* high = low + 3 * stride;
      for (int step = 0; step < a.steps; ++step) {
#pragma GCC unroll 6
        for (int p = 0; p < P; ++p) {
          int32_t four;
          std::memcpy(&four, (p < 3 ? low : high) + p % 3 * stride, 4);
          const __m256i x = _mm256_set1_epi32(four);
#pragma GCC unroll 2
          for (int n = 0; n < N; ++n) acc[p][n] = DotAdd(acc[p][n], x, Load(w + n * 32));
        }
        w += N * 32;
        low += 4;
        high += 4;
      }
    }
  }
#pragma GCC unroll 6
  for (int p = 0; p < P; ++p) {
    const __m256i first = RequantiseUnit(a.units[0]).Apply(acc[p][0]);
    const __m256i second = N > 1 ? RequantiseUnit(a.units[N - 1]).Apply(acc[p][N - 1]) : first;
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
    StoreSixteen(words, a.store, p, 0);
  }
}

using Tile = void (*)(const TileArgs&);
template <int N, int... P>
constexpr std::array<Tile, kMaxPositions> TilesOf(std::integer_sequence<int, P...>) {
  return {ConvTile<N, P + 1>...};
}
template <int N>
constexpr std::array<Tile, kMaxPositions> kTiles =
    TilesOf<N>(std::make_integer_sequence<int, kMaxPositions>());

}  // namespace

PackedConv PackConvAvx2(const ConvWeights& weights) {
  return weights.spec.depthwise() ? PackDepthwise<kLanes>(weights)
                                  : PackBlocks<kLanes>(weights, kMaxUnits);
}

void RunConvAvx2(const PackedConv& packed, const ConvArgs& args) {
  if (packed.spec.depthwise()) return RunDepthwiseAvx2(packed, args);
  const std::array<Tile, kMaxPositions>* const tiles[kMaxUnits] = {&kTiles<1>, &kTiles<2>};
  const auto* units = reinterpret_cast<const UnitConstants<kLanes>*>(packed.constants.data());
  const int64_t count = (args.width + kMaxPositions - 1) / kMaxPositions;
  for (int64_t y = 0; y < args.height; ++y) {
    for (const ConvBlock& block : packed.blocks) {
      const int kernel = packed.spec.kernel;
      const bool joined = args.in_col_stride == block.steps * 4;  // see conv_avx512.cc
      TileArgs tile{.in = nullptr,
                    .row_stride = args.in_row_stride,
                    .col_stride = args.in_col_stride,
                    .rows = kernel,
                    .cols = joined ? 1 : kernel,
                    .steps = joined ? block.steps * kernel : block.steps,
                    .weights = packed.weights.data() + block.weight_offset,
                    .units = units + block.first_unit,
                    .store = StoreArgs(packed.spec, block.first_channel, args)};
      tile.store.channels = std::min(tile.store.channels, block.units * kLanes);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t x = args.width * i / count, end = args.width * (i + 1) / count;
        tile.in = args.in + y * args.in_row_stride + x * args.in_col_stride + block.in_offset;
        tile.store.MoveTo(args, y, x);
        (*tiles[block.units - 1])[end - x - 1](tile);
      }
    }
  }
}

}  // namespace godwit
#endif
