/* gws_kernels_mve.h: the vectors of a Cortex-M55 (Helium): a row of a block is one of eight 16-bit
 * numbers. */
#ifndef GWS_KERNELS_MVE_H
#define GWS_KERNELS_MVE_H

#include <arm_mve.h>

#include "gws_internal.h"

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes; f=6. The numbers
 * are those of gws_kernels_dsp.h. */
GWS_APART static void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const uint16x8_t pixel = vmulq_n_u16(vidupq_n_u16(0, 1), 3);
  for (uint32_t y = 0; y < 8u; ++y, to += 8) {
    const uint8_t *const rgb = rows[y] + offset;
    const uint16x8_t red = vldrbq_gather_offset_u16(rgb, pixel),
                     green = vldrbq_gather_offset_u16(rgb + 1, pixel),
                     blue = vldrbq_gather_offset_u16(rgb + 2, pixel);
    const uint16x8_t sum = vaddq_u16(red, blue), all = vaddq_u16(sum, green);
    const uint16x8_t luma = vmulhq_u16(vshlq_n_u16(all, 6), vdupq_n_u16(9459u << 2));
    vstrhq_u16((uint16_t *)to, vsubq_n_u16(luma, 14188));
    const int16x8_t difference = vreinterpretq_s16_u16(vsubq_u16(red, blue));
    vstrhq_s16(to + 64, vrmulhq_s16(vshlq_n_s16(difference, 7), vdupq_n_s16(11585 << 1)));
    const int16x8_t one = vreinterpretq_s16_u16(green),
                    rest = vmlaq_n_s16(vreinterpretq_s16_u16(sum), one, -2);
    vstrhq_s16(to + 128, vmlaq_n_s16(vshrq_n_s16(vmlaq_n_s16(one, rest, 33), 8), rest, 26));
  }
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x) *to++ = (int16_t)((m * (grey[x] - 128) + 128) >> 8);
  }
}

/* Keeps those coefficients of row v of h that are not zeros when quantised. */
GWS_APART static void gws_keep_row(int16x8_t h, gws_found *found, uint32_t v) {
  const uint32_t reach = found->q->reach, span = found->q->span;
  int32_t row[8];
  uint32_t set = 0;
  GWS_UNROLL(8)
  for (uint32_t u = 0; u < 8u; ++u) {
    const int32_t sum = vmladavaq_s16(1 << 14, h, vldrhq_s16(gws_forward + 8u * u));
    if ((uint32_t)sum + reach > span) {
      row[u] = sum;
      set |= 1u << u;
    }
  }
  gws_keep(found, v, v == 0u ? set & ~1u : set, row);
}

/* Row 0, which always gives DC: what is the same all over gives nothing else. */
static inline void gws_first_row(int16x8_t h, gws_found *found) {
  found->dc = vmladavaq_s16(1 << 14, h, vldrhq_s16(gws_forward)) >> 15;
  const int16x8_t a = vsubq_n_s16(h, vgetq_lane_s16(h, 1));
  if ((uint32_t)vmladavq_s16(a, a) > found->q->quiet) gws_keep_row(h, found, 0);
}

/* Even and odd lanes of h, f=21, to f=4. */
static inline int16x8_t gws_half(int32x4_t even, int32x4_t odd) {
  return vmovntq_s32(vmovnbq_s32(vdupq_n_s16(0), vrshrq_n_s32(even, 17)), vrshrq_n_s32(odd, 17));
}

/* How far columns are from flat: the sum of squares of their samples less their means, rounded up;
 * and row 0 of h. Says false of very high contrast, where sums of differences may leave 16 bits. */
static inline bool gws_columns(const int16_t *samples, uint32_t *variance, int16x8_t *h) {
  const int16x8_t middle = vldrhq_s16(samples + 24);
  int64_t energy = 0;
  int16x8_t total = vdupq_n_s16(0);
  GWS_UNROLL(8)
  for (uint32_t y = 0; y < 8u; ++y) {
    if (y == 3u) continue;
    const int16x8_t a = vsubq_s16(vldrhq_s16(samples + 8u * y), middle);
    energy = vmlaldavaq_s16(energy, a, a);
    total = vaddq_s16(total, a);
  }
  if (energy > GWS_MOST_CONTRAST) return false;
  *variance = (uint32_t)energy - (uint32_t)(vmlaldavq_s16(total, total) >> 3);
  const int32_t f = gws_forward[0];
  const int32x4_t even = vaddq_s32(vmovlbq_s16(total), vshllbq_n_s16(middle, 3)),
                  odd = vaddq_s32(vmovltq_s16(total), vshlltq_n_s16(middle, 3));
  *h = gws_half(vmulq_n_s32(even, f), vmulq_n_s32(odd, f));
  return true;
}

/* A block's DC, and its coefficients that are not zeros when quantised. */
static inline void gws_forward_block(const int16_t *samples, gws_found *found) {
  const gws_quantiser *const q = found->q;
  int16x8_t h;
  uint32_t variance = 0, v = 0;
  int32_t rest = GWS_REST_UNKNOWN;
  if (gws_columns(samples, &variance, &h)) {
    gws_first_row(h, found);
    if (variance <= q->flat) return;
    rest = gws_rest_of(variance);
    v = 1;
  }
  int16_t folded[2][4][8]; /* sums, then differences, of rows y and 7 - y */
  GWS_UNROLL(4)
  for (uint32_t y = 0; y < 4u; ++y) {
    const int16x8_t a = vldrhq_s16(samples + 8u * y), b = vldrhq_s16(samples + 8u * (7u - y));
    vstrhq_s16(folded[0][y], vaddq_s16(a, b));
    vstrhq_s16(folded[1][y], vsubq_s16(a, b));
  }
  for (; v < 8u && rest > q->rest; ++v) {
    const int16_t *const m = gws_forward + 8u * v;
    const int16_t(*const f)[8] = folded[v & 1u];
    int32x4_t even, odd;
    GWS_UNROLL(4)
    for (uint32_t y = 0; y < 4u; ++y) {
      const int16x8_t row = vldrhq_s16(f[y]), k = vdupq_n_s16(m[y]);
      even = y == 0u ? vmullbq_int_s16(row, k) : vaddq_s32(even, vmullbq_int_s16(row, k));
      odd = y == 0u ? vmulltq_int_s16(row, k) : vaddq_s32(odd, vmulltq_int_s16(row, k));
    }
    h = gws_half(even, odd);
    if (v == 0u) {
      gws_first_row(h, found);
      continue;
    }
    const uint32_t energy = (uint32_t)vmladavq_s16(h, h);
    rest = gws_rest_after(rest, energy);
    if (energy > q->quiet) gws_keep_row(h, found, v);
  }
}

#endif
