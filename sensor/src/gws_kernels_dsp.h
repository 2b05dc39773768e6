/* gws_kernels_dsp.h: the packed 16-bit arithmetic of Cortex-M4, M7 and M33. Columns of a block lie
 * in the order 0 2, 1 3, 4 6, 5 7: so come pixels out of their bytes, and the transform takes them
 * as well that way. */
#ifndef GWS_KERNELS_DSP_H
#define GWS_KERNELS_DSP_H

#include <arm_acle.h>

#include "gws_internal.h"

/* Instructions that the compiler does not find on its own. */
#define GWS_ASM2(name, text)                            \
  static inline uint32_t name(uint32_t a, uint32_t b) { \
    uint32_t r;                                         \
    __asm__(text : "=r"(r) : "r"(a), "r"(b));           \
    return r;                                           \
  }
GWS_ASM2(gws_bottoms, "pkhbt %0, %1, %2, lsl #16")  /* bottom of a, bottom of b */
GWS_ASM2(gws_tops, "pkhtb %0, %2, %1, asr #16")     /* top of a, top of b */
GWS_ASM2(gws_bottom_top, "pkhbt %0, %1, %2")        /* bottom of a, top of b */
GWS_ASM2(gws_eighths, "pkhbt %0, %1, %2, lsl #8")   /* bottom of a, bits 8..23 of b */
GWS_ASM2(gws_add_turned, "add %0, %1, %2, ror #16") /* no carry may pass bit 15 */
GWS_ASM2(gws_sub_turned, "sub %0, %1, %2, ror #16") /* nor a borrow */
#undef GWS_ASM2
static inline uint32_t gws_odd_bytes(uint32_t a) {
  uint32_t r;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(r) : "r"(a));
  return r;
}
#define GWS_MAC(name, text)                                               \
  static inline int32_t name(uint32_t a, uint32_t b, int32_t sum) {       \
    int32_t r;                                                            \
    __asm__(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(sum)); \
    return r;                                                             \
  }
GWS_MAC(gws_mac_bb, "smlabb")
GWS_MAC(gws_mac_tb, "smlatb")
GWS_MAC(gws_mac_bt, "smlabt")
GWS_MAC(gws_mac_tt, "smlatt")
#undef GWS_MAC
static inline uint32_t gws_turned(uint32_t v) { return v >> 16 | v << 16; }

static inline uint32_t gws_word(const void *at) {
  uint32_t v;
  __builtin_memcpy(&v, at, 4);
  return v;
}

/* Two pixels, packed: `sum` is red + blue, `difference` red - blue + 256. */
static inline void gws_colour_two(uint32_t sum, uint32_t difference, uint32_t green, uint32_t ab,
                                  uint32_t cd, const int32_t centre[3], gws_word32 *to) {
  const uint32_t all = sum + green;
  to[0] = gws_eighths((uint32_t)(gws_mac_bb(all, ab, centre[0]) >> 8),
                      (uint32_t)gws_mac_tb(all, ab, centre[0]));
  to[32] = gws_eighths((uint32_t)(gws_mac_bt(difference, ab, centre[1]) >> 8),
                       (uint32_t)gws_mac_tt(difference, ab, centre[1]));
  to[64] = gws_eighths((uint32_t)(gws_mac_bb(sum, cd, gws_mac_bt(green, cd, centre[2])) >> 8),
                       (uint32_t)gws_mac_tb(sum, cd, gws_mac_tt(green, cd, centre[2])));
}

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes; f=6. The matrix is
 * a a a, b 0 -b, c d c. */
GWS_APART static void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const int32_t a = gws_colour[0], b = gws_colour[3], c = gws_colour[6], d = gws_colour[7];
  const uint32_t ab = gws_bottoms((uint32_t)a, (uint32_t)b),
                 cd = gws_bottoms((uint32_t)c, (uint32_t)d);
  const int32_t centre[3] = {128 - 128 * 3 * a, 128 - 256 * b, 128 - 128 * (2 * c + d)};
  gws_word32 *out = (gws_word32 *)__builtin_assume_aligned(to, 4);
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *rgb = rows[y] + offset;
#pragma GCC unroll 2
    for (uint32_t half = 0; half < 2u; ++half, rgb += 12, out += 2) {
      const uint32_t w0 = gws_word(rgb), w1 = gws_word(rgb + 4), w2 = gws_word(rgb + 8);
      const uint32_t r0b0 = __uxtb16(w0), g0r1 = gws_odd_bytes(w0), g1r2 = __uxtb16(w1);
      const uint32_t b1g2 = gws_odd_bytes(w1), b2g3 = __uxtb16(w2), r3b3 = gws_odd_bytes(w2);
      const uint32_t red02 = gws_bottom_top(r0b0, g1r2), blue20 = gws_bottom_top(b2g3, r0b0);
      gws_colour_two(gws_add_turned(red02, blue20), gws_sub_turned(red02 + 0x01000100u, blue20),
                     gws_bottom_top(g0r1, b1g2), ab, cd, centre, out);
      const uint32_t red31 = gws_bottom_top(r3b3, g0r1), blue13 = gws_bottom_top(b1g2, r3b3);
      gws_colour_two(gws_add_turned(blue13, red31), gws_turned(red31) + 0x01000100u - blue13,
                     gws_bottom_top(g1r2, b2g3), ab, cd, centre, out + 1);
    }
  }
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  static const uint8_t kColumn[8] = {0, 2, 1, 3, 4, 6, 5, 7};
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x) *to++ = (int16_t)((m * (grey[kColumn[x]] - 128) + 128) >> 8);
  }
}

static inline uint32_t gws_energy(const uint32_t w[4]) {
  return (uint32_t)__smlad(w[3], w[3],
                           __smlad(w[2], w[2], __smlad(w[1], w[1], (int32_t)__smuad(w[0], w[0]))));
}

/* A row of h to coefficients; w: h0 h2, h1 h3, h4 h6, h5 h7. */
GWS_APART static void gws_forward_row(const uint32_t w[4], int16_t *out) {
  const uint32_t *m = gws_forward_turned;
  const uint32_t back3 = gws_turned(w[3]), back2 = gws_turned(w[2]);
  const uint32_t s0 = __sadd16(w[0], back3), s1 = __sadd16(w[1], back2);
  const uint32_t d0 = __ssub16(w[0], back3), d1 = __ssub16(w[1], back2);
#pragma GCC unroll 4
  for (uint32_t u = 0; u < 8u; u += 2u, m += 4, out += 2) {
    out[0] = (int16_t)(__smlad(s1, m[1], __smlad(s0, m[0], 1 << 14)) >> 15);
    out[1] = (int16_t)(__smlad(d1, m[3], __smlad(d0, m[2], 1 << 14)) >> 15);
  }
}

/* Row 0, which always gives DC: what is the same all over gives nothing else. */
static inline uint32_t gws_first_row(const uint32_t w[4], const gws_quantiser *q, int16_t *out) {
  const uint32_t one = gws_bottoms(w[1], w[1]);
  const uint32_t a[4] = {__ssub16(w[0], one), __ssub16(w[1], one), __ssub16(w[2], one),
                         __ssub16(w[3], one)};
  if (gws_energy(a) > q->quiet) {
    gws_forward_row(w, out);
    return 1;
  }
  const uint32_t *const m = gws_forward_turned;
  const uint32_t s0 = __sadd16(w[0], gws_turned(w[3])), s1 = __sadd16(w[1], gws_turned(w[2]));
  out[0] = (int16_t)(__smlad(s1, m[1], __smlad(s0, m[0], 1 << 14)) >> 15);
  return 0;
}

/* How far columns are from flat: the sum of squares of their samples less their means, rounded up;
 * and row 0 of h. Says false of very high contrast, where sums of differences may leave 16 bits. */
GWS_APART static bool gws_columns(const gws_word32 *in, uint32_t *variance, uint32_t w[4]) {
  int64_t energy = 0, squares = 0;
  uint32_t sum[4];
#pragma GCC unroll 4
  for (uint32_t x = 0; x < 4u; ++x) {
    const uint32_t middle = in[12u + x];
    uint32_t total = 0;
#pragma GCC unroll 8
    for (uint32_t y = 0; y < 8u; ++y) {
      if (y == 3u) continue;
      const uint32_t a = __ssub16(in[4u * y + x], middle);
      energy = __smlald(a, a, energy);
      total = __sadd16(total, a);
    }
    sum[x] = total;
    squares = __smlald(total, total, squares);
  }
  if (energy > GWS_MOST_CONTRAST) return false;
  *variance = (uint32_t)energy - (uint32_t)(squares >> 3);
  const uint32_t f = (uint32_t)gws_forward[0];
#pragma GCC unroll 4
  for (uint32_t x = 0; x < 4u; ++x) {
    const uint32_t middle = in[12u + x];
    const int32_t left = gws_mac_bb(sum[x], f, 1 << 16) + (gws_mac_bb(middle, f, 0) << 3);
    const int32_t right = gws_mac_tb(sum[x], f, 1 << 16) + (gws_mac_tb(middle, f, 0) << 3);
    w[x] = __shadd16(gws_tops((uint32_t)left, (uint32_t)right), 0);
  }
  return true;
}

/* A block's coefficients [v][u], of those rows v whose bit is set in the result; all others are
 * zeros when quantised, but for DC, which is always there. */
GWS_APART static uint32_t gws_forward_block(const int16_t *samples, const gws_quantiser *q,
                                            int16_t *coefficient) {
  const gws_word32 *const in = (const gws_word32 *)__builtin_assume_aligned(samples, 4);
  uint32_t w[4], variance = 0xffffffffu, rows = 0, v = 0, rest = 0xffffffffu;
  if (gws_columns(in, &variance, w)) {
    rows = gws_first_row(w, q, coefficient);
    if (variance <= q->flat) return rows;
    rest = gws_rest_of(variance);
    v = 1;
  }
  /* Sums, then differences, of two columns at a time, repacked to 0 1, 2 3 of each column. */
  uint32_t folded[2][4][4];
  for (uint32_t x = 0; x < 4u; ++x) {
    const uint32_t a0 = in[x], a1 = in[4u + x], a2 = in[8u + x], a3 = in[12u + x];
    const uint32_t b3 = in[16u + x], b2 = in[20u + x], b1 = in[24u + x], b0 = in[28u + x];
    const uint32_t s0 = __sadd16(a0, b0), s1 = __sadd16(a1, b1), s2 = __sadd16(a2, b2),
                   s3 = __sadd16(a3, b3);
    folded[0][x][0] = gws_bottoms(s0, s1);
    folded[0][x][1] = gws_bottoms(s2, s3);
    folded[0][x][2] = gws_tops(s0, s1);
    folded[0][x][3] = gws_tops(s2, s3);
    const uint32_t d0 = __ssub16(a0, b0), d1 = __ssub16(a1, b1), d2 = __ssub16(a2, b2),
                   d3 = __ssub16(a3, b3);
    folded[1][x][0] = gws_bottoms(d0, d1);
    folded[1][x][1] = gws_bottoms(d2, d3);
    folded[1][x][2] = gws_tops(d0, d1);
    folded[1][x][3] = gws_tops(d2, d3);
  }
  for (; v < 8u && rest > q->rest; ++v) {
    const gws_word32 *const m = (const gws_word32 *)(const void *)gws_forward + 4u * v;
    const uint32_t k0 = m[0], k1 = m[1];
    const uint32_t(*const f)[4] = folded[v & 1u];
#pragma GCC unroll 4
    for (uint32_t x = 0; x < 4u; ++x) {
      const int32_t left = __smlad(f[x][1], k1, __smlad(f[x][0], k0, 1 << 16));
      const int32_t right = __smlad(f[x][3], k1, __smlad(f[x][2], k0, 1 << 16));
      w[x] = __shadd16(gws_tops((uint32_t)left, (uint32_t)right), 0);
    }
    if (v == 0u) {
      rows = gws_first_row(w, q, coefficient);
      continue;
    }
    const uint32_t energy = gws_energy(w);
    rest = gws_rest_after(rest, energy);
    if (energy <= q->quiet) continue;
    gws_forward_row(w, coefficient + 8u * v);
    rows |= 1u << v;
  }
  return rows;
}

#endif
