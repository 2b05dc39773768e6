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

/* Keeps those coefficients of row v of h that are not zeros when quantised: sums with the entries
 * of four rows of the matrix at a time, even ones of h folded to sums, odd ones to differences. */
GWS_APART static void gws_keep_row(int16x8_t h, gws_found *found, uint32_t v) {
  static const uint16_t kBack[8] = {7, 6, 5, 4, 3, 2, 1, 0};
  static const uint32_t kRows[4] = {0, 16, 32, 48}; /* every second, in entries */
  const gws_quantiser *const q = found->q;
  int16_t lane[2][8];
  vstrhq_s16(lane[1], h);
  const int16x8_t back = vldrhq_gather_shifted_offset_s16(lane[1], vldrhq_u16(kBack));
  vstrhq_s16(lane[0], vaddq_s16(h, back));
  vstrhq_s16(lane[1], vsubq_s16(h, back));
  const uint32x4_t rows = vldrwq_u32(kRows);
  int32x4_t even = vdupq_n_s32(1 << 14), odd = even;
  GWS_UNROLL(4)
  for (uint32_t x = 0; x < 4u; ++x) {
    even = vmlaq_n_s32(even, vldrhq_gather_shifted_offset_s32(gws_forward + x, rows), lane[0][x]);
    odd = vmlaq_n_s32(odd, vldrhq_gather_shifted_offset_s32(gws_forward + 8 + x, rows), lane[1][x]);
  }
  int32_t sum[8]; /* even ones, then odd ones */
  vstrwq_s32(sum, even);
  vstrwq_s32(sum + 4, odd);
  const uint32_t evens = vcmphiq_n_u32(vaddq_n_u32(vreinterpretq_u32_s32(even), q->reach), q->span),
                 odds = vcmphiq_n_u32(vaddq_n_u32(vreinterpretq_u32_s32(odd), q->reach), q->span);
  /* Four bits each lane, of which two stay. */
  for (uint32_t set = (evens & (v == 0u ? 0x1110u : 0x1111u)) | (odds & 0x2222u); set != 0u;
       set &= set - 1u) {
    const uint32_t bit = (uint32_t)__builtin_ctz(set), pair = bit >> 2, side = bit & 1u;
    gws_keep(found, v, 2u * pair + side, sum[4u * side + pair]);
  }
}

/* f=20 in even and odd lanes to f=5, rounded down. */
static inline int16x8_t gws_tops(int32x4_t even, int32x4_t odd) {
  return vshrntq_n_s32(vshrnbq_n_s32(vdupq_n_s16(0), even, 16), odd, 16);
}

/* Squares of a block's samples, and of its columns' sums times row 0's entry, are added up;
 * returned is row 0 of h, f=5, rounded down. By hand: the compiler makes 20 instructions more. */
static inline int16x8_t gws_columns(const int16_t *samples, int32_t f, uint64_t *samples_squared,
                                    uint32_t *high) {
  register uint32_t low_of __asm__("r2");
  register uint32_t high_of __asm__("r3");
  register uint32_t sums_low __asm__("r4");
  register uint32_t sums_high __asm__("r5");
  int16x8_t twice;
#define GWS_FOLD(add, sum, other, offset, mirrored)                                         \
  "vldrh.u16 " sum ", [%5, #" offset "]\n\tvldrh.u16 " other ", [%5, #" mirrored            \
  "]\n\t"                                                                                   \
  "vmlaldav" add ".s16 %1, %2, " sum ", " sum "\n\tvmlaldava.s16 %1, %2, " other ", " other \
  "\n\t"                                                                                    \
  "vadd.i16 " sum ", " sum ", " other "\n\t"
  __asm__(GWS_FOLD("", "q0", "q4", "0", "112") GWS_FOLD("a", "q1", "q4", "16", "96")
              GWS_FOLD("a", "q2", "q4", "32", "80") GWS_FOLD("a", "q3", "q4", "48", "64")
          "vdup.16 q5, %6\n\tvmullb.s16 q4, q0, q5\n\tvmullt.s16 q0, q0, q5\n\t"
          "vmullb.s16 q6, q1, q5\n\tvmullt.s16 q1, q1, q5\n\t"
          "vadd.i32 q4, q4, q6\n\tvadd.i32 q0, q0, q1\n\t"
          "vmullb.s16 q6, q2, q5\n\tvmullt.s16 q1, q2, q5\n\t"
          "vadd.i32 q4, q4, q6\n\tvadd.i32 q0, q0, q1\n\t"
          "vmullb.s16 q6, q3, q5\n\tvmullt.s16 q1, q3, q5\n\t"
          "vadd.i32 q4, q4, q6\n\tvadd.i32 q0, q0, q1\n\t"
          "vmlaldav.s32 %3, %4, q4, q4\n\tvmlaldava.s32 %3, %4, q0, q0\n\t"
          "vshrnb.i32 %q0, q4, #16\n\tvshrnt.i32 %q0, q0, #16"
          : "=w"(twice), "=&r"(low_of), "=&r"(high_of), "=&r"(sums_low), "=&r"(sums_high)
          : "r"(samples), "r"(f), "m"(*(const int16_t(*)[64])samples)
          : "q0", "q1", "q2", "q3", "q4", "q5", "q6");
#undef GWS_FOLD
  *samples_squared = (uint64_t)high_of << 32 | low_of;
  *high = sums_high;
  return twice;
}

/* A block's DC, and its coefficients that are not zeros when quantised. See gws_kernels_dsp.h. */
GWS_APART static void gws_forward_block(const int16_t *samples, gws_found *found) {
  const gws_quantiser *const q = found->q;
  const int32_t f = gws_forward[0];
  uint64_t samples_squared;
  uint32_t high; /* of the sum of squares of sums */
  int16x8_t h = vrshrq_n_s16(gws_columns(samples, f, &samples_squared, &high), 1);
  found->dc = (int16_t)((vaddvq_s16(h) * f + (1 << 14)) >> 15);
  /* What is the same all over gives nothing else. */
  const int16x8_t level = vsubq_n_s16(h, vgetq_lane_s16(h, 1));
  if ((uint32_t)vmladavq_s16(level, level) > q->quiet) gws_keep_row(h, found, 0);
  /* Of samples less their column's mean. */
  const uint64_t variance =
      samples_squared - ((uint64_t)(high >> 30) << 32 | high << 2) - (high >> 13);
  if (variance <= q->flat) return;
  int32_t rest = variance >> 32 != 0u ? GWS_REST_UNKNOWN : gws_rest_of((uint32_t)variance);
  int16_t folded[2][4][8]; /* sums, then differences, of rows y and 7 - y: even, then odd columns */
  static const uint16_t kApart[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  const uint16x8_t apart = vldrhq_u16(kApart);
  GWS_UNROLL(4)
  for (uint32_t y = 0; y < 4u; ++y) {
    const int16x8_t a = vldrhq_s16(samples + 8u * y), b = vldrhq_s16(samples + 8u * (7u - y));
    vstrhq_scatter_shifted_offset_s16(folded[0][y], apart, vaddq_s16(a, b));
    vstrhq_scatter_shifted_offset_s16(folded[1][y], apart, vsubq_s16(a, b));
  }
  const int16_t *m = gws_forward + 8;
  int32x4_t even, odd;
  for (uint32_t v = 1; v < 8u && rest > q->rest; ++v, m += 8) {
    const int16_t(*const row)[8] = folded[v & 1u];
    GWS_UNROLL(4)
    for (uint32_t y = 0; y < 4u; ++y) {
      const int32x4_t left = vldrhq_s32(row[y]), right = vldrhq_s32(row[y] + 4);
      even = y == 0u ? vmulq_n_s32(left, m[y]) : vmlaq_n_s32(even, left, m[y]);
      odd = y == 0u ? vmulq_n_s32(right, m[y]) : vmlaq_n_s32(odd, right, m[y]);
    }
    const int16x8_t twice = gws_tops(even, odd);
    const uint32_t energy = (uint32_t)vmladavq_s16(twice, twice);
    rest = gws_rest_after(rest, energy >> 2);
    if (energy > q->quiet_twice) gws_keep_row(vrshrq_n_s16(twice, 1), found, v);
  }
}

#endif
