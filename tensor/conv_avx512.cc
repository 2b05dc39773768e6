// Convolution by vpdpbusd: four u8 * s8 products a lane and cycle, summed into s32.
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <utility>

#include "tensor/requantise_avx512.h"

namespace godwit {
namespace {

constexpr int kLanes = 16;
constexpr int kMaxUnits = 3;
constexpr int kMaxPositions = 12;

// Positions of a tile of `units` registers of output channels. Now, on an AMD EPYC (family 25,
// model 17), 3x3 48 runs at 96 % of the peak of vpdpbusd on registers (about 230 G multiply-adds a
// second), 3x3 96 at 98 %, four such groups at 93 %, 1x1 208->96 at 90 %, by bench/conv_bench.
// Tiles were chosen before DotAdd(), when gcc made copies: shares of the peak as it was measured
// then (about 178 G), one thread, 96 x 64 positions, Xeon model 207; medians of 7 interleaved runs
// on a shared machine, where equal code differs by up to 3 points:
//                 3x3 48   3x3 64   3x3 96  3x3 128  1x1 208->96  1x1 96->192
//   up to 4 x 6      94 %     92 %     94 %     90 %         87 %         78 %
//   up to 3 x 8      95 %     87 %     94 %     87 %         89 %         77 %
//   up to 2 x 12     96 %     87 %     87 %     86 %         80 %         71 %
// So four registers won where 64 channels fill them, but not on an AMD EPYC: there the whole
// `medium` synthesis of swift, 64 channels wide, takes 42.5 ns a pixel with them and 33.2 with up
// to three.
constexpr int TilePositions(int units) {
  constexpr int kPositions[kMaxUnits] = {12, 12, 8};
  return kPositions[units - 1];
}

struct TileArgs {
  const uint8_t* in;
  int64_t row_stride, col_stride;
  int rows, cols, steps;  // taps down, taps across, groups of four channels a tap
  const int8_t* weights;
  const UnitConstants<kLanes>* units;
  StoreArgs store;
};

// `P` positions of a row times `N` registers of 16 output channels: P * N <= 24 accumulators, N
// weights and one broadcast input stay in registers.
template <int N, int P>
GODWIT_AVX512 void ConvTile(const TileArgs& a) {
  __m512i acc[P][N];
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) acc[p][n] = _mm512_load_si512(a.units[n].bias);
  }
  const int64_t stride = a.col_stride;
  const int8_t* w = a.weights;
  for (int ky = 0; ky < a.rows; ++ky) {
    for (int kx = 0; kx < a.cols; ++kx) {
      // One pointer for three positions: base, base + stride, base + 2 * stride.
      const uint8_t* base[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        base[i] = a.in + ky * a.row_stride + kx * stride + 3 * i * stride;
      }
      for (int step = 0; step < a.steps; ++step) {
        __m512i weight[N];
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) weight[n] = _mm512_load_si512(w + n * 64);
        w += N * 64;
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) {
          const __m512i x = Broadcast4(base[p / 3] + p % 3 * stride);
#pragma GCC unroll 4
          for (int n = 0; n < N; ++n) DotAdd(acc[p][n], x, weight[n]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) base[i] += 4;
      }
    }
  }
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) {
    const RequantiseUnit unit(a.units[n]);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) acc[p][n] = unit.Apply(acc[p][n]);
  }
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p) StorePosition<N>(acc[p], a.store, p);
}

using Tile = void (*)(const TileArgs&);
template <int N, int... P>
constexpr std::array<Tile, kMaxPositions> TilesOf(std::integer_sequence<int, P...>) {
  return {ConvTile<N, std::min(P + 1, TilePositions(N))>...};
}
template <int N>
constexpr std::array<Tile, kMaxPositions> kTiles =
    TilesOf<N>(std::make_integer_sequence<int, kMaxPositions>());

}  // namespace

PackedConv PackConvAvx512(const ConvWeights& weights) {
  return weights.spec.depthwise() ? PackDepthwise<kLanes>(weights)
                                  : PackBlocks<kLanes>(weights, kMaxUnits);
}

void RunConvAvx512(const PackedConv& packed, const ConvArgs& args) {
  if (packed.spec.depthwise()) return RunDepthwiseAvx512(packed, args);
  const std::array<Tile, kMaxPositions>* const tiles[kMaxUnits] = {&kTiles<1>, &kTiles<2>,
                                                                   &kTiles<3>};
  const auto* units = reinterpret_cast<const UnitConstants<kLanes>*>(packed.constants.data());
  for (int64_t y = 0; y < args.height; ++y) {
    for (const ConvBlock& block : packed.blocks) {
      const int kernel = packed.spec.kernel;
      // Taps of a row are one run of bytes when no channel lies between them.
      const bool joined = args.in_col_stride == block.steps * 4;
      TileArgs tile{.in = nullptr,
                    .row_stride = args.in_row_stride,
                    .col_stride = args.in_col_stride,
                    .rows = kernel,
                    .cols = joined ? 1 : kernel,
                    .steps = joined ? block.steps * kernel : block.steps,
                    .weights = packed.weights.data() + block.weight_offset,
                    .units = units + block.first_unit,
                    .store = StoreArgs(packed.spec, block.first_channel, args)};
      // Tiles of nearly equal width: a narrow last one would wait on its few accumulators.
      const int64_t count =
          (args.width + TilePositions(block.units) - 1) / TilePositions(block.units);
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
