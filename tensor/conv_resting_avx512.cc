// 1x1 convolutions of input that is mostly the same: only what differs is multiplied.
#if defined(__x86_64__)
#include <array>

#include "tensor/requantise_avx512.h"

namespace godwit {
namespace {

constexpr int kLanes = 16;
constexpr int64_t kPiece = 128;  // positions whose masks are at hand

// Above as many groups a position, the dense kernel, which shares its loads of weights among twelve
// positions, is faster.
constexpr int kMostGroups = 24;

// A bit for each group of four channels that differs from its rest.
GODWIT_AVX512_INLINE uint64_t GroupsThatDiffer(const uint8_t* in, const uint8_t* rest, int steps) {
  uint64_t mask = 0;
  for (int i = 0; i < (steps + 15) / 16; ++i) {
    const __m512i x = _mm512_loadu_si512(in + 64 * i), r = _mm512_load_si512(rest + 64 * i);
    mask |= uint64_t{_mm512_cmpneq_epi32_mask(x, r)} << (16 * i);
  }
  return mask & (~uint64_t{0} >> (64 - steps));
}

struct RestingArgs {
  const uint8_t* in;
  int64_t col_stride;
  const uint64_t* masks;
  int64_t count;          // positions
  const int8_t* weights;  // [step][unit][lane][4]
  const int32_t* sums;    // [unit][lane]
  const int32_t* groups;  // [step][unit][lane]
  const UnitConstants<kLanes>* units;
  StoreArgs store;
};

template <int N>
GODWIT_AVX512 void RestingRow(const RestingArgs& a) {
  for (int64_t x = 0; x < a.count; ++x) {
    const uint8_t* const in = a.in + x * a.col_stride;
    __m512i acc[N], less[N];
#pragma GCC unroll 3
    for (int n = 0; n < N; ++n) {
      acc[n] = _mm512_load_si512(a.sums + n * kLanes);
      less[n] = _mm512_setzero_si512();
    }
    for (uint64_t mask = a.masks[x]; mask != 0; mask &= mask - 1) {
      const int group = __builtin_ctzll(mask);
      const __m512i four = Broadcast4(in + 4 * group);
      const int64_t at = int64_t{group} * N * kLanes;
#pragma GCC unroll 3
      for (int n = 0; n < N; ++n) {
        DotAdd(acc[n], four, _mm512_load_si512(a.weights + 4 * (at + n * kLanes)));
        less[n] = _mm512_add_epi32(less[n], _mm512_load_si512(a.groups + at + n * kLanes));
      }
    }
#pragma GCC unroll 3
    for (int n = 0; n < N; ++n)
      acc[n] = RequantiseUnit(a.units[n]).Apply(_mm512_sub_epi32(acc[n], less[n]));
    StorePosition<N>(acc, a.store, x);
  }
}

using Row = void (*)(const RestingArgs&);
constexpr std::array<Row, 3> kRows = {RestingRow<1>, RestingRow<2>, RestingRow<3>};

}  // namespace

GODWIT_AVX512 void RunRestingAvx512(const PackedConv& packed, const RestingConv& resting,
                                    const ConvArgs& args) {
  const int steps = packed.blocks[0].steps;
  const auto* units = reinterpret_cast<const UnitConstants<kLanes>*>(packed.constants.data());
  std::array<uint64_t, kPiece> masks;
  for (int64_t y = 0; y < args.height; ++y) {
    for (int64_t x = 0; x < args.width; x += kPiece) {
      const int64_t count = std::min(kPiece, args.width - x);
      const uint8_t* const in = args.in + y * args.in_row_stride + x * args.in_col_stride;
      int64_t groups = 0;
      for (int64_t i = 0; i < count; ++i) {
        const uint64_t mask =
            GroupsThatDiffer(in + i * args.in_col_stride, resting.rest.data(), steps);
        masks[static_cast<size_t>(i)] = mask;
        groups += __builtin_popcountll(mask);
      }
      if (groups > count * kMostGroups) {
        ConvArgs piece = args;
        piece.in = in;
        piece.out += y * args.out_row_stride + x * args.out_col_stride;
        if (args.residual != nullptr)
          piece.residual += y * args.residual_row_stride + x * args.residual_col_stride;
        piece.height = 1;
        piece.width = count;
        RunConvAvx512(packed, piece);
        continue;
      }
      for (const ConvBlock& block : packed.blocks) {
        RestingArgs row{.in = in,
                        .col_stride = args.in_col_stride,
                        .masks = masks.data(),
                        .count = count,
                        .weights = packed.weights.data() + block.weight_offset,
                        .sums = resting.sums.data() + block.first_unit * kLanes,
                        .groups = resting.groups.data() + block.weight_offset / 4,
                        .units = units + block.first_unit,
                        .store = StoreArgs(packed.spec, block.first_channel, args)};
        row.store.MoveTo(args, y, x);
        kRows[static_cast<size_t>(block.units) - 1](row);
      }
    }
  }
}

}  // namespace godwit
#endif
