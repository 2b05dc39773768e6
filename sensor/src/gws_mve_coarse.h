/* gws_mve_coarse.h: the coarse transform of a cell with the vectors of a Cortex-M55. */
#ifndef GWS_MVE_COARSE_H
#define GWS_MVE_COARSE_H

#include <arm_mve.h>

#include "gws_internal.h"

/* Where the coefficients [u][v] lie: cells hold them in the order of coding. */
static const uint32_t kPlace[16] = {0, 2, 5, 9, 1, 4, 8, 12, 3, 7, 11, 14, 6, 10, 13, 15};

/* Four outputs of a matrix whose rows are mirrored, of four columns at once. */
static inline void gws_mve_four(const int32x4_t in[4], int32_t shift, int32x4_t out[4]) {
  const int16_t *const m = gws_coarse_forward;
  const int32x4_t s0 = vaddq_s32(in[0], in[3]), s1 = vaddq_s32(in[1], in[2]),
                  d0 = vsubq_s32(in[0], in[3]), d1 = vsubq_s32(in[1], in[2]);
  out[0] = vrshlq_n_s32(vmlaq_n_s32(vmulq_n_s32(s0, m[0]), s1, m[1]), -shift);
  out[1] = vrshlq_n_s32(vmlaq_n_s32(vmulq_n_s32(d0, m[4]), d1, m[5]), -shift);
  out[2] = vrshlq_n_s32(vmlaq_n_s32(vmulq_n_s32(s0, m[8]), s1, m[9]), -shift);
  out[3] = vrshlq_n_s32(vmlaq_n_s32(vmulq_n_s32(d0, m[12]), d1, m[13]), -shift);
}

/* A cell's DC values [y][x] to symbols, in place. */
static inline void gws_mve_analyse_cell(int16_t *q, uint32_t step) {
  int32x4_t in[4];
  int32x4x4_t half;
  int32_t turned[16];
  GWS_UNROLL(4)
  for (uint32_t y = 0; y < 4u; ++y) in[y] = vldrhq_s32(q + 4u * y);
  gws_mve_four(in, 15, half.val);
  vst4q_s32(turned, half);
  GWS_UNROLL(4)
  for (uint32_t x = 0; x < 4u; ++x) in[x] = vldrwq_s32(turned + 4u * x);
  gws_mve_four(in, 13, half.val);
  const uint32_t rounding = step / 2u;
  vstrhq_s16(q, vdupq_n_s16(0));
  vstrhq_s16(q + 8, vdupq_n_s16(0));
  GWS_UNROLL(4)
  for (uint32_t u = 0; u < 4u; ++u) {
    const uint32x4_t size =
        vaddq_n_u32(vshlq_n_u32(vreinterpretq_u32_s32(vabsq_s32(half.val[u])), 2), rounding);
    uint32_t set = vcmpcsq_n_u32(size, step); /* what does not become 0 */
    if (set == 0u) continue;
    uint32_t sizes[4];
    int32_t signs[4];
    vstrwq_u32(sizes, size);
    vstrwq_s32(signs, half.val[u]);
    for (set &= 0x1111u; set != 0u; set &= set - 1u) {
      const uint32_t v = (uint32_t)__builtin_ctz(set) >> 2;
      const int32_t level = (int32_t)(sizes[v] / step);
      q[kPlace[4u * u + v]] = (int16_t)(signs[v] < 0 ? -level : level);
    }
  }
}

/* Symbols to DC values [y][x], from `out` on: sums of 64 bits, rounded once. */
static inline void gws_mve_reconstruct_cell(const int16_t *q, int32_t step, int16_t *out,
                                            uint32_t pitch) {
  int32_t value[16], half[16];
  const int32x4_t most = vdupq_n_s32(1 << 23), least = vdupq_n_s32(-(1 << 23));
  GWS_UNROLL(4)
  for (uint32_t u = 0; u < 4u; ++u) {
    const int32x4_t v =
        vmulq_n_s32(vldrhq_gather_shifted_offset_s32(q, vldrwq_u32(kPlace + 4u * u)), step);
    vstrwq_s32(value + 4u * u, vmaxq_s32(vminq_s32(v, most), least));
  }
  const int32x4x4_t columns = vld4q_s32(value);
  GWS_UNROLL(4)
  for (uint32_t x = 0; x < 4u; ++x) {
    const int32x4_t m = vldrhq_s32(gws_coarse_inverse + 4u * x);
    GWS_UNROLL(4)
    for (uint32_t v = 0; v < 4u; ++v)
      half[4u * x + v] = (int32_t)srshrl(vmlaldavq_s32(columns.val[v], m), 14);
  }
  GWS_UNROLL(4)
  for (uint32_t y = 0; y < 4u; ++y) {
    const int32x4_t m = vldrhq_s32(gws_coarse_inverse + 4u * y);
    GWS_UNROLL(4)
    for (uint32_t x = 0; x < 4u; ++x) {
      int32_t dc = (int32_t)srshrl(vmlaldavq_s32(vldrwq_s32(half + 4u * x), m), 16);
      __asm__("ssat %0, #16, %0" : "+r"(dc));
      out[y * pitch + x] = (int16_t)dc;
    }
  }
}

#endif
