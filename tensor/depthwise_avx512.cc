// Depthwise convolution by vpdpbusd: lanes are channels, the four products of a lane are taps.
#if defined(__x86_64__)
#include "tensor/requantise_avx512.h"

namespace godwit {
namespace {

// 64 channels of four taps become four registers of 16 channels x 4 taps (the depthwise order).
GODWIT_AVX512_INLINE void Interleave(const __m512i tap[4], __m512i out[4]) {
  const __m512i low01 = _mm512_unpacklo_epi8(tap[0], tap[1]);
  const __m512i high01 = _mm512_unpackhi_epi8(tap[0], tap[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(tap[2], tap[3]);
  const __m512i high23 = _mm512_unpackhi_epi8(tap[2], tap[3]);
  out[0] = _mm512_unpacklo_epi16(low01, low23);
  out[1] = _mm512_unpackhi_epi16(low01, low23);
  out[2] = _mm512_unpacklo_epi16(high01, high23);
  out[3] = _mm512_unpackhi_epi16(high01, high23);
}

}  // namespace

// 3x3: about 24 G multiply-adds a second (14 % of peak), most of it shuffles and the epilogue. Two
// positions at once, sharing the loads of weights and constants, were no faster.
GODWIT_AVX512 void RunDepthwiseAvx512(const PackedConv& packed, const ConvArgs& args) {
  const int quads = DepthwiseQuads(packed.spec);
  const TapOffsets offsets = DepthwiseTapOffsets(packed.spec, args);
  const auto* constants = reinterpret_cast<const UnitConstants<16>*>(packed.constants.data());
  for (int64_t y = 0; y < args.height; ++y) {
    for (const ConvBlock& block : packed.blocks) {
      const UnitConstants<16>* units = constants + block.first_unit;
      StoreArgs store(packed.spec, block.first_channel, args);
      store.MoveTo(args, y, 0);
      const uint8_t* in = args.in + y * args.in_row_stride + block.in_offset;
      for (int64_t x = 0; x < args.width; ++x, in += args.in_col_stride) {
        __m512i acc[4];
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) acc[n] = _mm512_load_si512(units[n].bias);
        const int8_t* weights = packed.weights.data() + block.weight_offset;
        for (int q = 0; q < quads; ++q, weights += 256) {
          __m512i tap[4], mixed[4];
#pragma GCC unroll 4
          for (int t = 0; t < 4; ++t) tap[t] = _mm512_loadu_si512(in + offsets[q * 4 + t]);
          Interleave(tap, mixed);
#pragma GCC unroll 4
          for (int n = 0; n < 4; ++n) DotAdd(acc[n], mixed[n], _mm512_load_si512(weights + n * 64));
        }
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) acc[n] = RequantiseUnit(units[n]).Apply(acc[n]);
        StorePosition<4, false>(acc, store, x);
      }
    }
  }
}

}  // namespace godwit
#endif
