/* gws_kernels_bands_mve.h: with the vectors of a Cortex-M55, four or eight blocks at a time. */
#ifndef GWS_KERNELS_BANDS_MVE_H
#define GWS_KERNELS_BANDS_MVE_H

#include <arm_mve.h>

#include "gws_kernels_bands.h"

/* The slopes to the four blocks around: products are rounded as the format says, and what is
 * limited at 32767 is 255 in the end. */
static void gradient_row(const gws_quantiser *q, const int16_t *line, uint32_t pitch,
                         uint32_t blocks, uint8_t *out) {
  const int16_t factor = (int16_t)q->dc_factor;
  for (uint32_t x = 1; x <= blocks; x += 8u) {
    const mve_pred16_t p = vctp16q(blocks + 1u - x);
    const int16_t *const at = line + x;
    const int16x8_t here = vshrq_n_s16(vldrhq_z_s16(at, p), 1);
    const int16x8_t around[4] = {vldrhq_z_s16(at - pitch, p), vldrhq_z_s16(at + pitch, p),
                                 vldrhq_z_s16(at - 1, p), vldrhq_z_s16(at + 1, p)};
    int16x8_t sum = vdupq_n_s16(0);
    GWS_UNROLL(4)
    for (uint32_t k = 0; k < 4u; ++k) {
      const int16x8_t half = vsubq_s16(vshrq_n_s16(around[k], 1), here);
      sum = vqaddq_s16(sum, vabsq_s16(vqrdmulhq_n_s16(half, factor)));
    }
    const int16x8_t limited = vminq_s16(vshlq_r_s16(sum, -q->dc_shift), vdupq_n_s16(255));
    vstrbq_p_u16(out + x, vreinterpretq_u16_s16(limited), p);
  }
}

/* The edges of blocks of nothing but DC, all four: at frequency 0. At most 24576, as the shift is 2
 * or more. */
static void edge_row(const gws_quantiser *q, int16_t *line, uint32_t blocks) {
  for (uint32_t x = 1; x <= blocks; x += 8u) {
    const mve_pred16_t p = vctp16q(blocks + 1u - x);
    const int16x8_t half = vshrq_n_s16(vldrhq_z_s16(line + x, p), 1),
                    scaled = vqrdmulhq_n_s16(half, (int16_t)q->dc_factor);
    const int16x8_t rounded = vrshlq_s16(scaled, vdupq_n_s16((int16_t)-q->dc_shift));
    vstrhq_p_s16(line + x, vmulq_n_s16(rounded, 6), p);
  }
  line[0] = line[blocks + 1u] = 0;
}

/* weight times the sums around four blocks, and another times their own. */
static inline uint32x4_t add_around(uint32x4_t sum, const uint8_t *a, uint32_t pitch,
                                    uint32_t below, const uint8_t *w) {
  const uint32x4_t beside = vaddq_u32(vldrbq_u32(a - 1), vldrbq_u32(a + 1)),
                   over = vaddq_u32(vldrbq_u32(a - pitch), vldrbq_u32(a + below));
  sum = vmlaq_n_u32(sum, vldrbq_u32(a), w[0]);
  return vmlaq_n_u32(sum, vaddq_u32(beside, over), w[1]);
}

/* Lists a cell's flags in a row of blocks, puts what each expected at `scale`, and returns them. */
static inline uint32_t code_four(const flag_rule *f, uint32_t start, uint32_t at, uint32_t pitch,
                                 uint32_t below, const gws_place *place, uint16_t *list,
                                 uint8_t *scale) {
  const uint8_t *const w = f->weight, *const above = f->own + at - pitch;
  const int32_t back = -16 - (int32_t)f->band;
  const uint32x4_t left = vandq_u32(
                       vshlq_r_u32(vldrwq_u32((const uint32_t *)(const void *)(place - 1)), back),
                       vdupq_n_u32(1)),
                   flag = vandq_u32(
                       vshlq_r_u32(vldrwq_u32((const uint32_t *)(const void *)place), back),
                       vdupq_n_u32(1));
  uint32x4_t sum = vmlaq_n_u32(vdupq_n_u32(start), left, 8u * w[0]);
  sum = vmlaq_n_u32(sum, vldrbq_u32(above), w[1]);
  sum = vmlaq_n_u32(sum, vaddq_u32(vldrbq_u32(above - 1), vldrbq_u32(above + 1)), w[2]);
  GWS_UNROLL(3)
  for (uint32_t i = 0; i < 3u; ++i) {
    if (f->around[i] != NULL)
      sum = add_around(sum, f->around[i] + at, pitch, below, w + 3u + 2u * i);
  }
  if (f->other != NULL) sum = vmlaq_n_u32(sum, vldrbq_u32(f->other + at), w[9]);
  vstrbq_u32(scale, vminq_u32(vshrq_n_u32(sum, 4), vdupq_n_u32(127)));
  vstrhq_u32(list, vaddq_n_u32(vmlaq_n_u32(flag, gws_classes_of(sum), 2), f->base));
  static const uint32_t kBit[4] = {1, 2, 4, 8};
  return vmladavq_u32(flag, vldrwq_u32(kBit));
}

#endif
