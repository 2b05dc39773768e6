/* Lines to symbols: colour, 8x8 transform, quantiser, and the coarse transform of the blocks' DC;
 * image.md sections 3 and 4. */
#include "gws_internal.h"
#include "gws_kernels.h"

static uint64_t gws_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

GWS_SMALL void gws_prepare_quantiser(gws_quantiser *q, uint32_t step_index) {
  q->step =
      (uint32_t)((((uint64_t)gws_step_mantissa[step_index % 32u] << (step_index / 32u)) + 1024u) >>
                 11);
  q->shift = 0;
  while (((uint64_t)1 << (19u + q->shift)) / q->step < 65536u) ++q->shift;
  const uint64_t reciprocal = ((uint64_t)1 << (18u + q->shift)) / q->step;
  q->reciprocal = reciprocal < 65535u ? (uint32_t)reciprocal : 65535u;
  q->bias = q->step * gws_rounding >> 10;
  /* The smallest m with ((m + bias) * reciprocal >> 16) >> shift > 0. */
  const uint64_t one = (uint64_t)1 << (16u + q->shift);
  const uint32_t least = (uint32_t)((one + q->reciprocal - 1u) / q->reciprocal);
  q->threshold = least > q->bias ? (int32_t)(least - q->bias) : 1;
  q->reach = ((uint32_t)q->threshold - 1u) << 15;
  q->span = ((2u * (uint32_t)q->threshold - 1u) << 15) - 1u;
  /* A row of h gives only zeros where |sum of forward * h| < threshold * 2^15 - 2^14 for every row
   * of `forward`; by Cauchy and Schwarz that is so where |forward|^2 |h|^2 is below its square. */
  const uint64_t margin = ((uint64_t)(uint32_t)q->threshold << 15) - (1u << 14);
  const uint64_t quiet = (margin * margin - 1u) / gws_forward_norm2;
  q->quiet = quiet < 0x7fffffffu ? (uint32_t)quiet : 0x7fffffffu;
  /* (sqrt(rest) + sqrt(2))^2 <= quiet, and the same for the whole of a block. */
  uint32_t root = 0;
  for (uint32_t bit = 1u << 15; bit != 0u; bit >>= 1) {
    if ((root | bit) * (root | bit) <= q->quiet) root |= bit;
  }
  root = root > 2u ? root - 2u : 0u;
  q->rest = (int32_t)(root * root);
  const uint64_t flat = (uint64_t)(uint32_t)q->rest * 16u, margin_of = flat >> 12;
  q->flat =
      flat - margin_of > 64u ? (uint32_t)gws_min64(flat - margin_of - 64u, GWS_MOST_CONTRAST) : 0u;
  q->dc_shift = q->step >= 128u ? 4 : q->step >= 64u ? 3 : 2;
  q->dc_factor = gws_min((int32_t)((1u << (18 + q->dc_shift)) / q->step), 32767);
}

static uint8_t limit8(int32_t v) { return (uint8_t)gws_clamp(v, 0, 255); }

/* Eight pixels from x on as red, green, blue; beyond the width the last one repeats. */
GWS_APART static void load_eight(const gws *e, const uint8_t *row, uint32_t x, uint8_t *to) {
  const uint32_t last = e->params.width - 1u;
  for (uint32_t i = 0; i < 8u; ++i) {
    const uint32_t at = x + i < last ? x + i : last;
    switch (e->params.input) {
      case GWS_RGB888:
        to[0] = row[3u * at];
        to[1] = row[3u * at + 1u];
        to[2] = row[3u * at + 2u];
        break;
      case GWS_RGB565:
      case GWS_RGB565_BE: {
        const uint32_t big = e->params.input == GWS_RGB565_BE ? 1u : 0u;
        const uint32_t v = (uint32_t)row[2u * at + big] | (uint32_t)row[2u * at + 1u - big] << 8;
        const uint32_t r = v >> 11, g = v >> 5 & 63u, b = v & 31u;
        to[0] = (uint8_t)(r << 3 | r >> 2);
        to[1] = (uint8_t)(g << 2 | g >> 4);
        to[2] = (uint8_t)(b << 3 | b >> 2);
        break;
      }
      case GWS_YUYV: {
        const uint8_t *const pair = row + 2u * (at & ~1u);
        const int32_t y = 298 * (pair[2u * (at & 1u)] - 16) + 128, u = pair[1] - 128,
                      v = pair[3] - 128;
        to[0] = limit8((y + 409 * v) >> 8);
        to[1] = limit8((y - 100 * u - 208 * v) >> 8);
        to[2] = limit8((y + 516 * u) >> 8);
        break;
      }
      case GWS_GREY:
      default:
        *to = row[at];
        break;
    }
    to += e->planes;
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
      const uint32_t code = v == 1 ? 0u : v == -1 ? 1u : v == (int8_t)v ? 2u : 3u;
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
  found.value = e->block + 192;
  for (uint32_t p = 0; p < planes; ++p, samples += 64, dc += 4u * blocks, length += blocks) {
    found.positions = e->positions[p];
    found.low = found.high = 0;
    gws_forward_block(samples, gws_offset[p], &e->q, &found);
    *dc = (int16_t)found.dc;
    *length = 0;
    if ((found.low | found.high) != 0u) append(e, length, found.low, found.high, found.value);
  }
}

void gws_analyse_blocks(gws *e, const uint8_t *const rows[8]) {
  const uint32_t whole = e->params.width / 8u, pixel = (uint32_t)e->planes;
  const bool direct = e->params.input == GWS_RGB888 || e->params.input == GWS_GREY;
  int16_t *const samples = e->block;
  uint8_t *const pixels = (uint8_t *)(e->block + 192); /* free until the block is transformed */
  const uint8_t *loaded[8];
  for (uint32_t y = 0; y < 8u; ++y) loaded[y] = pixels + 24u * y;
  for (uint32_t x = 0; x < (uint32_t)e->blocks; ++x) {
    const bool here = direct && x < whole;
    if (!here) {
      for (uint32_t y = 0; y < 8u; ++y) load_eight(e, rows[y], 8u * x, pixels + 24u * y);
    }
    if (pixel == 3u) {
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
