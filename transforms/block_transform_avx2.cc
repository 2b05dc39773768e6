// AVX2 kernels: 16 samples, two blocks, at a time. Equal to the scalar ones for every input
// that pixels can give; those of the inverse for every input.
#include "transforms/block_transform.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2")))

namespace godwit {
namespace {

using V = __m256i;
constexpr size_t kLanes = 16;

KERNEL inline V Load(const void* p) { return _mm256_loadu_si256(static_cast<const V*>(p)); }
KERNEL inline void Store(void* p, V v) { _mm256_storeu_si256(static_cast<V*>(p), v); }
KERNEL inline V Set32(int32_t v) { return _mm256_set1_epi32(v); }
KERNEL inline V Add32(V a, V b) { return _mm256_add_epi32(a, b); }
KERNEL inline V Madd(V a, V b) { return _mm256_madd_epi16(a, b); }
KERNEL inline V Add16(V a, V b) { return _mm256_add_epi16(a, b); }
KERNEL inline V Sub16(V a, V b) { return _mm256_sub_epi16(a, b); }
KERNEL inline V Dot(V acc, V a, V b) { return Add32(acc, Madd(a, b)); }  // acc + Madd(a, b)
KERNEL inline V Min32(V a, V b) { return _mm256_min_epi32(a, b); }
KERNEL inline V Max32(V a, V b) { return _mm256_max_epi32(a, b); }
KERNEL inline V LoadBytes(const int8_t* p) {  // to 16 bits
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
KERNEL inline V Lo16(V a, V b) { return _mm256_unpacklo_epi16(a, b); }
KERNEL inline V Hi16(V a, V b) { return _mm256_unpackhi_epi16(a, b); }
KERNEL inline V Lo32(V a, V b) { return _mm256_unpacklo_epi32(a, b); }
KERNEL inline V Hi32(V a, V b) { return _mm256_unpackhi_epi32(a, b); }
KERNEL inline V Lo64(V a, V b) { return _mm256_unpacklo_epi64(a, b); }
KERNEL inline V Hi64(V a, V b) { return _mm256_unpackhi_epi64(a, b); }
KERNEL inline V Pack32(V a, V b) { return _mm256_packs_epi32(a, b); }
template <int kShift>
KERNEL inline V Sra32(V v) {
  return _mm256_srai_epi32(v, kShift);
}
KERNEL inline __m128i Block(V v, int i) {
  return i == 0 ? _mm256_castsi256_si128(v) : _mm256_extracti128_si256(v, 1);
}
KERNEL inline V FromBlocks(const int16_t* p) {  // the same eight coefficients of two blocks
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 64)), 1);
}

KERNEL inline V Pair(int32_t a, int32_t b) {
  return Set32(
      static_cast<int32_t>(static_cast<uint32_t>(b) << 16 | static_cast<uint32_t>(a & 0xffff)));
}

#include "transforms/block_transform_passes.inc"

// Eight pixels of 24 bytes as s32 lanes: (r, g) and (b, 0) pairs of 16 bits. Reads 24 bytes.
KERNEL inline void LoadRgb(const uint8_t* p, V* rg, V* b) {
  const __m128i lo = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i hi =
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8));  // pixels 4..7 at byte 4
  const V both = _mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1);
  const V rg_index = _mm256_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1,  //
                                      4, -1, 5, -1, 7, -1, 8, -1, 10, -1, 11, -1, 13, -1, 14, -1);
  const V b_index =
      _mm256_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1,  //
                       6, -1, -1, -1, 9, -1, -1, -1, 12, -1, -1, -1, 15, -1, -1, -1);
  *rg = _mm256_shuffle_epi8(both, rg_index);
  *b = _mm256_shuffle_epi8(both, b_index);
}

KERNEL void ColourForward(const BlockTransform& t, const uint8_t* rgb, size_t n,
                          int16_t* const planes[3]) {
  for (size_t p = 0; p < 3; ++p) {
    const int32_t* const m = &t.colour[3 * p];
    const V m_rg = Pair(m[0], m[1]), m_b = Pair(m[2], 0),
            centre = Set32(-128 * (m[0] + m[1] + m[2]) + (1 << 7));
    for (size_t i = 0; i < n; i += 16) {
      V rg0, b0, rg1, b1;
      LoadRgb(rgb + 3 * i, &rg0, &b0);
      LoadRgb(rgb + 3 * i + 24, &rg1, &b1);
      const V s0 = Sra32<8>(Dot(Dot(centre, rg0, m_rg), b0, m_b));
      const V s1 = Sra32<8>(Dot(Dot(centre, rg1, m_rg), b1, m_b));
      Store(planes[p] + i, _mm256_permute4x64_epi64(Pack32(s0, s1), 0xd8));
    }
  }
}

KERNEL void GreyForward(const BlockTransform& t, const uint8_t* grey, size_t n, int16_t* plane) {
  const int32_t sum = t.colour[0] + t.colour[1] + t.colour[2];
  // The sum may pass 16 bits, so two factors share it.
  const V m = Pair(sum / 2, sum - sum / 2), centre = Set32(-128 * sum + (1 << 7));
  for (size_t i = 0; i < n; i += 16) {
    const V g = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(grey + i)));
    const V lo = Sra32<8>(Dot(centre, Lo16(g, g), m));
    const V hi = Sra32<8>(Dot(centre, Hi16(g, g), m));
    Store(plane + i, Pack32(lo, hi));
  }
}

KERNEL void Quantise(const PlaneQuantiser& q, const int16_t* c, size_t blocks, int16_t* symbols,
                     uint64_t* nonzero) {
  const __m128i shift = _mm_cvtsi32_si128(q.shift);
  for (size_t b = 0; b < blocks; ++b, c += 64, symbols += 64) {
    uint64_t mask = 0;
    for (size_t i = 0; i < 64; i += 32) {
      V level[2];
      for (size_t k = 0; k < 2; ++k) {
        const size_t at = i + 16 * k;
        const V x = Load(c + at);
        const V magnitude = _mm256_adds_epu16(_mm256_abs_epi16(x), Load(q.bias.data() + at));
        level[k] =
            _mm256_srl_epi16(_mm256_mulhi_epu16(magnitude, Load(q.reciprocal.data() + at)), shift);
        Store(symbols + at, _mm256_sign_epi16(level[k], x));
      }
      const V zero =
          _mm256_packs_epi16(_mm256_cmpeq_epi16(level[0], V{}), _mm256_cmpeq_epi16(level[1], V{}));
      const uint32_t zeros =
          static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(zero, 0xd8)));
      mask |= uint64_t{~zeros} << i;
    }
    nonzero[b] = mask;
  }
}

KERNEL void ColourInverse(const BlockTransform& t, const int16_t* const planes[3], size_t n,
                          uint8_t* rgb) {
  V m01[3], m2[3];
  for (size_t c = 0; c < 3; ++c) {
    m01[c] = Pair(t.colour_inverse[3 * c], t.colour_inverse[3 * c + 1]);
    m2[c] = Pair(t.colour_inverse[3 * c + 2], 0);
  }
  const V centre = Set32((128 << 18) + (1 << 17));
  const __m128i none = _mm_set1_epi8(-1);
  __m128i index[3][3];  // index[part][colour]: where the bytes of one 16-byte part come from
  for (int part = 0; part < 3; ++part) {
    for (int c = 0; c < 3; ++c) {
      alignas(16) int8_t bytes[16];
      _mm_store_si128(reinterpret_cast<__m128i*>(bytes), none);
      for (int k = 0; k < 16; ++k) {
        if ((16 * part + k) % 3 == c) bytes[k] = static_cast<int8_t>((16 * part + k) / 3);
      }
      index[part][c] = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
    }
  }
  for (size_t i = 0; i < n; i += 16, rgb += 48) {
    const V y = Load(planes[0] + i), u = Load(planes[1] + i), v = Load(planes[2] + i);
    const V yu_lo = Lo16(y, u), yu_hi = Hi16(y, u), v_lo = Lo16(v, V{}), v_hi = Hi16(v, V{});
    __m128i colour[3];
    for (size_t c = 0; c < 3; ++c) {
      const V lo = Sra32<18>(Dot(Dot(centre, yu_lo, m01[c]), v_lo, m2[c]));
      const V hi = Sra32<18>(Dot(Dot(centre, yu_hi, m01[c]), v_hi, m2[c]));
      const V words = Pack32(lo, hi);  // in order: unpack and pack both work within 128-bit lanes
      colour[c] =
          _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    }
    for (size_t part = 0; part < 3; ++part) {
      const __m128i r = _mm_shuffle_epi8(colour[0], index[part][0]);
      const __m128i g = _mm_shuffle_epi8(colour[1], index[part][1]);
      const __m128i b = _mm_shuffle_epi8(colour[2], index[part][2]);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(rgb + 16 * part),
                       _mm_or_si128(r, _mm_or_si128(g, b)));
    }
  }
}

KERNEL void GreyInverse(const BlockTransform& t, const int16_t* plane, size_t n, uint8_t* grey) {
  const V m = Pair(t.colour_inverse[0], 0), centre = Set32((128 << 18) + (1 << 17));
  for (size_t i = 0; i < n; i += 16) {
    const V y = Load(plane + i);
    const V lo = Sra32<18>(Dot(centre, Lo16(y, V{}), m));
    const V hi = Sra32<18>(Dot(centre, Hi16(y, V{}), m));
    const V words = Pack32(lo, hi);
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(grey + i),
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
}

// lut in four parts of 16, in both lanes.
struct CompandTable {
  V part[4];
  KERNEL explicit CompandTable(const uint8_t lut[64]) {
    for (int k = 0; k < 4; ++k) {
      part[k] = _mm256_broadcastsi128_si256(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(lut + 16 * k)));
    }
  }
  KERNEL inline V Levels(V a, V b) const {  // of 32 values
    // abs(-32768) stays negative as s16, so the minimum is taken on unsigned words.
    const V top = _mm256_set1_epi16(63);
    const V m = _mm256_packus_epi16(_mm256_min_epu16(_mm256_abs_epi16(a), top),
                                    _mm256_min_epu16(_mm256_abs_epi16(b), top));
    const V sign = _mm256_packs_epi16(a, b);  // saturation keeps the sign and zero
    V level = _mm256_shuffle_epi8(part[0], m);
    for (int k = 1; k < 4; ++k) {
      const V in_part = _mm256_cmpgt_epi8(m, _mm256_set1_epi8(static_cast<char>(16 * k - 1)));
      level = _mm256_blendv_epi8(level, _mm256_shuffle_epi8(part[k], m), in_part);
    }
    // Zero maps to lut[0] with a plus sign, so sign_epi8, which would clear it, is of no use.
    const V negative = _mm256_cmpgt_epi8(V{}, sign);
    const V signed_level = _mm256_sub_epi8(_mm256_xor_si256(level, negative), negative);
    const V bytes = _mm256_add_epi8(signed_level, _mm256_set1_epi8(-128));
    return _mm256_permute4x64_epi64(bytes, 0xd8);
  }
};

KERNEL void Compand(const uint8_t lut[64], const int16_t* symbols, size_t blocks, uint8_t* out,
                    size_t out_stride) {
  const CompandTable table(lut);
  for (size_t b = 0; b < blocks; ++b, symbols += 64, out += out_stride) {
    Store(out, table.Levels(Load(symbols), Load(symbols + 16)));
    Store(out + 32, table.Levels(Load(symbols + 32), Load(symbols + 48)));
  }
}

KERNEL inline V LoadWide(const int16_t* p) {  // eight values
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

KERNEL void CompandDifferences(const uint8_t lut[64], const DifferenceScale& s, const int16_t* a,
                               const int16_t* b, size_t n, uint8_t* out) {
  const CompandTable table(lut);
  const V factor = Set32(static_cast<int32_t>(s.factor)),
          limit = Set32(static_cast<int32_t>(s.limit)), half = Set32(1 << 23);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    V x[4];
    for (size_t k = 0; k < 4; ++k) {
      const V d = _mm256_sub_epi32(LoadWide(a + i + 8 * k), LoadWide(b + i + 8 * k));
      const V m = _mm256_mullo_epi32(_mm256_min_epi32(_mm256_abs_epi32(d), limit), factor);
      x[k] = _mm256_sign_epi32(Sra32<24>(Add32(m, half)), d);
    }
    const V lo = _mm256_permute4x64_epi64(Pack32(x[0], x[1]), 0xd8);
    const V hi = _mm256_permute4x64_epi64(Pack32(x[2], x[3]), 0xd8);
    Store(out + i, table.Levels(lo, hi));
  }
  block_transform_internal::kScalarKernels.compand_differences(lut, s, a + i, b + i, n - i,
                                                               out + i);
}

}  // namespace

namespace block_transform_internal {
const BlockTransformKernels kAvx2Kernels{
    ColourForward, GreyForward,   BlockForward, Quantise, Reconstruct,
    BlockInverse,  ColourInverse, GreyInverse,  Compand,  CompandDifferences};
}

}  // namespace godwit
#endif
