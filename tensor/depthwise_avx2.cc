// Depthwise convolution by maddubs: lanes are channels, the four products of a lane are taps.
#if defined(__x86_64__)
#include "tensor/requantise_avx2.h"

namespace godwit {
namespace {

// 32 channels of four taps become four registers of 8 channels x 4 taps (the depthwise order).
GODWIT_AVX2_INLINE void Interleave(const __m256i tap[4], __m256i out[4]) {
  const __m256i low01 = _mm256_unpacklo_epi8(tap[0], tap[1]);
  const __m256i high01 = _mm256_unpackhi_epi8(tap[0], tap[1]);
  const __m256i low23 = _mm256_unpacklo_epi8(tap[2], tap[3]);
  const __m256i high23 = _mm256_unpackhi_epi8(tap[2], tap[3]);
  out[0] = _mm256_unpacklo_epi16(low01, low23);
  out[1] = _mm256_unpackhi_epi16(low01, low23);
  out[2] = _mm256_unpacklo_epi16(high01, high23);
  out[3] = _mm256_unpackhi_epi16(high01, high23);
}

}  // namespace

GODWIT_AVX2 void RunDepthwiseAvx2(const PackedConv& packed, const ConvArgs& args) {
  const int quads = DepthwiseQuads(packed.spec);
  const TapOffsets offsets = DepthwiseTapOffsets(packed.spec, args);
  const auto* constants = reinterpret_cast<const UnitConstants<8>*>(packed.constants.data());
  for (int64_t y = 0; y < args.height; ++y) {
    for (const ConvBlock& block : packed.blocks) {
      const UnitConstants<8>* units = constants + block.first_unit;
      StoreArgs store(packed.spec, block.first_channel, args);
      store.MoveTo(args, y, 0);
      const uint8_t* in = args.in + y * args.in_row_stride + block.in_offset;
      for (int64_t x = 0; x < args.width; ++x, in += args.in_col_stride) {
        __m256i acc[4];
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) acc[n] = Load(units[n].bias);
        const int8_t* weights = packed.weights.data() + block.weight_offset;
        for (int q = 0; q < quads; ++q, weights += 128) {
          __m256i tap[4], mixed[4];
#pragma GCC unroll 4
          for (int t = 0; t < 4; ++t) tap[t] = Load(in + offsets[q * 4 + t]);
          Interleave(tap, mixed);
#pragma GCC unroll 4
          for (int n = 0; n < 4; ++n) acc[n] = DotAdd(acc[n], mixed[n], Load(weights + n * 32));
        }
#pragma GCC unroll 4
        for (int n = 0; n < 4; ++n) acc[n] = RequantiseUnit(units[n]).Apply(acc[n]);
        // Per half register: channels 0-7 of sixteen in `low`, 8-15 in `high`.
        const __m256i low = _mm256_packs_epi32(acc[0], acc[1]);
        const __m256i high = _mm256_packs_epi32(acc[2], acc[3]);
        StoreSixteen(_mm256_permute2x128_si256(low, high, 0x20), store, x, 0);
        if (store.channels > 16) {
          StoreSixteen(_mm256_permute2x128_si256(low, high, 0x31), store, x, 16);
        }
      }
    }
  }
}

}  // namespace godwit
#endif
