/* gws_kernels_bands_scalar.h: plain C, and four bytes at a time. */
#ifndef GWS_KERNELS_BANDS_SCALAR_H
#define GWS_KERNELS_BANDS_SCALAR_H

#include "gws_kernels_bands.h"

/* Of a difference of halves, or a half: within 16 bits, as the factor is at most 32767. */
static inline int32_t scaled(int32_t half, int32_t factor, int32_t rounding) {
  return (half * factor + rounding) >> 15;
}

/* The slopes to the four blocks around. The format limits each to 8191, which the limit of the sum
 * makes no difference to, as the shift is 4 at most. */
GWS_FAST static void gradient_row(const gws_quantiser *q, const int16_t *line, uint32_t pitch,
                                  uint32_t blocks, uint8_t *out) {
  const int32_t f = q->dc_factor, shift = q->dc_shift, r = (int32_t)gws_kept(1u << 14);
  const int16_t *up = line - pitch, *down = line + pitch;
  int32_t here = line[1] >> 1, before = here; /* at the border the nearest block stands in */
  for (uint32_t x = 1; x <= blocks; ++x) {
    const int32_t after = line[x + 1u] >> 1;
    const int32_t sum = gws_abs(scaled((up[x] >> 1) - here, f, r)) +
                        gws_abs(scaled(before - here, f, r)) + gws_abs(scaled(after - here, f, r)) +
                        gws_abs(scaled((down[x] >> 1) - here, f, r));
    out[x] = (uint8_t)gws_min(sum >> shift, 255);
    before = here;
    here = after;
  }
}

/* The edges of blocks of nothing but DC, all four: at frequency 0. At most 24576, as the shift is 2
 * or more. */
static void edge_row(const gws_quantiser *q, int16_t *line, uint32_t blocks) {
  const int32_t f = q->dc_factor, shift = q->dc_shift, r = (int32_t)gws_kept(1u << 14),
                half = 1 << (shift - 1);
  line[0] = line[blocks + 1u] = 0;
  for (uint32_t x = 1; x <= blocks; ++x)
    line[x] = (int16_t)(6 * ((scaled(line[x] >> 1, f, r) + half) >> shift));
}

/* Bytes 0 and 2, or 1 and 3, as two 16-bit numbers, added up. */
#define GWS_EVEN 0x00ff00ffu
#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
static inline uint32_t add_even(uint32_t sum, uint32_t bytes) { return __uxtab16(sum, bytes); }
static inline uint32_t add_odd(uint32_t sum, uint32_t bytes) {
  __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(sum) : "r"(bytes));
  return sum;
}
#else
static inline uint32_t add_even(uint32_t sum, uint32_t bytes) { return sum + (bytes & GWS_EVEN); }
static inline uint32_t add_odd(uint32_t sum, uint32_t bytes) {
  return sum + (bytes >> 8 & GWS_EVEN);
}
#endif

/* weight times each of four numbers. */
GWS_INLINE void add_four(uint32_t even, uint32_t odd, int32_t weight, int32_t sum[4]) {
  sum[0] += (int16_t)even * weight;
  sum[1] += (int16_t)odd * weight;
  sum[2] += (int16_t)(even >> 16) * weight;
  sum[3] += (int16_t)(odd >> 16) * weight;
}

/* Of four blocks: what is here and what is around. Mostly all are zeros. */
GWS_FAST GWS_APART static void add_around(const uint8_t *a, uint32_t pitch, uint32_t below,
                                          const uint8_t *w, int32_t sum[4]) {
  const uint32_t own = word(a), left = word(a - 1), right = word(a + 1), up = word(a - pitch),
                 down = word(a + below);
  if ((own | left | right | up | down) == 0u) return;
  add_four(own & GWS_EVEN, own >> 8 & GWS_EVEN, w[0], sum);
  add_four(add_even(add_even(add_even(left & GWS_EVEN, right), up), down),
           add_odd(add_odd(add_odd(left >> 8 & GWS_EVEN, right), up), down), w[1], sum);
}

/* Lists a cell's flags in a row of blocks, puts what each expected at `scale`, and returns them. */
static inline uint32_t code_four(const flag_rule *f, uint32_t start, uint32_t at, uint32_t pitch,
                                 uint32_t below, const gws_place *place, uint16_t *list,
                                 uint8_t *scale) {
  const uint8_t *const w = f->weight, *const above = f->own + at - pitch;
  int32_t sum[4] = {(int32_t)start, (int32_t)start, (int32_t)start, (int32_t)start};
  const uint32_t up = word(above), west = word(above - 1), east = word(above + 1);
  if ((up | west | east) != 0u) {
    add_four(up & GWS_EVEN, up >> 8 & GWS_EVEN, w[1], sum);
    add_four(add_even(west & GWS_EVEN, east), add_odd(west >> 8 & GWS_EVEN, east), w[2], sum);
  }
  GWS_PRAGMA(GCC unroll 3)
  for (uint32_t i = 0; i < 3u; ++i) {
    if (f->around[i] != NULL) add_around(f->around[i] + at, pitch, below, w + 3u + 2u * i, sum);
  }
  if (f->other != NULL) {
    const uint32_t other = word(f->other + at);
    if (other != 0u) add_four(other & GWS_EVEN, other >> 8 & GWS_EVEN, w[9], sum);
  }
  const uint32_t eight = 8u * w[0], band = f->band, base = f->base;
  uint32_t set = 0, left = (uint32_t)(place - 1)->mask >> band & 1u;
  GWS_PRAGMA(GCC unroll 4)
  for (uint32_t k = 0; k < 4u; ++k) {
    const uint32_t all = (uint32_t)sum[k] + left * eight;
    left = (uint32_t)place[k].mask >> band & 1u;
    const uint32_t decision = base + twice_class(all) + left;
    list[k] = (uint16_t)decision;
    scale[k] = (uint8_t)gws_limit7(all >> 4);
    set |= left << k;
  }
  return set;
}

#endif
