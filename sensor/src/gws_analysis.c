/* Lines to symbols: colour, 8x8 transform, quantiser, and the coarse transform of the blocks' DC;
 * image.md sections 3 and 4. */
#include "gws_internal.h"
#include "gws_kernels.h"

#if GWS_MVE
#include "gws_mve_coarse.h"
#endif

#if defined(__ARM_FEATURE_SAT) && !defined(GWS_PORTABLE)
#include <arm_acle.h>
#endif

static uint64_t gws_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

GWS_SMALL void gws_prepare_quantiser(gws_quantiser *q, uint32_t step_index) {
  const uint32_t mantissa = 65536u + gws_step_mantissa[step_index % 32u];
  q->step = ((mantissa << (step_index / 32u)) + 1024u) >> 11; /* of 27 bits at most */
  q->shift = 0;
  while ((8u << q->shift) < q->step) ++q->shift; /* 13 at most */
  const uint32_t reciprocal = (1u << (18u + q->shift)) / q->step;
  q->reciprocal = reciprocal < 65535u ? reciprocal : 65535u;
  q->bias = q->step * gws_rounding >> 10;
  /* The smallest m with ((m + bias) * reciprocal >> 16) >> shift > 0. */
  const uint32_t least = ((1u << (16u + q->shift)) + q->reciprocal - 1u) / q->reciprocal;
  q->threshold = least > q->bias ? (int32_t)(least - q->bias) : 1;
  q->reach = ((uint32_t)q->threshold - 1u) << 15;
  q->span = ((2u * (uint32_t)q->threshold - 1u) << 15) - 1u;
  /* A row of h gives only zeros where |sum of forward * h| < threshold * 2^15 - 2^14 for every row
   * of `forward`; by Cauchy and Schwarz that is so where |forward|^2 |h|^2 is below its square. */
  const uint64_t margin = ((uint64_t)(uint32_t)q->threshold << 15) - (1u << 14);
  uint64_t left = margin * margin - 1u;
  q->quiet = 0; /* the quotient, or 2^31 - 1 */
  for (uint32_t bit = 1u << 30; bit != 0u; bit >>= 1) {
    const uint64_t part = (uint64_t)bit * gws_forward_norm2;
    if (left < part) continue;
    left -= part;
    q->quiet |= bit;
  }
  /* (sqrt(rest) + sqrt(2))^2 <= quiet, and the same for the whole of a block. */
  uint32_t root = 0;
  for (uint32_t bit = 1u << 15; bit != 0u; bit >>= 1) {
    if ((root | bit) * (root | bit) <= q->quiet) root |= bit;
  }
  /* Twice h, rounded down, is off by as much: (sqrt(twice) + sqrt(8)) ^ 2 <= 4 quiet. */
  const uint32_t twice = root > 1u ? 2u * root - 3u : 0u;
  q->quiet_twice = twice < 65535u ? twice * twice : 0xffffffffu;
  root = root > 2u ? root - 2u : 0u;
  q->rest = (int32_t)(root * root);
  const uint64_t flat = (uint64_t)(uint32_t)q->rest * 16u, margin_of = flat >> 12;
  q->flat =
      flat - margin_of > 64u ? (uint32_t)gws_min64(flat - margin_of - 64u, GWS_MOST_CONTRAST) : 0u;
  q->dc_shift = q->step >= 128u ? 4 : q->step >= 64u ? 3 : 2;
  q->dc_factor = gws_min((int32_t)((1u << (18 + q->dc_shift)) / q->step), 32767);
}

/* v >> 8, limited to 0..255. */
static inline uint8_t limit8(int32_t v) {
#if defined(__ARM_FEATURE_SAT) && !defined(GWS_PORTABLE)
  return (uint8_t)__usat(v >> 8, 8);
#else
  return (uint8_t)gws_clamp(v >> 8, 0, 255);
#endif
}

/* Two pixels of RGB565, those of a word, as red, green, blue: a colour of both at once. Whole words
 * out of four pixels save 2 instructions a pixel on a Cortex-M4, and fit one order of bytes only.
 */
static inline void put_565(uint32_t pair, uint8_t *to) {
  uint32_t r = pair >> 8 & 0x00f800f8u, g = pair >> 3 & 0x00fc00fcu, b = pair << 3 & 0x00f800f8u;
  r |= r >> 5 & 0x00070007u;
  g |= g >> 6 & 0x00030003u;
  b |= b >> 5 & 0x00070007u;
  to[0] = (uint8_t)r;
  to[1] = (uint8_t)g;
  to[2] = (uint8_t)b;
  to[3] = (uint8_t)(r >> 16);
  to[4] = (uint8_t)(g >> 16);
  to[5] = (uint8_t)(b >> 16);
}

/* BT.601, which two pixels share but for Y. */
static inline void put_yuyv(const uint8_t *pair, uint8_t *to) {
  const int32_t u = (int32_t)pair[1] - 128, v = (int32_t)pair[3] - 128;
  const int32_t r = 409 * v, g = -100 * u - 208 * v, b = 516 * u;
  for (uint32_t i = 0; i < 2u; ++i) {
    const int32_t y = 298 * (int32_t)pair[2u * i] + (128 - 298 * 16);
    to[3u * i] = limit8(y + r);
    to[3u * i + 1u] = limit8(y + g);
    to[3u * i + 2u] = limit8(y + b);
  }
}

/* Eight pixels as red, green, blue. */
GWS_APART static void load_565(const uint8_t *row, uint32_t low, uint8_t *to) {
  const uint32_t high = 1u - low;
  for (uint32_t i = 0; i < 4u; ++i, row += 4, to += 6) {
    put_565((uint32_t)row[low] | (uint32_t)row[high] << 8 | (uint32_t)row[2u + low] << 16 |
                (uint32_t)row[2u + high] << 24,
            to);
  }
}
GWS_APART static void load_yuyv(const uint8_t *row, uint8_t *to) {
  for (uint32_t i = 0; i < 4u; ++i) put_yuyv(row + 4u * i, to + 6u * i);
}

/* The bytes of eight pixels from x on; beyond the width the last one repeats. */
GWS_APART static void copy_end(const gws *e, const uint8_t *row, uint32_t x, uint32_t size,
                               uint8_t *to) {
  const uint32_t last = e->params.width - 1u;
  for (uint32_t i = 0; i < 8u; ++i) {
    const uint32_t at = x + i < last ? x + i : last;
    for (uint32_t k = 0; k < size; ++k) to[size * i + k] = row[size * at + k];
    /* The colours of a pair, one after the other. */
    if (GWS_TAKES(GWS_YUYV) && e->params.input == (uint8_t)GWS_YUYV)
      to[2u * i + 1u] = row[2u * (at & ~1u) + 1u + 2u * (i & 1u)];
  }
}

/* Eight rows of eight pixels from x on as red, green, blue, or as grey. */
GWS_APART static void load_block(const gws *e, const uint8_t *const rows[8], uint32_t x,
                                 uint8_t *to) {
  const uint32_t input = e->params.input, size = e->row_bytes / e->params.width;
  uint8_t end[24];
  for (uint32_t y = 0; y < 8u; ++y, to += 24) {
    const uint8_t *from = rows[y] + (size_t)size * x;
    if (x + 8u > e->params.width) {
      const bool as_it_is = !GWS_TAKES_16BIT || size == (uint32_t)e->planes;
      copy_end(e, rows[y], x, size, as_it_is ? to : end);
      if (as_it_is) continue;
      from = end;
    }
    if (GWS_TAKES(GWS_YUYV) && input == (uint32_t)GWS_YUYV) {
      load_yuyv(from, to);
    } else if (GWS_TAKES(GWS_RGB565) || GWS_TAKES(GWS_RGB565_BE)) {
      load_565(from, input == (uint32_t)GWS_RGB565_BE ? 1u : 0u, to);
    } else { /* as it is */
    }
  }
}

GWS_APART static void append(gws *e, uint8_t *length, uint32_t low, uint32_t high,
                             const int16_t *value) {
  uint8_t *at = e->symbols + e->symbol_end;
  const uint8_t *const begin = at, *const end = e->symbols + e->symbol_room;
  for (uint32_t half = 0; half < 2u; ++half) {
    for (uint32_t bits = half == 0u ? low : high; bits != 0u; bits &= bits - 1u) {
      const uint32_t position = 32u * half + (uint32_t)__builtin_ctz(bits);
      const int32_t v = value[position];
      const uint32_t code = v == 1 ? 0u : v == -1 ? 1u : v >= -128 && v <= 127 ? 2u : 3u;
      const uint32_t size = code < 2u ? 1u : code;
      if ((uint32_t)(end - at) < size) {
        ++e->stats.dropped_symbols;
        continue;
      }
      at[0] = (uint8_t)(position << 2 | code);
      if (code >= 2u) at[1] = (uint8_t)v;
      if (code == 3u) at[2] = (uint8_t)((uint32_t)v >> 8);
      at += size;
    }
  }
  *length = (uint8_t)(at - begin);
  e->symbol_end += (uint32_t)(at - begin);
}

/* A block of all planes, 64 samples each. */
GWS_APART static void analyse_planes(gws *e, int16_t *samples, uint32_t x) {
  const uint32_t y = e->block_row, blocks = (uint32_t)e->blocks, planes = (uint32_t)e->planes;
  int16_t *dc = e->coarse + (x / 4u * 16u + y * 4u + x % 4u);
  uint8_t *length = e->length + ((y + 1u) * planes * blocks + x);
  gws_found found;
  found.q = &e->q;
  found.value = e->block + 192;
  for (uint32_t p = 0; p < planes; ++p, samples += 64, dc += 4u * blocks, length += blocks) {
    found.positions = e->positions[p];
    found.low = found.high = 0;
    gws_forward_block(samples, &found);
    *dc = (int16_t)found.dc;
    *length = 0;
    if ((found.low | found.high) != 0u) append(e, length, found.low, found.high, found.value);
  }
}

void gws_analyse_blocks(gws *e, const uint8_t *const rows[8]) {
  const uint32_t whole = e->params.width / 8u, pixel = (uint32_t)e->planes;
  const bool direct = !GWS_TAKES_16BIT || e->params.input <= (uint8_t)GWS_GREY;
  int16_t *const samples = e->block;
  uint8_t *const pixels = (uint8_t *)(e->block + 192); /* free until the block is transformed */
  const uint8_t *loaded[8];
  for (uint32_t y = 0; y < 8u; ++y) loaded[y] = pixels + 24u * y;
  for (uint32_t x = 0; x < (uint32_t)e->blocks; ++x) {
    const bool here = direct && x < whole;
    if (!here) load_block(e, rows, 8u * x, pixels);
    if (!GWS_TAKES(GWS_GREY) || (GWS_TAKES_COLOUR && pixel == 3u)) {
      gws_colour_block(here ? rows : loaded, here ? 24u * x : 0u, samples);
    } else {
      gws_grey_block(here ? rows : loaded, here ? 8u * x : 0u, samples);
    }
    analyse_planes(e, samples, x);
  }
}

/* The row of blocks before once more: below the picture all are the same. */
GWS_SMALL bool gws_repeat_blocks(gws *e) {
  const uint32_t y = e->block_row, cells = (uint32_t)(e->planes * e->cells), line = 4u * cells;
  uint8_t *const length = e->length + (y + 1u) * line;
  const uint8_t *const before = length - line;
  uint32_t size = 0;
  for (uint32_t i = 0; i < line; ++i) size += before[i];
  if (size > e->symbol_room - e->symbol_end) return false;
  for (uint32_t i = 0; i < line; ++i) length[i] = before[i];
  uint8_t *const to = e->symbols + e->symbol_end;
  for (uint32_t i = 0; i < size; ++i) to[i] = *(to + i - size);
  e->symbol_end += size;
  int16_t *dc = e->coarse + 4u * y;
  for (uint32_t i = 0; i < cells; ++i, dc += 16) {
    for (uint32_t x = 0; x < 4u; ++x) dc[x] = *(dc + x - 4);
  }
  return true;
}

#if GWS_MVE
void gws_analyse_coarse(gws *e) {
  int16_t *q = e->coarse;
  for (int32_t i = 0; i < e->planes * e->cells; ++i, q += 16) gws_mve_analyse_cell(q, e->q.step);
}
#else
/* Four outputs of the coarse matrix, whose rows are mirrored. */
static inline void coarse_four(int32_t a, int32_t b, int32_t c, int32_t d, uint32_t shift,
                               int32_t out[4]) {
  const int16_t *const m = gws_coarse_forward;
  const int32_t s0 = a + d, s1 = b + c, d0 = a - d, d1 = b - c, half = 1 << (shift - 1u);
  out[0] = (m[0] * s0 + m[1] * s1 + half) >> shift;
  out[1] = (m[4] * d0 + m[5] * d1 + half) >> shift;
  out[2] = (m[8] * s0 + m[9] * s1 + half) >> shift;
  out[3] = (m[12] * d0 + m[13] * d1 + half) >> shift;
}

/* The 4x4 transform of a cell's DC values, rounded to nearest, in place. */
void gws_analyse_coarse(gws *e) {
  const uint32_t step = e->q.step;
  int16_t *q = e->coarse;
  for (int32_t i = 0; i < e->planes * e->cells; ++i, q += 16) {
    int32_t half[4][4]; /* [x][v] */
    for (uint32_t x = 0; x < 4u; ++x)
      coarse_four(q[x], q[4u + x], q[8u + x], q[12u + x], 15, half[x]);
    for (uint32_t v = 0; v < 4u; ++v) {
      int32_t c[4];
      coarse_four(half[0][v], half[1][v], half[2][v], half[3][v], 13, c);
      for (uint32_t u = 0; u < 4u; ++u) {
        const int32_t level = (int32_t)(((uint32_t)gws_abs(c[u]) * 4u + step / 2u) / step);
        q[4u * u + v] = (int16_t)(c[u] < 0 ? -level : level);
      }
    }
  }
}
#endif
