/* gws_kernels_portable.h: plain C. */
#ifndef GWS_KERNELS_PORTABLE_H
#define GWS_KERNELS_PORTABLE_H

#include "gws_internal.h"

/* Eight pixels to three planes, 64 samples apart; f=6. */
static inline void gws_colour_eight(const uint8_t *rgb, int16_t *to) {
  for (uint32_t i = 0; i < 8u; ++i, rgb += 3, ++to) {
    for (uint32_t p = 0; p < 3u; ++p) {
      const int16_t *const m = gws_colour + 3u * p;
      const int32_t centre = -128 * (m[0] + m[1] + m[2]) + 128;
      to[64u * p] = (int16_t)((m[0] * rgb[0] + m[1] * rgb[1] + m[2] * rgb[2] + centre) >> 8);
    }
  }
}

static inline void gws_grey_eight(const uint8_t *grey, int16_t *to) {
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t i = 0; i < 8u; ++i) to[i] = (int16_t)((m * (grey[i] - 128) + 128) >> 8);
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

/* A block's coefficients [v][u], of those rows v whose bit is set in the result; the others are
 * zeros when quantised. Row 0 is always there. */
static inline uint32_t gws_forward_block(const int16_t *samples, const gws_quantiser *q,
                                         int16_t *coefficient) {
  int16_t h[64]; /* [v][x] */
  int32_t in[8], out[8];
  for (uint32_t x = 0; x < 8u; ++x) {
    for (uint32_t y = 0; y < 8u; ++y) in[y] = samples[8u * y + x];
    gws_forward_eight(in, 1 << 16, out);
    for (uint32_t v = 0; v < 8u; ++v) h[8u * v + x] = (int16_t)(out[v] >> 17);
  }
  uint32_t rows = 0;
  for (uint32_t v = 0; v < 8u; ++v) {
    uint32_t energy = 0;
    for (uint32_t x = 0; x < 8u; ++x) {
      in[x] = h[8u * v + x];
      energy += (uint32_t)(in[x] * in[x]);
    }
    if (v > 0u && energy <= q->quiet) continue;
    rows |= 1u << v;
    gws_forward_eight(in, 1 << 14, out);
    for (uint32_t u = 0; u < 8u; ++u) coefficient[8u * v + u] = (int16_t)(out[u] >> 15);
  }
  return rows;
}

#endif
