// The scalar kernels are the definition; docs/format/image.md section 3.
#include "transforms/block_transform.h"

#include <algorithm>
#include <cstdlib>

namespace godwit {
namespace {

int16_t Saturate16(int32_t v) { return static_cast<int16_t>(std::clamp(v, -32768, 32767)); }
uint8_t Saturate8(int32_t v) { return static_cast<uint8_t>(std::clamp(v, 0, 255)); }

// Sum over the matrix row of a plane, centred on 128; f=6 from 14 fraction bits.
int16_t ColourSample(const int32_t* row, int32_t r, int32_t g, int32_t b) {
  const int32_t centre = -128 * (row[0] + row[1] + row[2]) + (1 << 7);
  return Saturate16((row[0] * r + row[1] * g + row[2] * b + centre) >> 8);
}

void ColourForward(const BlockTransform& t, const uint8_t* rgb, size_t n,
                   int16_t* const planes[3]) {
  for (size_t i = 0; i < n; ++i, rgb += 3) {
    for (size_t p = 0; p < 3; ++p)
      planes[p][i] = ColourSample(&t.colour[3 * p], rgb[0], rgb[1], rgb[2]);
  }
}

void GreyForward(const BlockTransform& t, const uint8_t* grey, size_t n, int16_t* plane) {
  for (size_t i = 0; i < n; ++i)
    plane[i] = ColourSample(t.colour.data(), grey[i], grey[i], grey[i]);
}

void BlockForward(const BlockTransform& t, const int16_t* rows, size_t stride, size_t blocks,
                  int16_t* out) {
  for (size_t b = 0; b < blocks; ++b, rows += 8, out += 64) {
    int16_t h[64];  // [vertical frequency v][column x]
    for (size_t v = 0; v < 8; ++v) {
      for (size_t x = 0; x < 8; ++x) {
        int32_t sum = 1 << 16;
        for (size_t y = 0; y < 8; ++y) sum += t.forward[v * 8 + y] * rows[y * stride + x];
        h[v * 8 + x] = Saturate16(sum >> 17);
      }
    }
    for (size_t u = 0; u < 8; ++u) {
      for (size_t v = 0; v < 8; ++v) {
        int32_t sum = 1 << 14;
        for (size_t x = 0; x < 8; ++x) sum += t.forward[u * 8 + x] * h[v * 8 + x];
        out[u * 8 + v] = Saturate16(sum >> 15);
      }
    }
  }
}

void Quantise(const PlaneQuantiser& q, const int16_t* c, size_t blocks, int16_t* symbols,
              uint64_t* nonzero) {
  for (size_t b = 0; b < blocks; ++b, c += 64, symbols += 64) {
    nonzero[b] = 0;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t magnitude =
          std::min<uint32_t>(static_cast<uint32_t>(std::abs(int32_t{c[i]})) + q.bias[i], 65535);
      const int32_t level = static_cast<int32_t>((magnitude * q.reciprocal[i] >> 16) >> q.shift);
      symbols[i] = static_cast<int16_t>(c[i] < 0 ? -level : level);
      nonzero[b] |= uint64_t{level != 0} << i;
    }
  }
}

void Reconstruct(const PlaneSteps& s, const int16_t* symbols, const int8_t* corrections,
                 size_t correction_stride, size_t blocks, int16_t* out) {
  for (size_t b = 0; b < blocks; ++b, symbols += 64, corrections += correction_stride, out += 64) {
    for (size_t i = 0; i < 64; ++i) {
      const int32_t value = std::clamp(symbols[i] * s.step[i], -(1 << 19), 1 << 19);
      const int32_t refined = value + (corrections[i] * s.correction[i] >> 6);
      out[i] = Saturate16((refined + 2) >> 2);
    }
  }
}

void BlockInverse(const BlockTransform& t, const int16_t* c, size_t blocks, int16_t* rows,
                  size_t stride) {
  for (size_t b = 0; b < blocks; ++b, c += 64, rows += 8) {
    int16_t h[64];  // [column x][vertical frequency v]
    for (size_t x = 0; x < 8; ++x) {
      for (size_t v = 0; v < 8; ++v) {
        int32_t sum = 1 << 13;
        for (size_t u = 0; u < 8; ++u) sum += t.inverse[x * 8 + u] * c[u * 8 + v];
        h[x * 8 + v] = Saturate16(sum >> 14);
      }
    }
    for (size_t y = 0; y < 8; ++y) {
      for (size_t x = 0; x < 8; ++x) {
        int32_t sum = 1 << 12;
        for (size_t v = 0; v < 8; ++v) sum += t.inverse[y * 8 + v] * h[x * 8 + v];
        rows[y * stride + x] = Saturate16(sum >> 13);
      }
    }
  }
}

constexpr int32_t kSampleCentre = (128 << 18) + (1 << 17);  // f = 5 + 13

void ColourInverse(const BlockTransform& t, const int16_t* const planes[3], size_t n,
                   uint8_t* rgb) {
  for (size_t i = 0; i < n; ++i, rgb += 3) {
    for (size_t c = 0; c < 3; ++c) {
      const int32_t* const m = &t.colour_inverse[3 * c];
      rgb[c] = Saturate8(
          (m[0] * planes[0][i] + m[1] * planes[1][i] + m[2] * planes[2][i] + kSampleCentre) >> 18);
    }
  }
}

// Grey is what red would be with empty colour planes.
void GreyInverse(const BlockTransform& t, const int16_t* plane, size_t n, uint8_t* grey) {
  for (size_t i = 0; i < n; ++i)
    grey[i] = Saturate8((t.colour_inverse[0] * plane[i] + kSampleCentre) >> 18);
}

void Compand(const uint8_t lut[64], const int16_t* x, size_t n, uint8_t* out) {
  for (size_t i = 0; i < n; ++i) {
    const int32_t level = lut[std::min(std::abs(int32_t{x[i]}), 63)];
    out[i] = static_cast<uint8_t>(128 + (x[i] < 0 ? -level : level));
  }
}

// Largest sum |entry| of a row of n.
int64_t RowNorm(const auto& m, size_t n) {
  int64_t largest = 0;
  for (size_t r = 0; r * n < m.size(); ++r) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::abs(int64_t{m[r * n + i]});
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

namespace block_transform_internal {
const BlockTransformKernels kScalarKernels{ColourForward, GreyForward, BlockForward,
                                           Quantise,      Reconstruct, BlockInverse,
                                           ColourInverse, GreyInverse, Compand};
}

namespace {

// Bounds of the planes' samples and of the values after the first forward pass. Samples less 128
// are -128..127.
int64_t PlaneBound(const BlockTransform& t) {
  return std::min<int64_t>((RowNorm(t.colour, 3) * 128 >> 8) + 1, 32768);
}
int64_t HalfBound(const BlockTransform& t) {
  return std::min<int64_t>((PlaneBound(t) * RowNorm(t.forward, 8) >> 17) + 1, 32768);
}

}  // namespace

bool CheckTransform(const BlockTransform& t) {
  constexpr int64_t kLimit = (int64_t{1} << 31) - (int64_t{1} << 28);
  for (const auto* m : {&t.colour, &t.colour_inverse}) {
    for (const int32_t entry : *m) {
      if (entry < -32767 || entry > 32767) return false;
    }
  }
  // Vector kernels split the sum of the luma row, which grey takes, into two 16-bit factors.
  if (std::abs(t.colour[0] + t.colour[1] + t.colour[2]) > 65534) return false;
  const int64_t norm = RowNorm(t.forward, 8);
  return RowNorm(t.colour, 3) * 255 < kLimit && PlaneBound(t) * norm < kLimit &&
         HalfBound(t) * norm < kLimit && RowNorm(t.inverse, 8) * 32768 < kLimit &&
         RowNorm(t.colour_inverse, 3) * 32768 < kLimit;
}

bool CanFoldForward(const BlockTransform& t) {
  for (size_t k = 0; k < 8; ++k) {
    for (size_t i = 0; i < 4; ++i) {
      const int a = t.forward[k * 8 + i], b = t.forward[k * 8 + 7 - i];
      if (a != (k % 2 == 0 ? b : -b)) return false;
    }
  }
  return 2 * PlaneBound(t) <= 32767 && 2 * HalfBound(t) <= 32767;
}

const BlockTransformKernels& BlockTransformKernelsFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return block_transform_internal::kAvx512Kernels;
  if (level == SimdLevel::kAvx2) return block_transform_internal::kAvx2Kernels;
#endif
  (void)level;
  return block_transform_internal::kScalarKernels;
}

}  // namespace godwit
