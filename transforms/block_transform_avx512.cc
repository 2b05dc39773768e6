// AVX-512 kernels: 32 samples, four blocks, at a time. Equal to the scalar ones for every input
// that pixels can give; those of the inverse for every input.
#include "transforms/block_transform.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")))

namespace godwit {
namespace {

using V = __m512i;
constexpr size_t kLanes = 32;

KERNEL inline V Load(const void* p) { return _mm512_loadu_si512(p); }
KERNEL inline void Store(void* p, V v) { _mm512_storeu_si512(p, v); }
KERNEL inline V Set32(int32_t v) { return _mm512_set1_epi32(v); }
KERNEL inline V Add32(V a, V b) { return _mm512_add_epi32(a, b); }
KERNEL inline V Madd(V a, V b) { return _mm512_madd_epi16(a, b); }
KERNEL inline V Add16(V a, V b) { return _mm512_add_epi16(a, b); }
KERNEL inline V Sub16(V a, V b) { return _mm512_sub_epi16(a, b); }
KERNEL inline V Dot(V acc, V a, V b) { return _mm512_dpwssd_epi32(acc, a, b); }  // acc + Madd(a, b)
KERNEL inline V Min32(V a, V b) { return _mm512_min_epi32(a, b); }
KERNEL inline V Max32(V a, V b) { return _mm512_max_epi32(a, b); }
KERNEL inline V LoadBytes(const int8_t* p) {  // to 16 bits
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
KERNEL inline V Lo16(V a, V b) { return _mm512_unpacklo_epi16(a, b); }
KERNEL inline V Hi16(V a, V b) { return _mm512_unpackhi_epi16(a, b); }
KERNEL inline V Lo32(V a, V b) { return _mm512_unpacklo_epi32(a, b); }
KERNEL inline V Hi32(V a, V b) { return _mm512_unpackhi_epi32(a, b); }
KERNEL inline V Lo64(V a, V b) { return _mm512_unpacklo_epi64(a, b); }
KERNEL inline V Hi64(V a, V b) { return _mm512_unpackhi_epi64(a, b); }
KERNEL inline V Pack32(V a, V b) { return _mm512_packs_epi32(a, b); }
template <int kShift>
KERNEL inline V Sra32(V v) {
  return _mm512_srai_epi32(v, kShift);
}
KERNEL inline __m128i Block(V v, int i) {
  switch (i) {
    case 0:
      return _mm512_castsi512_si128(v);
    case 1:
      return _mm512_extracti32x4_epi32(v, 1);
    case 2:
      return _mm512_extracti32x4_epi32(v, 2);
    default:
      return _mm512_extracti32x4_epi32(v, 3);
  }
}
KERNEL inline V FromBlocks(const int16_t* p) {  // the same eight coefficients of four blocks
  const auto block = [p](size_t i)
      __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 64 * i));
  };
  V v = _mm512_castsi128_si512(block(0));
  v = _mm512_inserti32x4(v, block(1), 1);
  v = _mm512_inserti32x4(v, block(2), 2);
  return _mm512_inserti32x4(v, block(3), 3);
}

KERNEL inline V Pair(int32_t a, int32_t b) {
  return Set32(
      static_cast<int32_t>(static_cast<uint32_t>(b) << 16 | static_cast<uint32_t>(a & 0xffff)));
}

#include "transforms/block_transform_passes.inc"

// Bytes 0..63 of a permutation index, from a function of the byte number; 0x80 marks a zero.
struct ByteIndex {
  alignas(64) uint8_t at[64];
  uint64_t keep = 0;
};
template <typename F>
constexpr ByteIndex MakeIndex(F f) {
  ByteIndex index{};
  for (int i = 0; i < 64; ++i) {
    const int from = f(i);
    index.at[i] = static_cast<uint8_t>(from < 0 ? 0 : from);
    index.keep |= uint64_t{from >= 0} << i;
  }
  return index;
}
// Sixteen pixels: byte 4k holds r (or b) of pixel k and byte 4k + 2 holds g.
constexpr ByteIndex kRgIndex =
    MakeIndex([](int i) { return i % 2 != 0 ? -1 : i / 4 * 3 + i % 4 / 2; });
constexpr ByteIndex kBlueIndex = MakeIndex([](int i) { return i % 4 != 0 ? -1 : i / 4 * 3 + 2; });

KERNEL void ColourForward(const BlockTransform& t, const uint8_t* rgb, size_t n,
                          int16_t* const planes[3]) {
  V m_rg[3], m_b[3], centre[3];
  for (size_t p = 0; p < 3; ++p) {
    const int32_t* const m = &t.colour[3 * p];
    m_rg[p] = Pair(m[0], m[1]);
    m_b[p] = Pair(m[2], 0);
    centre[p] = Set32(-128 * (m[0] + m[1] + m[2]) + (1 << 7));
  }
  const V rg_index = Load(kRgIndex.at), b_index = Load(kBlueIndex.at);
  const V order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  constexpr __mmask64 kPixels = (uint64_t{1} << 48) - 1;  // never read past the sixteen pixels
  for (size_t i = 0; i < n; i += 32) {
    const V first = _mm512_maskz_loadu_epi8(kPixels, rgb + 3 * i);
    const V second = _mm512_maskz_loadu_epi8(kPixels, rgb + 3 * i + 48);
    const V rg0 = _mm512_maskz_permutexvar_epi8(kRgIndex.keep, rg_index, first);
    const V b0 = _mm512_maskz_permutexvar_epi8(kBlueIndex.keep, b_index, first);
    const V rg1 = _mm512_maskz_permutexvar_epi8(kRgIndex.keep, rg_index, second);
    const V b1 = _mm512_maskz_permutexvar_epi8(kBlueIndex.keep, b_index, second);
    for (size_t p = 0; p < 3; ++p) {
      const V s0 = Sra32<8>(Dot(Dot(centre[p], rg0, m_rg[p]), b0, m_b[p]));
      const V s1 = Sra32<8>(Dot(Dot(centre[p], rg1, m_rg[p]), b1, m_b[p]));
      Store(planes[p] + i, _mm512_permutexvar_epi64(order, Pack32(s0, s1)));
    }
  }
}

KERNEL void GreyForward(const BlockTransform& t, const uint8_t* grey, size_t n, int16_t* plane) {
  const int32_t sum = t.colour[0] + t.colour[1] + t.colour[2];
  // The sum may pass 16 bits, so two factors share it.
  const V m = Pair(sum / 2, sum - sum / 2), centre = Set32(-128 * sum + (1 << 7));
  for (size_t i = 0; i < n; i += 32) {
    const V g =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(grey + i)));
    const V lo = Sra32<8>(Dot(centre, Lo16(g, g), m));
    const V hi = Sra32<8>(Dot(centre, Hi16(g, g), m));
    Store(plane + i, Pack32(lo, hi));
  }
}

KERNEL void Quantise(const PlaneQuantiser& q, const int16_t* c, size_t blocks, int16_t* symbols,
                     uint64_t* nonzero) {
  const __m128i shift = _mm_cvtsi32_si128(q.shift);
  const V bias[2] = {Load(q.bias.data()), Load(q.bias.data() + 32)};
  const V reciprocal[2] = {Load(q.reciprocal.data()), Load(q.reciprocal.data() + 32)};
  for (size_t b = 0; b < blocks; ++b, c += 64, symbols += 64) {
    uint64_t mask = 0;
    for (size_t k = 0; k < 2; ++k) {
      const V x = Load(c + 32 * k);
      const V magnitude = _mm512_adds_epu16(_mm512_abs_epi16(x), bias[k]);
      const V level = _mm512_srl_epi16(_mm512_mulhi_epu16(magnitude, reciprocal[k]), shift);
      Store(symbols + 32 * k, _mm512_mask_sub_epi16(level, _mm512_movepi16_mask(x), V{}, level));
      mask |= uint64_t{_mm512_test_epi16_mask(level, level)} << (32 * k);
    }
    nonzero[b] = mask;
  }
}

// Byte k of part p of 64 interleaved bytes comes from colour (64 p + k) % 3; the two-source
// permutation takes colours 0 and 1 (bytes 0..63 and 64..127), a masked one puts colour 2 in
// between.
template <int kPart>
constexpr ByteIndex kInterleave01 = MakeIndex([](int i) {
  const int at = 64 * kPart + i;
  return at % 3 == 2 ? -1 : at / 3 + 64 * (at % 3);
});
template <int kPart>
constexpr ByteIndex kInterleave2 = MakeIndex([](int i) {
  const int at = 64 * kPart + i;
  return at % 3 == 2 ? at / 3 : -1;
});
template <int kPart>
KERNEL inline V Interleave(V c0, V c1, V c2) {
  const V two = _mm512_permutex2var_epi8(c0, Load(kInterleave01<kPart>.at), c1);
  return _mm512_mask_permutexvar_epi8(two, kInterleave2<kPart>.keep, Load(kInterleave2<kPart>.at),
                                      c2);
}

KERNEL void ColourInverse(const BlockTransform& t, const int16_t* const planes[3], size_t n,
                          uint8_t* rgb) {
  V m01[3], m2[3];
  for (size_t c = 0; c < 3; ++c) {
    m01[c] = Pair(t.colour_inverse[3 * c], t.colour_inverse[3 * c + 1]);
    m2[c] = Pair(t.colour_inverse[3 * c + 2], 0);
  }
  const V centre = Set32((128 << 18) + (1 << 17));
  for (size_t i = 0; i < n; i += 32, rgb += 96) {
    const V y = Load(planes[0] + i), u = Load(planes[1] + i), v = Load(planes[2] + i);
    const V yu_lo = Lo16(y, u), yu_hi = Hi16(y, u), v_lo = Lo16(v, V{}), v_hi = Hi16(v, V{});
    V colour[3];
    for (size_t c = 0; c < 3; ++c) {
      const V lo = Sra32<18>(Dot(Dot(centre, yu_lo, m01[c]), v_lo, m2[c]));
      const V hi = Sra32<18>(Dot(Dot(centre, yu_hi, m01[c]), v_hi, m2[c]));
      const V words = _mm512_max_epi16(Pack32(lo, hi), V{});  // in order, lane by lane
      colour[c] = _mm512_castsi256_si512(_mm512_cvtusepi16_epi8(words));
    }
    _mm512_storeu_si512(rgb, Interleave<0>(colour[0], colour[1], colour[2]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rgb + 64),
                        _mm512_castsi512_si256(Interleave<1>(colour[0], colour[1], colour[2])));
  }
}

KERNEL void GreyInverse(const BlockTransform& t, const int16_t* plane, size_t n, uint8_t* grey) {
  const V m = Pair(t.colour_inverse[0], 0), centre = Set32((128 << 18) + (1 << 17));
  for (size_t i = 0; i < n; i += 32) {
    const V y = Load(plane + i);
    const V lo = Sra32<18>(Dot(centre, Lo16(y, V{}), m));
    const V hi = Sra32<18>(Dot(centre, Hi16(y, V{}), m));
    const V words = _mm512_max_epi16(Pack32(lo, hi), V{});
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(grey + i), _mm512_cvtusepi16_epi8(words));
  }
}

KERNEL void Compand(const uint8_t lut[64], const int16_t* symbols, size_t blocks, uint8_t* out,
                    size_t out_stride) {
  const V table = Load(lut), top = _mm512_set1_epi16(63), centre = _mm512_set1_epi8(-128);
  for (size_t b = 0; b < blocks; ++b, symbols += 64, out += out_stride) {
    const V x0 = Load(symbols), x1 = Load(symbols + 32);
    const __m256i m0 = _mm512_cvtepi16_epi8(_mm512_min_epu16(_mm512_abs_epi16(x0), top));
    const __m256i m1 = _mm512_cvtepi16_epi8(_mm512_min_epu16(_mm512_abs_epi16(x1), top));
    const V m = _mm512_inserti64x4(_mm512_castsi256_si512(m0), m1, 1);
    const V level = _mm512_permutexvar_epi8(m, table);
    const __mmask64 negative = uint64_t{_mm512_movepi16_mask(x1)} << 32 | _mm512_movepi16_mask(x0);
    Store(out, _mm512_mask_sub_epi8(_mm512_add_epi8(centre, level), negative, centre, level));
  }
}

KERNEL void CompandDifferences(const uint8_t lut[64], const DifferenceScale& s, const int16_t* a,
                               const int16_t* b, size_t n, uint8_t* out) {
  const V table = Load(lut), factor = Set32(static_cast<int32_t>(s.factor)),
          limit = Set32(static_cast<int32_t>(s.limit)), half = Set32(1 << 23), top = Set32(63);
  const __m128i centre = _mm_set1_epi8(-128);
  for (size_t i = 0; i < n; i += 16) {
    const auto lanes = static_cast<__mmask16>(n - i >= 16 ? 0xffff : (1u << (n - i)) - 1);
    const V d = _mm512_sub_epi32(_mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(lanes, a + i)),
                                 _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(lanes, b + i)));
    const V m = _mm512_mullo_epi32(_mm512_min_epi32(_mm512_abs_epi32(d), limit), factor);
    const V x = _mm512_min_epi32(Sra32<24>(Add32(m, half)), top);
    const __m128i level = _mm512_castsi512_si128(
        _mm512_permutexvar_epi8(_mm512_castsi128_si512(_mm512_cvtepi32_epi8(x)), table));
    const __mmask16 negative = _mm512_mask_test_epi32_mask(_mm512_movepi32_mask(d), x, x);
    const __m128i bytes = _mm_mask_sub_epi8(_mm_add_epi8(centre, level), negative, centre, level);
    _mm_mask_storeu_epi8(out + i, lanes, bytes);
  }
}

}  // namespace

namespace block_transform_internal {
const BlockTransformKernels kAvx512Kernels{
    ColourForward, GreyForward,   BlockForward, Quantise, Reconstruct,
    BlockInverse,  ColourInverse, GreyInverse,  Compand,  CompandDifferences};
}

}  // namespace godwit
#endif
