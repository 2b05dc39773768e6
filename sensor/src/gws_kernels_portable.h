/* gws_kernels_portable.h: plain C. */
#ifndef GWS_KERNELS_PORTABLE_H
#define GWS_KERNELS_PORTABLE_H

#include "gws_internal.h"

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes, 64 samples apart;
 * f=6. The matrix is a a a, b 0 -b, c d c. */
GWS_APART static void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const int32_t a = gws_colour[0], b = gws_colour[3], c = gws_colour[6], d = gws_colour[7];
  const int32_t centre_a = 128 - 128 * 3 * a, centre_c = 128 - 128 * (2 * c + d);
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *rgb = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x, rgb += 3, ++to) {
      const int32_t sum = rgb[0] + rgb[2], green = rgb[1];
      to[0] = (int16_t)((a * (sum + green) + centre_a) >> 8);
      to[64] = (int16_t)((b * (rgb[0] - rgb[2]) + 128) >> 8);
      to[128] = (int16_t)((c * sum + d * green + centre_c) >> 8);
    }
  }
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    for (uint32_t x = 0; x < 8u; ++x) *to++ = (int16_t)((m * (grey[x] - 128) + 128) >> 8);
  }
}

/* Folded into sums and differences, so that four products make an output. */
static inline void gws_forward_eight(const int32_t in[8], int32_t half, int32_t out[8]) {
  const int32_t s0 = in[0] + in[7], s1 = in[1] + in[6], s2 = in[2] + in[5], s3 = in[3] + in[4];
  const int32_t d0 = in[0] - in[7], d1 = in[1] - in[6], d2 = in[2] - in[5], d3 = in[3] - in[4];
  for (uint32_t k = 0; k < 8u; k += 2u) {
    const int16_t *const even = gws_forward + 8u * k, *const odd = even + 8;
    out[k] = even[0] * s0 + even[1] * s1 + even[2] * s2 + even[3] * s3 + half;
    out[k + 1u] = odd[0] * d0 + odd[1] * d1 + odd[2] * d2 + odd[3] * d3 + half;
  }
}

/* Tries whether the columns are so flat that all rows but the first give zeros; then only that one
 * is left to do. */
static inline bool gws_flat_columns(const int16_t *samples, const gws_quantiser *q, int16_t h[8]) {
  uint32_t energy = 0;
  for (uint32_t x = 0; x < 8u; ++x) {
    const int32_t middle = samples[24u + x];
    int32_t sum = 0;
    for (uint32_t y = 0; y < 8u; ++y) {
      const int32_t a = samples[8u * y + x] - middle;
      const uint32_t square = (uint32_t)(a * a);
      energy += square;
      if (energy < square || energy > q->flat) return false;
      sum += a;
    }
    h[x] = (int16_t)((gws_forward[0] * (sum + 8 * middle) + (1 << 16)) >> 17);
  }
  return true;
}

/* One row of h to coefficients. Returns whether more than DC came. */
static inline bool gws_forward_row(const int16_t h[8], bool first, const gws_quantiser *q,
                                   int16_t *out) {
  int32_t in[8], sums[8];
  uint32_t energy = 0;
  const int32_t one = first ? h[1] : 0; /* what is the same all over gives DC alone */
  for (uint32_t x = 0; x < 8u; ++x) {
    in[x] = h[x];
    energy += (uint32_t)((in[x] - one) * (in[x] - one));
  }
  if (energy <= q->quiet) {
    if (first) {
      int32_t sum = 0;
      for (uint32_t x = 0; x < 8u; ++x) sum += in[x];
      out[0] = (int16_t)((gws_forward[0] * sum + (1 << 14)) >> 15);
    }
    return false;
  }
  gws_forward_eight(in, 1 << 14, sums);
  for (uint32_t u = 0; u < 8u; ++u) out[u] = (int16_t)(sums[u] >> 15);
  return true;
}

/* A block's coefficients [v][u], of those rows v whose bit is set in the result; all others are
 * zeros when quantised, but for DC, which is always there. `flat` guesses, from the block before.
 */
GWS_APART static uint32_t gws_forward_block(const int16_t *samples, const gws_quantiser *q,
                                            bool flat, int16_t *coefficient) {
  int16_t h[64]; /* [v][x] */
  if (flat && gws_flat_columns(samples, q, h))
    return gws_forward_row(h, true, q, coefficient) ? 1u : 0u;
  int32_t in[8], out[8];
  for (uint32_t x = 0; x < 8u; ++x) {
    for (uint32_t y = 0; y < 8u; ++y) in[y] = samples[8u * y + x];
    gws_forward_eight(in, 1 << 16, out);
    for (uint32_t v = 0; v < 8u; ++v) h[8u * v + x] = (int16_t)(out[v] >> 17);
  }
  uint32_t rows = 0;
  for (uint32_t v = 0; v < 8u; ++v) {
    if (gws_forward_row(h + 8u * v, v == 0u, q, coefficient + 8u * v)) rows |= 1u << v;
  }
  return rows;
}

#endif
