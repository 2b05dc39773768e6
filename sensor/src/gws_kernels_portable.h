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

/* Row 0 of h, and how far columns are from flat: the sum of squares of their samples less their
 * means, rounded up. Says false of very high contrast. */
static inline bool gws_columns(const int16_t *samples, uint32_t *variance, int32_t h[8]) {
  uint32_t energy = 0, squares = 0;
  for (uint32_t x = 0; x < 8u; ++x) {
    const int32_t middle = samples[24u + x];
    int32_t sum = 0;
    for (uint32_t y = 0; y < 8u; ++y) {
      const int32_t a = samples[8u * y + x] - middle;
      sum += a;
      energy += (uint32_t)(a * a); /* below 2^31, and what is there below 2^28 */
      if (energy > GWS_MOST_CONTRAST) return false;
    }
    squares += (uint32_t)(sum * sum) >> 3; /* at most 8 times the energy */
    h[x] = (gws_forward[0] * (sum + 8 * middle) + (1 << 16)) >> 17;
  }
  *variance = energy - squares;
  return true;
}

static inline uint32_t gws_energy(const int32_t h[8], int32_t off) {
  uint32_t energy = 0;
  for (uint32_t x = 0; x < 8u; ++x) energy += (uint32_t)((h[x] - off) * (h[x] - off));
  return energy;
}

/* Keeps those coefficients of row v of h that are not zeros when quantised. */
GWS_APART static void gws_keep_row(const int32_t h[8], gws_found *found, uint32_t v) {
  int32_t sums[8];
  gws_forward_eight(h, 1 << 14, sums);
  for (uint32_t u = v == 0u ? 1u : 0u; u < 8u; ++u) {
    if ((uint32_t)sums[u] + found->q->reach > found->q->span) gws_keep(found, v, u, sums[u]);
  }
}

/* Row 0, which always gives DC: what is the same all over gives nothing else. */
static inline void gws_first_row(const int32_t h[8], gws_found *found) {
  int32_t sum = 0;
  for (uint32_t x = 0; x < 8u; ++x) sum += h[x];
  found->dc = (gws_forward[0] * sum + (1 << 14)) >> 15;
  if (gws_energy(h, h[1]) > found->q->quiet) gws_keep_row(h, found, 0);
}

/* A block's DC, and its coefficients that are not zeros when quantised. */
static inline void gws_forward_block(const int16_t *samples, gws_found *found) {
  const gws_quantiser *const q = found->q;
  int32_t h[8];
  uint32_t variance = 0, v = 0;
  int32_t rest = GWS_REST_UNKNOWN;
  if (gws_columns(samples, &variance, h)) {
    gws_first_row(h, found);
    if (variance <= q->flat) return;
    rest = gws_rest_of(variance);
    v = 1;
  }
  int16_t folded[2][8][4]; /* sums, differences; [x][row] */
  for (uint32_t x = 0; x < 8u; ++x) {
    for (uint32_t y = 0; y < 4u; ++y) {
      const int32_t a = samples[8u * y + x], b = samples[8u * (7u - y) + x];
      folded[0][x][y] = (int16_t)(a + b);
      folded[1][x][y] = (int16_t)(a - b);
    }
  }
  for (; v < 8u && rest > q->rest; ++v) {
    const int16_t *const m = gws_forward + 8u * v;
    for (uint32_t x = 0; x < 8u; ++x) {
      const int16_t *const f = folded[v & 1u][x];
      h[x] = (m[0] * f[0] + m[1] * f[1] + m[2] * f[2] + m[3] * f[3] + (1 << 16)) >> 17;
    }
    if (v == 0u) {
      gws_first_row(h, found);
      continue;
    }
    const uint32_t energy = gws_energy(h, 0);
    rest = gws_rest_after(rest, energy);
    if (energy > q->quiet) gws_keep_row(h, found, v);
  }
}

#endif
