#include "tensor/element_kernels.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace godwit {
namespace {

void AddScalar(const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<uint8_t>(std::min(a[i] + b[i], 255));
}

void LutScalar(const uint8_t* in, const uint8_t* table, uint8_t* out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = table[in[i]];
}

void CopyScalar(const uint8_t* in, uint8_t* out, int64_t count, uint8_t flip) {
  for (int64_t i = 0; i < count; ++i) out[i] = in[i] ^ flip;
}

#if defined(__x86_64__)
#define GODWIT_AVX2 __attribute__((target("avx2")))
#define GODWIT_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))

GODWIT_AVX2 void AddAvx2(const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count) {
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_adds_epu8(x, y));
  }
  AddScalar(a + i, b + i, out + i, count - i);
}

// Sixteen shuffles of 16 entries; x - 16 k in [0, 16) selects entry x of table k, and adding 0x70
// with unsigned saturation sets the top bit, which shuffles give 0 for, of all other values.
GODWIT_AVX2 void LutAvx2(const uint8_t* in, const uint8_t* table, uint8_t* out, int64_t count) {
  __m256i part[16];
  for (int k = 0; k < 16; ++k) {
    part[k] = _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * k)));
  }
  const __m256i sixteen = _mm256_set1_epi8(16), top = _mm256_set1_epi8(0x70);
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
    __m256i sum = _mm256_setzero_si256();
    for (int k = 0; k < 16; ++k, x = _mm256_sub_epi8(x, sixteen)) {
      sum = _mm256_or_si256(sum, _mm256_shuffle_epi8(part[k], _mm256_adds_epu8(x, top)));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), sum);
  }
  LutScalar(in + i, table, out + i, count - i);
}

// Short runs (3 to 48 bytes in depth_to_space) end in overlapping stores, not in byte loops.
GODWIT_AVX2 void CopyAvx2(const uint8_t* in, uint8_t* out, int64_t count, uint8_t flip) {
  const __m128i mask = _mm_set1_epi8(static_cast<char>(flip));
  const auto move16 = [](const uint8_t* from, uint8_t* to, __m128i m) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, m));
  };
  const auto move8 = [](const uint8_t* from, uint8_t* to, __m128i m) {
    const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_xor_si128(x, m));
  };
  if (count >= 16) {
    for (int64_t i = 0; i + 16 <= count; i += 16) move16(in + i, out + i, mask);
    if (count % 16 != 0) move16(in + count - 16, out + count - 16, mask);
  } else if (count >= 8) {
    move8(in, out, mask);
    move8(in + count - 8, out + count - 8, mask);
  } else {
    CopyScalar(in, out, count, flip);
  }
}

__mmask64 FirstLanes(int64_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

GODWIT_AVX512 void AddAvx512(const uint8_t* a, const uint8_t* b, uint8_t* out, int64_t count) {
  for (int64_t i = 0; i < count; i += 64) {
    const __mmask64 m = FirstLanes(count - i);
    const __m512i x = _mm512_maskz_loadu_epi8(m, a + i), y = _mm512_maskz_loadu_epi8(m, b + i);
    _mm512_mask_storeu_epi8(out + i, m, _mm512_adds_epu8(x, y));
  }
}

GODWIT_AVX512 void LutAvx512(const uint8_t* in, const uint8_t* table, uint8_t* out, int64_t count) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (int64_t i = 0; i < count; i += 64) {
    const __mmask64 m = FirstLanes(count - i);
    const __m512i x = _mm512_maskz_loadu_epi8(m, in + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, x, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, x, t3);
    _mm512_mask_storeu_epi8(out + i, m, _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high));
  }
}

GODWIT_AVX512 void CopyAvx512(const uint8_t* in, uint8_t* out, int64_t count, uint8_t flip) {
  const __m512i mask = _mm512_set1_epi8(static_cast<char>(flip));
  for (int64_t i = 0; i < count; i += 64) {
    const __mmask64 m = FirstLanes(count - i);
    _mm512_mask_storeu_epi8(out + i, m, _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, in + i), mask));
  }
}
#endif

}  // namespace

const ElementKernels& ElementKernelsFor(SimdLevel level) {
  static constexpr ElementKernels kScalar{AddScalar, LutScalar, CopyScalar};
#if defined(__x86_64__)
  static constexpr ElementKernels kAvx2{AddAvx2, LutAvx2, CopyAvx2};
  static constexpr ElementKernels kAvx512{AddAvx512, LutAvx512, CopyAvx512};
  if (level == SimdLevel::kAvx512) return kAvx512;
  if (level == SimdLevel::kAvx2) return kAvx2;
#endif
  (void)level;
  return kScalar;
}

void DepthToSpaceRow(const ElementKernels& kernels, const uint8_t* in, int64_t in_col_stride,
                     int block, TensorView<uint8_t> out, uint8_t flip) {
  // Without gaps between output positions, the `block` of them from one input are one run.
  const bool joined = out.col_stride == out.channels;
  const int64_t run = joined ? out.channels * block : out.channels;
  const int runs = joined ? 1 : block;
  for (int dy = 0; dy < block; ++dy) {
    for (int64_t x = 0; x < out.width / block; ++x) {
      const uint8_t* from = in + x * in_col_stride + dy * block * out.channels;
      for (int i = 0; i < runs; ++i) {
        kernels.copy(from + i * run, out.At(dy, x * block + i), run, flip);
      }
    }
  }
}

void ShuffleChannels(const uint8_t* in, uint8_t* out, int64_t groups, int64_t each, uint8_t flip) {
  for (int64_t i = 0; i < each; ++i) {
    for (int64_t g = 0; g < groups; ++g) *out++ = in[g * each + i] ^ flip;
  }
}

void ReplicateBorder(TensorView<uint8_t> inner, int64_t top, int64_t bottom, int64_t left,
                     int64_t right) {
  const size_t position = static_cast<size_t>(inner.col_stride);
  for (int64_t y = 0; y < inner.height; ++y) {
    uint8_t* first = inner.At(y, 0);
    uint8_t* last = inner.At(y, inner.width - 1);
    for (int64_t x = 1; x <= left; ++x) {
      std::memcpy(first - x * inner.col_stride, first, position);
    }
    for (int64_t x = 1; x <= right; ++x) {
      std::memcpy(last + x * inner.col_stride, last, position);
    }
  }
  uint8_t* first = inner.At(0, 0) - left * inner.col_stride;
  uint8_t* last = inner.At(inner.height - 1, 0) - left * inner.col_stride;
  const size_t row = static_cast<size_t>((left + inner.width + right) * inner.col_stride);
  for (int64_t y = 1; y <= top; ++y) {
    std::memcpy(first - y * inner.row_stride, first, row);
  }
  for (int64_t y = 1; y <= bottom; ++y) {
    std::memcpy(last + y * inner.row_stride, last, row);
  }
}

}  // namespace godwit
