// tensor/requantise_avx512.h: the convolutions' epilogue, 16 output channels a register.
#pragma once

// gcc 12 takes its own _mm512_undefined_epi32() for an uninitialised read (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "tensor/conv_pack.h"

#define GODWIT_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi")))
#define GODWIT_AVX512_INLINE GODWIT_AVX512 __attribute__((always_inline)) inline

namespace godwit {
namespace {

// Four input channels of one position in every lane: a load, no shuffle port.
GODWIT_AVX512_INLINE __m512i Broadcast4(const uint8_t* p) {
  int32_t four;
  std::memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}

// acc + the four products of each lane, u8 * s8. Not the intrinsic: of it gcc 12 makes copies of
// all accumulators, and with 24 of them spills; so 3x3 96 -> 96 took twice as long on an AMD EPYC.
GODWIT_AVX512_INLINE void DotAdd(__m512i& acc, __m512i x, __m512i weights) {
#if defined(__GNUC__) && !defined(__clang__)
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(weights));
#else
  acc = _mm512_dpbusd_epi32(acc, x, weights);
#endif
}

// Exact s64 fixed point; the result fits s32 (proved at load).
struct RequantiseUnit {
  __m512i mult[2], round[2], shift[2];
  GODWIT_AVX512_INLINE explicit RequantiseUnit(const UnitConstants<16>& unit) {
    for (int i = 0; i < 2; ++i) {
      mult[i] = _mm512_load_si512(unit.mult[i]);
      round[i] = _mm512_load_si512(unit.round[i]);
      shift[i] = _mm512_load_si512(unit.shift[i]);
    }
  }
  GODWIT_AVX512_INLINE __m512i Apply(__m512i acc) const {
    // Odd lanes by a shift, not a shuffle: 3x3 96 -> 96 ran at 93 against 90 % of peak, 1x1
    // 208 -> 96 at 87 against 83 %.
    __m512i even = _mm512_mul_epi32(acc, mult[0]);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(acc, 32), mult[1]);
    even = _mm512_srav_epi64(_mm512_add_epi64(even, round[0]), shift[0]);
    odd = _mm512_srav_epi64(_mm512_add_epi64(odd, round[1]), shift[1]);
    return _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA);
  }
};

// Where a block's results go, and what is added on the way.
struct StoreArgs {
  int first_channel;
  __mmask64 mask;  // the block's channels that exist
  uint8_t* out;
  int64_t out_stride;
  const uint8_t* residual;
  int64_t residual_stride;
  int16_t offset;
  uint8_t flip;

  StoreArgs(const ConvSpec& spec, int first, const ConvArgs& args)
      : first_channel(first),
        mask(~uint64_t{0} >> (64 - std::min(spec.out_channels - first, 64))),
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

// Adds the residual in s16, which cannot change what saturates: r beyond s16 is beyond [0, 255]
// with any residual and offset. kTranspose: acc[n] holds channels 16 n..., and packing interleaves
// them by fours; without it acc is in the depthwise order, which packing restores.
template <int N, bool kTranspose = true>
GODWIT_AVX512_INLINE void StorePosition(const __m512i* acc, const StoreArgs& a, int64_t position) {
  const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __mmask64 mask = N == 4 ? a.mask : a.mask & ((uint64_t{1} << (N * 16 % 64)) - 1);
  __m512i low = _mm512_packs_epi32(acc[0], N > 1 ? acc[1 % N] : acc[0]);
  __m512i high = N > 2 ? _mm512_packs_epi32(acc[2 % N], N > 3 ? acc[3 % N] : acc[2 % N]) : low;
  if (a.residual != nullptr) {
    __m512i add = _mm512_maskz_loadu_epi8(mask, a.residual + position * a.residual_stride);
    if (kTranspose) add = _mm512_permutexvar_epi32(transpose, add);
    const __m512i zero = _mm512_setzero_si512();
    low = _mm512_adds_epi16(low, _mm512_unpacklo_epi8(add, zero));
    high = _mm512_adds_epi16(high, _mm512_unpackhi_epi8(add, zero));
  }
  const __m512i offset = _mm512_set1_epi16(a.offset);
  low = _mm512_adds_epi16(low, offset);
  high = _mm512_adds_epi16(high, offset);
  __m512i bytes = _mm512_packus_epi16(low, high);
  if (kTranspose) bytes = _mm512_permutexvar_epi32(transpose, bytes);
  bytes = _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(a.flip)));
  _mm512_mask_storeu_epi8(a.out + position * a.out_stride, mask, bytes);
}

}  // namespace
}  // namespace godwit
