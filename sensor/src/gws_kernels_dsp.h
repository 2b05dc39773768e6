/* gws_kernels_dsp.h: the packed 16-bit arithmetic of Cortex-M4, M7 and M33. Columns of a block lie
 * in pairs 0 2, 1 3, 4 6, 5 7, each pair with its eight rows: so come pixels out of their bytes,
 * and the transform takes them as well that way. */
#ifndef GWS_KERNELS_DSP_H
#define GWS_KERNELS_DSP_H

#include "gws_internal.h"

/* Instructions that the compiler does not find on its own, or (those of arm_acle.h) only with flags
 * that nobody reads, which keeps it from ordering them. */
#define GWS_ASM2(name, text)                            \
  static inline uint32_t name(uint32_t a, uint32_t b) { \
    uint32_t r;                                         \
    __asm__(text : "=r"(r) : "r"(a), "r"(b));           \
    return r;                                           \
  }
GWS_ASM2(gws_bottoms, "pkhbt %0, %1, %2, lsl #16")  /* bottom of a, bottom of b */
GWS_ASM2(gws_tops, "pkhtb %0, %2, %1, asr #16")     /* top of a, top of b */
GWS_ASM2(gws_bottom_top, "pkhbt %0, %1, %2")        /* bottom of a, top of b */
GWS_ASM2(gws_add_turned, "add %0, %1, %2, ror #16") /* no carry may pass bit 15 */
GWS_ASM2(gws_sub_turned, "sub %0, %1, %2, ror #16") /* nor a borrow */
GWS_ASM2(gws_turned_sub, "rsb %0, %2, %1, ror #16")
GWS_ASM2(gws_add_even, "uxtab16 %0, %1, %2")        /* to bytes 0 and 2 of b */
GWS_ASM2(gws_add_odd, "uxtab16 %0, %1, %2, ror #8") /* 1 and 3 */
GWS_ASM2(gws_add16, "sadd16 %0, %1, %2")
GWS_ASM2(gws_sub16, "ssub16 %0, %1, %2")
GWS_ASM2(gws_half16, "shadd16 %0, %1, %2")
GWS_ASM2(gws_mul2, "smuad %0, %1, %2")
#undef GWS_ASM2
#define GWS_MAC(name, text)                                               \
  static inline int32_t name(uint32_t a, uint32_t b, int32_t sum) {       \
    int32_t r;                                                            \
    __asm__(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(sum)); \
    return r;                                                             \
  }
GWS_MAC(gws_mac_bb, "smlabb")
GWS_MAC(gws_mac_tb, "smlatb")
GWS_MAC(gws_mac2, "smlad")
GWS_MAC(gws_scaled_bottom, "smlawb") /* a * bottom of b >> 16 */
GWS_MAC(gws_scaled_top, "smlawt")
#undef GWS_MAC
static inline int64_t gws_mac2_long(uint32_t a, uint32_t b, int64_t sum) {
  __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

/* Of a pair of columns' eight rows: differences from the fourth, of which the squares are added to
 * `energy` and the sum is returned. By hand, as loads of two words are beyond the compiler. */
static inline uint32_t gws_pair_energy(const gws_word32 *in, int64_t *energy, uint32_t *fourth) {
  int64_t sum = *energy;
  uint32_t total, a, b, m;
  __asm__(
      "ldrd %1, %2, [%5]\n\tldrd %3, %4, [%5, #8]\n\t"
      "ssub16 %1, %1, %4\n\tssub16 %2, %2, %4\n\tssub16 %3, %3, %4\n\t"
      "smlald %Q0, %R0, %1, %1\n\tsmlald %Q0, %R0, %2, %2\n\tsadd16 %1, %1, %2\n\t"
      "smlald %Q0, %R0, %3, %3\n\tsadd16 %1, %1, %3\n\t"
      "ldrd %2, %3, [%5, #16]\n\tssub16 %2, %2, %4\n\tssub16 %3, %3, %4\n\t"
      "smlald %Q0, %R0, %2, %2\n\tsadd16 %1, %1, %2\n\t"
      "smlald %Q0, %R0, %3, %3\n\tsadd16 %1, %1, %3\n\t"
      "ldrd %2, %3, [%5, #24]\n\tssub16 %2, %2, %4\n\tssub16 %3, %3, %4\n\t"
      "smlald %Q0, %R0, %2, %2\n\tsadd16 %1, %1, %2\n\t"
      "smlald %Q0, %R0, %3, %3\n\tsadd16 %1, %1, %3"
      : "+r"(sum), "=&r"(total), "=&r"(a), "=&r"(b), "=&r"(m)
      : "r"(in), "m"(*(const gws_word32(*)[8])in));
  *energy = sum;
  *fourth = m;
  return total;
}

/* Sums of a pair of columns' rows y and 7 - y, and 16 words on their differences, each repacked to
 * rows 0 1 and 2 3 of the left column, then of the right one. */
static inline void gws_fold_pair(const gws_word32 *in, uint32_t *out) {
  uint32_t a0, a1, a2, a3, b0, b1, b2, b3, d;
  __asm__ volatile(
      "ldrd %0, %1, [%9]\n\tldrd %2, %3, [%9, #8]\n\t"
      "ldrd %7, %6, [%9, #16]\n\tldrd %5, %4, [%9, #24]\n\t"
      "ssub16 %8, %0, %4\n\tsadd16 %0, %0, %4\n\tssub16 %4, %1, %5\n\tsadd16 %1, %1, %5\n\t"
      "ssub16 %5, %2, %6\n\tsadd16 %2, %2, %6\n\tssub16 %6, %3, %7\n\tsadd16 %3, %3, %7\n\t"
      "pkhbt %7, %0, %1, lsl #16\n\tpkhtb %0, %1, %0, asr #16\n\t"
      "pkhbt %1, %2, %3, lsl #16\n\tpkhtb %2, %3, %2, asr #16\n\t"
      "strd %7, %1, [%10]\n\tstrd %0, %2, [%10, #8]\n\t"
      "pkhbt %3, %8, %4, lsl #16\n\tpkhtb %8, %4, %8, asr #16\n\t"
      "pkhbt %4, %5, %6, lsl #16\n\tpkhtb %5, %6, %5, asr #16\n\t"
      "strd %3, %4, [%10, #64]\n\tstrd %8, %5, [%10, #72]"
      : "=&r"(a0), "=&r"(a1), "=&r"(a2), "=&r"(a3), "=&r"(b0), "=&r"(b1), "=&r"(b2), "=&r"(b3),
        "=&r"(d)
      : "r"(in), "r"(out)
      : "memory");
}

/* a times the first word at `m` and b times the second, in halves, and `sum`. */
static inline int32_t gws_row_sum(const uint32_t *m, uint32_t a, uint32_t b, int32_t sum) {
  int32_t first, second;
  __asm__("ldrd %0, %1, %2\n\tsmlad %0, %3, %0, %5\n\tsmlad %0, %4, %1, %0"
          : "=&r"(first), "=&r"(second)
          : "Q"(*(const uint64_t *)(const void *)m), "r"(a), "r"(b), "r"(sum));
  return first;
}

static inline uint32_t gws_turned(uint32_t v) { return v >> 16 | v << 16; }

static inline uint32_t gws_word(const void *at) {
  uint32_t v;
  __builtin_memcpy(&v, at, 4);
  return v;
}

/* Samples of a plane stand for themselves plus this, twice in a word: so no sum on the way is
 * negative. */
static const uint32_t gws_offset[3] = {0, 0, 13378u * 0x10001u};

/* Two pixels, packed: `sum` is red + blue + 512, `difference` red - blue + 384. The matrix is a a
 * a, b 0 -b, c d c; a and b are here in 2^-16 units, and c times `rest` and the one green that d +
 * 2c leaves is in 1/256 units 6689 = 26 * 256 + 33, the second part rounded down by itself. Biases
 * are such that all three are rounded as the format says: checked by gen/make_tables.cc. */
static inline void gws_colour_two(uint32_t sum, uint32_t difference, uint32_t green,
                                  gws_word32 *to) {
  const uint32_t all = sum + green, rest = sum - 2u * green, a = 9459u << 8, b = 11585u << 8;
  to[0] = gws_bottoms((uint32_t)gws_scaled_bottom(a, all, -33106),
                      (uint32_t)gws_scaled_top(a, all, -33106));
  to[32] = gws_bottoms((uint32_t)gws_scaled_bottom(b, difference, -17377),
                       (uint32_t)gws_scaled_top(b, difference, -17377));
  to[64] = gws_add_odd(26u * rest, 33u * rest + green);
}

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes; f=6. */
GWS_APART static void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const uint32_t red = 448u << 16, blue = 64u, red_blue = 448u | 64u << 16;
  gws_word32 *out = (gws_word32 *)__builtin_assume_aligned(to, 4);
  for (uint32_t y = 0; y < 8u; ++y, ++out) {
    const uint8_t *const rgb = rows[y] + offset;
    GWS_UNROLL(2)
    for (uint32_t half = 0; half < 2u; ++half) {
      const uint32_t w0 = gws_word(rgb + 12u * half), w1 = gws_word(rgb + 12u * half + 4u),
                     w2 = gws_word(rgb + 12u * half + 8u);
      const uint32_t r0b0 = gws_add_even(red_blue, w0), g0r1 = gws_add_odd(red, w0),
                     g1r2 = gws_add_even(red, w1), b1g2 = gws_add_odd(blue, w1),
                     b2g3 = gws_add_even(blue, w2), r3b3 = gws_add_odd(red_blue, w2);
      const uint32_t red02 = gws_bottom_top(r0b0, g1r2), blue20 = gws_bottom_top(b2g3, r0b0);
      gws_colour_two(gws_add_turned(red02, blue20), gws_sub_turned(red02, blue20),
                     gws_bottom_top(g0r1, b1g2), out + 16u * half);
      const uint32_t red31 = gws_bottom_top(r3b3, g0r1), blue13 = gws_bottom_top(b1g2, r3b3);
      gws_colour_two(gws_add_turned(blue13, red31), gws_turned_sub(red31, blue13),
                     gws_bottom_top(g1r2, b2g3), out + 16u * half + 8u);
    }
  }
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  static const uint8_t kColumn[8] = {0, 2, 1, 3, 4, 6, 5, 7};
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x)
      to[16u * (x / 2u) + 2u * y + x % 2u] = (int16_t)((m * (grey[kColumn[x]] - 128) + 128) >> 8);
  }
}

static inline uint32_t gws_energy(const uint32_t w[4]) {
  return (uint32_t)gws_mac2(
      w[3], w[3], gws_mac2(w[2], w[2], gws_mac2(w[1], w[1], (int32_t)gws_mul2(w[0], w[0]))));
}

/* A row of h, w: h0 h2, h1 h3, h4 h6, h5 h7, to its coefficients that are not zeros when quantised:
 * a bit each is returned. */
GWS_APART static uint32_t gws_forward_row(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3,
                                          const gws_quantiser *q, int16_t *out) {
  const uint32_t *m = gws_forward_turned;
  const uint32_t reach = q->reach, span = q->span;
  const int32_t half = (int32_t)gws_kept(1u << 14);
  const uint32_t back3 = gws_turned(w3), back2 = gws_turned(w2);
  const uint32_t s0 = gws_add16(w0, back3), s1 = gws_add16(w1, back2);
  const uint32_t d0 = gws_sub16(w0, back3), d1 = gws_sub16(w1, back2);
  uint32_t found = 0;
  GWS_UNROLL(4)
  for (uint32_t u = 0; u < 8u; u += 2u, m += 4) {
    const int32_t even = gws_row_sum(m, s0, s1, half);
    if ((uint32_t)even + reach > span) {
      out[u] = (int16_t)(even >> 15);
      found |= 1u << u;
    }
    const int32_t odd = gws_row_sum(m + 2, d0, d1, half);
    if ((uint32_t)odd + reach > span) {
      out[u + 1u] = (int16_t)(odd >> 15);
      found |= 2u << u;
    }
  }
  return found;
}

/* Row 0, which always gives DC: what is the same all over gives nothing else. */
static inline void gws_first_row(const uint32_t w[4], const gws_quantiser *q, gws_found *found) {
  const uint32_t one = gws_bottoms(w[1], w[1]);
  const uint32_t a[4] = {gws_sub16(w[0], one), gws_sub16(w[1], one), gws_sub16(w[2], one),
                         gws_sub16(w[3], one)};
  const uint32_t *const m = gws_forward_turned;
  const uint32_t s0 = gws_add16(w[0], gws_turned(w[3])), s1 = gws_add16(w[1], gws_turned(w[2]));
  found->dc = (int16_t)(gws_mac2(s1, m[1], gws_mac2(s0, m[0], 1 << 14)) >> 15);
  if (gws_energy(a) <= q->quiet) return;
  int16_t row[8];
  gws_keep(found, q, 0, gws_forward_row(w[0], w[1], w[2], w[3], q, row) & ~1u, row);
}

/* How far columns are from flat: the sum of squares of their samples less their means, rounded up;
 * and row 0 of h. Says false of very high contrast, where sums of differences may leave 16 bits. */
static inline bool gws_columns(const gws_word32 *in, uint32_t offset, uint32_t *variance,
                               uint32_t w[4]) {
  int64_t energy = 0, squares = 0;
  uint32_t sum[4];
  GWS_UNROLL(4)
  for (uint32_t x = 0; x < 4u; ++x, in += 8) {
    uint32_t fourth;
    sum[x] = gws_pair_energy(in, &energy, &fourth);
    squares = gws_mac2_long(sum[x], sum[x], squares);
    w[x] = gws_sub16(fourth, offset);
    if (x == 0u && energy > GWS_MOST_CONTRAST / 4) return false; /* so will all be */
  }
  if (energy > GWS_MOST_CONTRAST) return false;
  *variance = (uint32_t)energy - (uint32_t)(squares >> 3);
  const uint32_t f = (uint32_t)gws_forward[0];
  GWS_UNROLL(4)
  for (uint32_t x = 0; x < 4u; ++x) {
    const uint32_t middle = w[x];
    const int32_t left = gws_mac_bb(sum[x], f, 1 << 16) + (gws_mac_bb(middle, f, 0) << 3);
    const int32_t right = gws_mac_tb(sum[x], f, 1 << 16) + (gws_mac_tb(middle, f, 0) << 3);
    w[x] = gws_half16(gws_tops((uint32_t)left, (uint32_t)right), 0);
  }
  return true;
}

/* A block's DC, and its coefficients that are not zeros when quantised. */
static inline void gws_forward_block(int16_t *samples, uint32_t offset, const gws_quantiser *q,
                                     gws_found *found) {
  gws_word32 *in = (gws_word32 *)__builtin_assume_aligned(samples, 4);
  uint32_t w[4], variance = 0, v = 0;
  int32_t rest = GWS_REST_UNKNOWN;
  if (gws_columns(in, offset, &variance, w)) {
    gws_first_row(w, q, found);
    if (variance <= q->flat) return;
    rest = gws_rest_of(variance);
    v = 1;
  }
  if (offset != 0u) {
    for (uint32_t i = 0; i < 32u; ++i) in[i] = gws_sub16(in[i], offset);
  }
  /* Sums, then differences, of two columns at a time, repacked to 0 1, 2 3 of each column. */
  uint32_t folded[2][4][4];
  for (uint32_t x = 0; x < 4u; ++x) gws_fold_pair(in + 8u * x, folded[0][x]);
  const int32_t half = (int32_t)gws_kept(1u << 16);
  for (; v < 8u && rest > q->rest; ++v) {
    const gws_word32 *const m = (const gws_word32 *)(const void *)gws_forward + 4u * v;
    const uint32_t k0 = m[0], k1 = m[1];
    const uint32_t(*const f)[4] = folded[v & 1u];
    GWS_UNROLL(4)
    for (uint32_t x = 0; x < 4u; ++x) {
      const int32_t left = gws_mac2(f[x][1], k1, gws_mac2(f[x][0], k0, half));
      const int32_t right = gws_mac2(f[x][3], k1, gws_mac2(f[x][2], k0, half));
      w[x] = gws_half16(gws_tops((uint32_t)left, (uint32_t)right), 0);
    }
    if (v == 0u) {
      gws_first_row(w, q, found);
      continue;
    }
    const uint32_t energy = gws_energy(w);
    rest = gws_rest_after(rest, energy);
    if (energy <= q->quiet) continue;
    int16_t row[8];
    const uint32_t set = gws_forward_row(w[0], w[1], w[2], w[3], q, row);
    if (set != 0u) gws_keep(found, q, v, set, row);
  }
}

#endif
