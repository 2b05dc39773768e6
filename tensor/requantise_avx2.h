// tensor/requantise_avx2.h: the convolutions' epilogue, 8 output channels a register.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "tensor/conv_pack.h"

#define GODWIT_AVX2 __attribute__((target("avx2")))
#define GODWIT_AVX2_INLINE GODWIT_AVX2 __attribute__((always_inline)) inline

namespace godwit {
namespace {

GODWIT_AVX2_INLINE __m256i Load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// acc + the four u8 * s8 products of each lane. Exact: weights of 7 bits keep the s16 pairs whole.
GODWIT_AVX2_INLINE __m256i DotAdd(__m256i acc, __m256i x, __m256i weight) {
  const __m256i pairs = _mm256_maddubs_epi16(x, weight);
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// Exact s64 fixed point; the result fits s32 (proved at load). See UnitConstants::fix.
struct RequantiseUnit {
  const UnitConstants<8>& unit;
  GODWIT_AVX2_INLINE explicit RequantiseUnit(const UnitConstants<8>& u) : unit(u) {}
  GODWIT_AVX2_INLINE __m256i Apply(__m256i acc) const {
    __m256i even = _mm256_mul_epi32(acc, Load(unit.mult[0]));
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(acc, 32), Load(unit.mult[1]));
    even = _mm256_add_epi64(even, Load(unit.round[0]));
    odd = _mm256_add_epi64(odd, Load(unit.round[1]));
    even = _mm256_srlv_epi64(even, Load(unit.shift[0]));
    odd = _mm256_srlv_epi64(odd, Load(unit.shift[1]));
    const __m256i both = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return _mm256_sub_epi32(both, Load(unit.fix));
  }
};

// Where a block's results go, and what is added on the way.
struct StoreArgs {
  int first_channel, channels;  // channels of the block that exist
  uint8_t* out;
  int64_t out_stride;
  const uint8_t* residual;
  int64_t residual_stride;
  int16_t offset;
  uint8_t flip;

  StoreArgs(const ConvSpec& spec, int first, const ConvArgs& args)
      : first_channel(first),
        channels(spec.out_channels - first),
        out(nullptr),
        out_stride(args.out_col_stride),
        residual(nullptr),
        residual_stride(args.residual_col_stride),
        offset(args.offset),
        flip(args.flip) {}
  void MoveTo(const ConvArgs& args, int64_t y, int64_t x) {
    out = args.out + y * args.out_row_stride + x * args.out_col_stride + first_channel;
    if (args.residual == nullptr) return;
    residual =
        args.residual + y * args.residual_row_stride + x * args.residual_col_stride + first_channel;
  }
};

// 16 channels as s16, in order, at `channel` of the block. As in requantise_avx512.h, adding in
// s16 cannot change what saturates.
GODWIT_AVX2_INLINE void StoreSixteen(__m256i words, const StoreArgs& a, int64_t position,
                                     int channel) {
  uint8_t* out = a.out + position * a.out_stride + channel;
  const int count = std::min(a.channels - channel, 16);
  alignas(16) uint8_t tail[16] = {};
  if (a.residual != nullptr) {
    const uint8_t* add = a.residual + position * a.residual_stride + channel;
    if (count < 16) add = static_cast<uint8_t*>(std::memcpy(tail, add, count));
    words = _mm256_adds_epi16(
        words, _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(add))));
  }
  words = _mm256_adds_epi16(words, _mm256_set1_epi16(a.offset));
  __m128i bytes =
      _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  bytes = _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(a.flip)));
  if (count == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  } else {
    _mm_store_si128(reinterpret_cast<__m128i*>(tail), bytes);
    std::memcpy(out, tail, count);
  }
}

}  // namespace
}  // namespace godwit
