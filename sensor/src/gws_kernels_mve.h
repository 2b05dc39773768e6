/* gws_kernels_mve.h: the vectors of a Cortex-M55 (Helium): a row of a block is one of eight 16-bit
 * numbers. */
#ifndef GWS_KERNELS_MVE_H
#define GWS_KERNELS_MVE_H

#include <arm_mve.h>

#include "gws_internal.h"

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes; f=6. The numbers
 * are those of gws_kernels_dsp.h. */
GWS_APART static void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const uint16x8_t red = vmulq_n_u16(vidupq_n_u16(0, 1), 3), green = vaddq_n_u16(red, 1),
                   blue = vaddq_n_u16(red, 2);
  uint32_t pixel, count = 8;
  to += 64; /* as offsets of vectors are below 256 bytes */
  /* By hand: the compiler makes 6 instructions more of a row. */
  __asm__ volatile(
      "dls lr, %3\n"
      "1: ldr %0, [%1], #4\n\tadd %0, %0, %8\n\t"
      "vldrb.u16 q0, [%0, %q4]\n\tvldrb.u16 q1, [%0, %q5]\n\tvldrb.u16 q2, [%0, %q6]\n\t"
      "vadd.i16 q3, q0, q2\n\tvsub.i16 q0, q0, q2\n\tvadd.i16 q2, q3, q1\n\t"
      "vshl.i16 q2, q2, #6\n\tvmulh.u16 q2, q2, %q7\n\tvsub.i16 q2, q2, %9\n\t"
      "vmla.s16 q3, q1, %11\n\tvmla.s16 q1, q3, %12\n\tvshr.s16 q1, q1, #8\n\t"
      "vmla.s16 q1, q3, %13\n\tvshl.i16 q0, q0, #7\n\tvqrdmulh.s16 q0, q0, %10\n\t"
      "vstrh.16 q2, [%2, #-128]\n\tvstrh.16 q1, [%2, #128]\n\tvstrh.16 q0, [%2], #16\n\t"
      "le lr, 1b"
      : "=&r"(pixel), "+&r"(rows), "+&l"(to)
      : "r"(count), "w"(red), "w"(green), "w"(blue), "w"(vdupq_n_u16(9459u << 2)), "r"(offset),
        "r"(14188), "r"(11585), "r"(-2), "r"(33), "r"(26)
      : "q0", "q1", "q2", "q3", "lr", "memory");
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x) *to++ = (int16_t)((m * (grey[x] - 128) + 128) >> 8);
  }
}

/* Keeps those coefficients of row v of h that are not zeros when quantised: a sum of products with
 * each row of the matrix. */
GWS_APART static void gws_keep_row(int16x8_t h, gws_found *found, uint32_t v) {
  const gws_quantiser *const q = found->q;
  const uint32_t half = 1u << 14, reach = q->reach + half;
  int32_t sum[8];
  GWS_UNROLL(8)
  for (uint32_t u = 0; u < 8u; ++u) sum[u] = vmladavq_s16(h, vldrhq_s16(gws_forward + 8u * u));
  const uint32x4_t low = vreinterpretq_u32_s32(vldrwq_s32(sum)),
                   high = vreinterpretq_u32_s32(vldrwq_s32(sum + 4));
  /* Four bits each lane, of which one stays. */
  uint32_t set = (vcmphiq_n_u32(vaddq_n_u32(low, reach), q->span) & (v == 0u ? 0x1110u : 0x1111u)) |
                 (vcmphiq_n_u32(vaddq_n_u32(high, reach), q->span) & 0x1111u) << 16;
  for (; set != 0u; set &= set - 1u) {
    const uint32_t u = (uint32_t)__builtin_ctz(set) >> 2;
    gws_keep(found, v, u, sum[u] + (int32_t)half);
  }
}

/* A row of h, f=5, rounded down, of four rows of samples' sums or differences, even columns
 * first. */
static inline int16x8_t gws_half_row(const int16_t *folded, const int16_t *m) {
  int16x8_t twice;
  int32_t k;
#define GWS_ROW(from, left, right)                                                           \
  "ldrsh %1, [%3, #" from "]\n\tvldrh.s32 q2, [%2, #" left "]\n\tvldrh.s32 q3, [%2, #" right \
  "]\n\tvmla.s32 q0, q2, %1\n\tvmla.s32 q1, q3, %1\n\t"
  __asm__(
      "ldrsh %1, [%3]\n\tvldrh.s32 q0, [%2]\n\tvldrh.s32 q1, [%2, #8]\n\t"
      "vmul.i32 q0, q0, %1\n\tvmul.i32 q1, q1, %1\n\t" GWS_ROW("2", "16", "24")
          GWS_ROW("4", "32", "40")
              GWS_ROW("6", "48", "56") "vshrnb.i32 %q0, q0, #16\n\tvshrnt.i32 %q0, q1, #16"
      : "=&w"(twice), "=&r"(k)
      : "l"(folded), "r"(m), "m"(*(const int16_t(*)[32])folded)
      : "q0", "q1", "q2", "q3");
#undef GWS_ROW
  return twice;
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
  for (uint32_t v = 1; v < 8u && rest > q->rest; ++v, m += 8) {
    const int16x8_t twice = gws_half_row(&folded[v & 1u][0][0], m);
    const uint32_t energy = (uint32_t)vmladavq_s16(twice, twice);
    rest = gws_rest_after(rest, energy >> 2);
    if (energy > q->quiet_twice) gws_keep_row(vrshrq_n_s16(twice, 1), found, v);
  }
}

#endif
