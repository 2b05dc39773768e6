/* Layers 2 and up of a row of cells; entropy.md section 4.4. Symbols are few, so contexts are
 * summed up from the nonzero neighbours, and what the host keeps in arrays (edges, residuals) is
 * worked out anew for the blocks that have something. */
#include "gws_internal.h"

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include <arm_acle.h>
#endif

#define MAX_LANES 15

/* Where things lie while a row of cells is coded. Rows of blocks are counted from the one above: 0,
 * then 1..4. Arrays by row and block have a border of one on each side. */
typedef struct {
  gws *e;
  uint32_t planes, blocks, pitch;
  uint16_t *offset;    /* [row][block]: of the symbols of the block's plane 0 */
  uint16_t *mask;      /* the same: a bit per band that has any */
  uint16_t *cell_mask; /* [plane][cell] */
  uint16_t above_mask[3];
  int16_t *dc;       /* [6 rows], of this plane */
  uint8_t *gradient; /* [5 rows] */
  uint8_t *sums[5];  /* [5 rows] of magnitudes: three bands by turns, plane 0's, plane 1's */
  bool dirty[5];     /* of sums: not all zero */
  uint8_t *scale;    /* [block] what a flag expected */
  uint8_t *activity; /* [plane][cell] of the coarse scale */
} bands;

/* A border on each side, and whole words. */
static uint32_t pitch_of(uint32_t blocks) { return (blocks + 2u + 3u) & ~3u; }

size_t gws_scratch_size(uint32_t blocks, uint32_t planes) {
  const size_t pitch = pitch_of(blocks), cells = blocks / 4u;
  const size_t coding = 6u * 2u * pitch + 6u * 5u * pitch + 2u * 5u * blocks +
                        2u * 5u * planes * blocks + 2u * planes * cells + blocks + planes * cells;
  const size_t analysis = sizeof(int16_t) * GWS_BLOCK_SCRATCH;
  return coding > analysis ? coding : analysis;
}

/* The symbols of a block's plane; `index` is that of index_of(). */
static const uint8_t *symbols_at(const bands *s, uint32_t index) {
  const uint32_t block = index / s->planes;
  const uint8_t *at = s->e->symbols + s->offset[block];
  const uint8_t *const length = s->e->length;
  for (uint32_t i = block * s->planes; i < index; ++i) at += length[i];
  return at;
}

static uint32_t index_of(const bands *s, uint32_t row, uint32_t x, uint32_t plane) {
  return (row * s->blocks + x) * s->planes + plane;
}

/* `count` is a multiple of 4. */
static void fill(uint8_t *to, uint32_t count) {
  gws_word32 *const words = (gws_word32 *)__builtin_assume_aligned(to, 4);
  for (uint32_t i = 0; i < count / 4u; ++i) words[i] = 0;
}

/* One pass over all symbols: where each block's are and which bands they lie in. */
GWS_APART static void survey(bands *s) {
  gws *const e = s->e;
  const uint32_t planes = s->planes, count = 5u * s->blocks * planes;
  for (uint32_t i = 0; i < planes * s->blocks / 4u; ++i) s->cell_mask[i] = 0;
  for (uint32_t p = 0; p < 3u; ++p) s->above_mask[p] = 0;
  uint32_t at = 0, plane = 0, x = 0, row = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t mask = 0;
    if (plane == 0u) s->offset[i / planes] = (uint16_t)at;
    if (e->length[i] != 0u) {
      const uint8_t *b = e->symbols + at, *const end = b + e->length[i];
      at += e->length[i];
      while (b < end) {
        uint32_t position;
        int32_t value;
        b = gws_next_symbol(b, &position, &value);
        mask |= 1u << gws_band_of[position];
      }
      if (row == 0u) {
        s->above_mask[plane] |= (uint16_t)mask;
      } else {
        s->cell_mask[plane * (s->blocks / 4u) + x / 4u] |= (uint16_t)mask;
      }
    }
    s->mask[i] = (uint16_t)mask;
    if (++plane == planes) {
      plane = 0;
      if (++x == s->blocks) {
        x = 0;
        ++row;
      }
    }
  }
}

/* Sum of magnitudes of a block's band, at most 255. */
static uint32_t band_sum(const bands *s, uint32_t index, uint32_t band) {
  const uint8_t *b = symbols_at(s, index), *const end = b + s->e->length[index];
  const uint32_t first = gws_band_first[band], last = gws_band_first[band + 1u];
  uint32_t sum = 0;
  while (b < end) {
    uint32_t position;
    int32_t value;
    b = gws_next_symbol(b, &position, &value);
    if (position >= last) break;
    if (position >= first) sum += (uint32_t)gws_min(gws_abs(value), 127);
  }
  return sum < 255u ? sum : 255u;
}

GWS_APART static void fill_sums(bands *s, uint32_t which, uint32_t plane, uint32_t band) {
  uint8_t *const to = s->sums[which];
  const uint32_t bit = 1u << band, cells = s->blocks / 4u;
  if (s->dirty[which]) fill(to, 5u * s->pitch);
  s->dirty[which] = false;
  if ((s->above_mask[plane] & bit) != 0u) {
    s->dirty[which] = true;
    for (uint32_t x = 0; x < s->blocks; ++x) {
      const uint32_t i = index_of(s, 0, x, plane);
      if ((s->mask[i] & bit) != 0u) to[1u + x] = (uint8_t)band_sum(s, i, band);
    }
  }
  for (uint32_t cell = 0; cell < cells; ++cell) {
    if ((s->cell_mask[plane * cells + cell] & bit) == 0u) continue;
    s->dirty[which] = true;
    for (uint32_t row = 1; row <= 4u; ++row) {
      const uint32_t first = index_of(s, row, 4u * cell, plane);
      const uint16_t *mask = s->mask + first;
      for (uint32_t k = 0; k < 4u; ++k, mask += s->planes) {
        if ((*mask & bit) != 0u)
          to[row * s->pitch + 1u + 4u * cell + k] =
              (uint8_t)band_sum(s, first + k * s->planes, band);
      }
    }
  }
}

/* ------------------------------------------------------------------------ DC */

static int32_t scaled(const gws_quantiser *q, int32_t half) {
  return (int16_t)(((int16_t)half * q->dc_factor + (1 << 14)) >> 15);
}

static int32_t slope(const gws_quantiser *q, int32_t from, int32_t to) {
  return gws_min(gws_abs(scaled(q, (to >> 1) - (from >> 1))), 8191);
}

/* The edges of a block of nothing but DC, all four: at frequency 0. */
static int32_t dc_edge(const gws_quantiser *q, int32_t dc) {
  return (int16_t)(6 * ((scaled(q, dc >> 1) + (1 << (q->dc_shift - 1))) >> q->dc_shift));
}

/* The slope from one block to the next serves both. */
static void gradient_row(const gws_quantiser *q, const int16_t *line, uint32_t pitch,
                         uint32_t blocks, uint8_t *out) {
  int32_t before = 0; /* at the border the nearest block stands in */
  for (uint32_t x = 1; x <= blocks; ++x) {
    const int32_t here = line[x];
    const int32_t sum = slope(q, here, (line - pitch)[x]) + before;
    const int32_t after = slope(q, here, line[x + 1u]);
    out[x] = (uint8_t)gws_min((sum + after + slope(q, here, line[x + pitch])) >> q->dc_shift, 255);
    before = slope(q, line[x + 1u], here);
  }
}

GWS_APART static void start_plane(bands *s, uint32_t plane) {
  gws *const e = s->e;
  const uint32_t pitch = s->pitch, blocks = s->blocks;
  int16_t *const dc = s->dc;
  uint8_t *const kept = e->gradient_above + plane * blocks;
  int16_t *const dc_above = e->dc_above + plane * blocks;
  gws_reconstruct_dc(e, plane, dc, pitch);
  for (uint32_t x = 0; x < blocks; ++x) {
    dc[1u + x] = e->first ? dc[pitch + 1u + x] : dc_above[x];
    dc[5u * pitch + 1u + x] = dc[4u * pitch + 1u + x];
  }
  uint32_t used = 0;
  for (uint32_t cell = 0; cell < blocks / 4u; ++cell)
    used |= s->cell_mask[plane * (blocks / 4u) + cell];
  for (uint32_t x = 0; x < blocks; ++x) s->gradient[1u + x] = kept[x];
  for (uint32_t row = 0; row <= 4u; ++row)
    s->gradient[row * pitch] = s->gradient[row * pitch + blocks + 1u] = 0;
  for (uint32_t row = 1; row <= 4u; ++row) {
    int16_t *const line = dc + row * pitch;
    line[0] = line[1];
    line[blocks + 1u] = line[blocks];
    /* Bands 0 and 1 look at it, and the row of cells below at the last row. */
    if (row == 4u || (used & 3u) != 0u)
      gradient_row(&e->q, line, pitch, blocks, s->gradient + row * pitch);
  }
  for (uint32_t x = 0; x < blocks; ++x) {
    kept[x] = s->gradient[4u * pitch + 1u + x];
    dc_above[x] = dc[4u * pitch + 1u + x];
  }
  for (uint32_t row = 0; row <= 4u && used != 0u; ++row) { /* from here on its edges stand for DC */
    for (uint32_t x = 1; x <= blocks; ++x)
      dc[row * pitch + x] = (int16_t)dc_edge(&e->q, dc[row * pitch + x]);
  }
}

/* ------------------------------------------------------------------------ blocks */

/* A value at (u, v) adds K[u] * value to the left and right edge at v, K[v] * value to the upper
 * and lower one at u; at the far sides with the sign of an odd frequency. */
static const int8_t kEdge[8] = {6, 8, 7, 7, 6, 4, 3, 2};
/* With the sign of an odd frequency. */
static const int8_t kFarEdge[8] = {6, -8, 7, -7, 6, -4, 3, -2};

/* Two edges that face each other, side by side as two 16-bit numbers; they wrap. */
typedef struct {
  int16_t a, b;
} pair;

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
static inline uint32_t pair_word(const pair *p) {
  uint32_t v;
  __builtin_memcpy(&v, p, 4);
  return v;
}
static inline int32_t mean_sum(const pair *outer, const pair *inner, const pair *outer_u,
                               const pair *inner_u, const int16_t *w, int32_t sum) {
  uint32_t across, along;
  __builtin_memcpy(&across, w, 4);
  __builtin_memcpy(&along, w + 2, 4);
  sum = __smlad(__qsub16(pair_word(outer), pair_word(inner)), across, sum);
  return __smlad(__qsub16(pair_word(outer_u), pair_word(inner_u)), along, sum);
}
#else
static inline int32_t limit16(int32_t v) { return gws_clamp(v, -32768, 32767); }
static inline int32_t mean_sum(const pair *outer, const pair *inner, const pair *outer_u,
                               const pair *inner_u, const int16_t *w, int32_t sum) {
  return sum + w[0] * limit16(outer->a - inner->a) + w[1] * limit16(outer->b - inner->b) +
         w[2] * limit16(outer_u->a - inner_u->a) + w[3] * limit16(outer_u->b - inner_u->b);
}
#endif

/* Outer edges are those of the blocks around. [0..7] by v: west's right and east's left, or here
 * left and right. [8..15] by u: north's bottom and south's top, or here top and bottom. */
typedef struct {
  pair outer[16], inner[16];
} edges;

/* The side of a neighbour that faces here, with its symbols before position `end`. */
typedef enum { WEST, EAST, NORTH, SOUTH } side;

GWS_APART static void add_side(const bands *s, uint32_t index, uint32_t end, side which, pair *to) {
  const uint8_t *b = symbols_at(s, index), *const stop = b + s->e->length[index];
  const int8_t *const edge = which == WEST || which == NORTH ? kFarEdge : kEdge;
  const uint32_t shift = which <= EAST ? 3u : 0u; /* of the frequency across the border */
  int16_t *const sums = which == WEST || which == NORTH ? &to[0].a : &to[0].b;
  while (b < stop) {
    uint32_t position;
    int32_t value;
    b = gws_next_symbol(b, &position, &value);
    if (position >= end) break;
    const uint32_t channel = gws_channel[position];
    int16_t *const sum = sums + 2u * (channel >> (3u - shift) & 7u);
    *sum = (int16_t)(*sum + edge[channel >> shift & 7u] * gws_clamp(value, -255, 255));
  }
}

/* Symbols of this band in another block are features of the same channels here. */
GWS_APART static void add_lanes(const bands *s, uint32_t index, uint32_t band,
                                const uint8_t (*weight)[GWS_W_COUNT], uint32_t feature,
                                int32_t *sum) {
  const uint8_t *b = symbols_at(s, index), *const stop = b + s->e->length[index];
  const uint32_t first = gws_band_first[band], last = gws_band_first[band + 1u];
  while (b < stop) {
    uint32_t position;
    int32_t value;
    b = gws_next_symbol(b, &position, &value);
    if (position >= last) break;
    if (position >= first)
      sum[position - first] += weight[position][feature] * gws_min(gws_abs(value), 127);
  }
}

/* A symbol of the block itself, in a band below, is a feature of channel (u, v) if that lies in the
 * band. */
static void add_above(const uint8_t (*weight)[GWS_W_COUNT], uint32_t first, uint32_t size,
                      uint32_t u, uint32_t v, uint32_t feature, int32_t magnitude, int32_t *sum) {
  if (u > 7u || v > 7u) return;
  const uint32_t lane = (uint32_t)gws_position[8u * u + v] - first;
  if (lane < size) sum[lane] += weight[first + lane][feature] * magnitude;
}

GWS_APART static void code_block(bands *s, gws_coder *c, uint32_t plane, uint32_t band,
                                 uint32_t row, uint32_t x) {
  gws *const e = s->e;
  const uint32_t first = gws_band_first[band], last = gws_band_first[band + 1u],
                 size = last - first;
  const uint32_t index = index_of(s, row, x, plane), planes = s->planes, bit = 1u << band;
  const uint32_t line = s->blocks * planes;
  const uint16_t *const mask = s->mask + index, *const mask_above = mask - line;
  const bool has_left = x > 0u, has_right = x + 1u < s->blocks, has_above = row > 1u || !e->first;
  const uint8_t(*const weight)[GWS_W_COUNT] = gws_symbol_weight + plane * 64u;
  const int16_t(*const mean_weight)[6] = gws_mean_weight + plane * 64u;
  int32_t sum[MAX_LANES + 1], mean[MAX_LANES + 1];
  int16_t value[MAX_LANES + 1];
  for (uint32_t i = 0; i < size; ++i) {
    sum[i] = mean[i] = 0;
    value[i] = 0;
  }
  if (has_left && (mask[-(int32_t)planes] & bit) != 0u)
    add_lanes(s, index - planes, band, weight, GWS_W_LEFT, sum);
  if (has_above) {
    if ((mask_above[0] & bit) != 0u) add_lanes(s, index - line, band, weight, GWS_W_UP, sum);
    if (has_left && (mask_above[-(int32_t)planes] & bit) != 0u)
      add_lanes(s, index - line - planes, band, weight, GWS_W_CORNER, sum);
    if (has_right && (mask_above[planes] & bit) != 0u)
      add_lanes(s, index - line + planes, band, weight, GWS_W_CORNER, sum);
  }
  for (uint32_t p = 0; p < plane; ++p) {
    const uint32_t there = index - plane + p;
    if ((s->mask[there] & bit) == 0u) continue;
    const uint8_t *b = symbols_at(s, there), *const stop = b + e->length[there];
    while (b < stop) {
      uint32_t position;
      int32_t v;
      b = gws_next_symbol(b, &position, &v);
      if (position >= last) break;
      if (position < first) continue;
      const uint32_t feature = p == 0u ? GWS_W_LUMA : GWS_W_OTHER;
      sum[position - first] += weight[position][feature] * gws_min(gws_abs(v), 127);
      mean[position - first] += mean_weight[position][4u + p] * gws_clamp(v, -15, 15);
    }
  }
  /* Edges here, with the bands before; and this band's values. */
  edges g;
  const pair none = {0, 0};
  for (uint32_t i = 0; i < 8u && i < band + 2u; ++i) /* as far as this band's frequencies go */
    g.outer[i] = g.outer[8u + i] = g.inner[i] = g.inner[8u + i] = none;
  const int16_t *const dc = s->dc + row * s->pitch + 1u + x;
  const int16_t own_edge = dc[0];
  g.inner[0].a = g.inner[0].b = g.inner[8].a = g.inner[8].b = own_edge;
  const uint8_t *b = symbols_at(s, index), *const stop = b + e->length[index];
  while (b < stop) {
    uint32_t position;
    int32_t v;
    b = gws_next_symbol(b, &position, &v);
    if (position >= last) break;
    if (position >= first) {
      value[position - first] = (int16_t)v;
      continue;
    }
    const uint32_t channel = gws_channel[position], cu = channel >> 3, cv = channel & 7u;
    const uint32_t back = band - gws_band_of[position];
    if (back <= 2u) {
      const int32_t magnitude = gws_min(gws_abs(v), 127);
      if (back == 1u) {
        add_above(weight, first, size, cu + 1u, cv, GWS_W_LOWER0, magnitude, sum);
        add_above(weight, first, size, cu, cv + 1u, GWS_W_LOWER1, magnitude, sum);
      } else {
        add_above(weight, first, size, cu + 1u, cv + 1u, GWS_W_LOWEST0, magnitude, sum);
        add_above(weight, first, size, cu + 2u, cv, GWS_W_LOWEST1, magnitude, sum);
        add_above(weight, first, size, cu, cv + 2u, GWS_W_LOWEST1, magnitude, sum);
      }
    }
    v = gws_clamp(v, -255, 255);
    pair *const side_v = &g.inner[cv], *const side_u = &g.inner[8u + cu];
    side_v->a = (int16_t)(side_v->a + kEdge[cu] * v);
    side_v->b = (int16_t)(side_v->b + kFarEdge[cu] * v);
    side_u->a = (int16_t)(side_u->a + kEdge[cv] * v);
    side_u->b = (int16_t)(side_u->b + kFarEdge[cv] * v);
  }
  if (has_left) {
    g.outer[0].a = dc[-1];
    if (mask[-(int32_t)planes] != 0u) add_side(s, index - planes, last, WEST, g.outer);
  }
  if (has_right) {
    g.outer[0].b = dc[1];
    if (mask[planes] != 0u) add_side(s, index + planes, first, EAST, g.outer);
  }
  if (has_above) {
    /* Of the row of cells above, a layer sees all its own bands. */
    uint32_t seen = last;
    if (row == 1u && band < 8u && gws_layer_of(plane, band + 1u) == gws_layer_of(plane, band))
      seen = gws_band_first[band + 2u];
    g.outer[8].a = *(dc - s->pitch);
    if (mask_above[0] != 0u) add_side(s, index - line, seen, NORTH, g.outer + 8);
  }
  if (row < 4u) {
    g.outer[8].b = dc[s->pitch];
    if (mask[line] != 0u) add_side(s, index + line, first, SOUTH, g.outer + 8);
  } else { /* not known: no difference */
    for (uint32_t u = 0; u < 8u; ++u) g.outer[8u + u].b = g.inner[8u + u].b;
  }
  const uint32_t kind = plane == 0u ? band : 7u + gws_layer_of(plane, band);
  const uint32_t zero = GWS_ZERO + kind * 60u, expected = s->scale[x];
  const uint32_t last_but_one = size - 2u;
  uint16_t *list = e->decision_end;
  uint32_t state = 1;
  const uint8_t *channels = gws_channel + first;
  const uint8_t *w = weight[first];
  const int16_t *mw = mean_weight[first];
  const uint16_t *bias = gws_symbol_bias + plane * 64u + first;
  for (uint32_t i = 0; i < size; ++i, w += GWS_W_COUNT, mw += 6) {
    const uint32_t channel = *channels++, v = channel & 7u, u = 8u + (channel >> 3);
    /* The format limits t and the sum as well, where nothing that follows can tell. */
    const int32_t t =
        mean_sum(g.outer + v, g.inner + v, g.outer + u, g.inner + u, mw, mean[i] + 512) >> 10;
    const int32_t all = sum[i] + *bias++ + w[GWS_W_SCALE] * (int32_t)expected +
                        w[GWS_W_MEAN] * gws_clamp(gws_abs(t) >> 2, 0, 127);
    const uint32_t scale = gws_scale_class((uint32_t)all);
    const int32_t symbol = value[i];
    if (i == last_but_one && state != 0u) state = 2;
    if (state == 0u || i <= last_but_one) { /* the last of a so far empty band cannot be zero */
      *list++ = (uint16_t)(2u * (zero + (scale < 19u ? scale : 19u) * 3u + state) +
                           (symbol != 0 ? 1u : 0u));
      if (symbol == 0) continue;
    }
    state = 0;
    e->decision_end = list;
    gws_nonzero(e, c, symbol, kind, scale, t);
    list = e->decision_end;
  }
  e->decision_end = list;
  gws_code(e, c);
}

/* ------------------------------------------------------------------------ flags */

static inline uint32_t word(const uint8_t *at) {
  uint32_t v;
  __builtin_memcpy(&v, at, 4);
  return v;
}

/* Of four blocks: what is here and what is around. Mostly all are zeros. */
static inline void add_around(const uint8_t *a, uint32_t pitch, uint32_t below, uint32_t here,
                              uint32_t around, uint32_t sum[4]) {
  const uint8_t *const up = a - pitch, *const down = a + below;
  if ((word(a) | word(a - 1) | word(a + 1) | word(up) | word(down)) == 0u) return;
#pragma GCC unroll 4
  for (uint32_t k = 0; k < 4u; ++k)
    sum[k] += here * a[k] + around * ((uint32_t)a[(int32_t)k - 1] + a[k + 1u] + up[k] + down[k]);
}

/* The flags of a cell's four blocks in a row. */
typedef struct {
  const uint8_t *own, *lower, *lowest, *luma, *other; /* null: none */
  const uint8_t *weight;
  uint32_t pitch, below, bias, base;
} flag_row;

GWS_APART static uint32_t code_flags(gws *e, const flag_row *f, uint32_t at, const uint16_t *mask,
                                     uint32_t planes, uint32_t band, uint32_t activity,
                                     uint32_t left, uint8_t *scale, uint8_t *count) {
  const uint8_t *const w = f->weight, *const up = f->own + at - f->pitch;
  const uint32_t start = f->bias + w[5] * activity;
  uint32_t sum[4] = {start, start, start, start};
  if ((word(up) | word(up - 1) | word(up + 1)) != 0u) {
#pragma GCC unroll 4
    for (uint32_t k = 0; k < 4u; ++k)
      sum[k] += w[1] * (uint32_t)up[k] + w[2] * ((uint32_t)up[(int32_t)k - 1] + up[k + 1u]);
  }
  add_around(f->lower + at, f->pitch, f->below, w[3], w[4], sum);
  if (f->lowest != NULL) add_around(f->lowest + at, f->pitch, f->below, w[5], w[6], sum);
  if (f->luma != NULL) add_around(f->luma + at, f->pitch, f->below, w[7], w[8], sum);
  if (f->other != NULL && word(f->other + at) != 0u) {
#pragma GCC unroll 4
    for (uint32_t k = 0; k < 4u; ++k) sum[k] += w[9] * (uint32_t)f->other[at + k];
  }
  uint32_t set = 0;
#pragma GCC unroll 4
  for (uint32_t k = 0; k < 4u; ++k, mask += planes) {
    const uint32_t all = sum[k] + w[0] * left, class_of = gws_scale_class(all);
    const uint32_t flag = (uint32_t)*mask >> band & 1u;
    gws_bit(e, f->base + (class_of < 19u ? class_of : 19u), flag);
    scale[k] = (uint8_t)((all >> 4) < 127u ? all >> 4 : 127u);
    left = 8u * flag;
    set += flag;
  }
  *count = (uint8_t)(*count + set);
  return left;
}

GWS_APART static void code_group(bands *s, uint32_t plane, uint32_t band) {
  gws *const e = s->e;
  gws_coder *const c = &e->coder[gws_layer_of(plane, band)];
  const uint32_t group = plane * 9u + band, cells = s->blocks / 4u, pitch = s->pitch;
  uint8_t *const own = s->sums[band % 3u];
  const uint8_t *const lower = band > 0u ? s->sums[(band + 2u) % 3u] : s->gradient;
  const uint8_t *const lowest = band > 1u ? s->sums[(band + 1u) % 3u] : s->gradient;
  fill_sums(s, band % 3u, plane, band);
  uint8_t *const count = e->count + group * cells;
  const uint8_t *const cw = gws_cell_weight[group];
  uint32_t left = 0;
  bool any = false;
  for (uint32_t x = 0; x < cells; ++x) {
    const bool set = (s->cell_mask[plane * cells + x] >> band & 1u) != 0u;
    uint32_t sum = gws_cell_bias[group] + cw[0] * left + cw[1] * (uint32_t)count[x];
    if (x > 0u) sum += cw[2] * (uint32_t)count[x - 1u];
    if (x + 1u < cells) sum += cw[2] * (uint32_t)count[x + 1u];
    sum += cw[3] *
           (band > 0u ? (uint32_t)(count - cells)[x] : (uint32_t)s->activity[plane * cells + x]);
    if (plane > 0u) sum += cw[4] * (uint32_t)e->count[band * cells + x];
    if (plane > 1u) sum += cw[5] * (uint32_t)e->count[(9u + band) * cells + x];
    const uint32_t scale = gws_scale_class(sum);
    gws_bit(e, GWS_CELLS + group * 14u + (scale < 13u ? scale : 13u), set);
    if (x % GWS_DECISIONS == GWS_DECISIONS - 1u) gws_code(e, c);
    left = set ? 8u : 0u;
    any = any || set;
  }
  for (uint32_t x = 0; x < cells; ++x) count[x] = 0; /* those above were looked at */
  gws_code(e, c);
  if (!any) return;
  e->present |= (uint8_t)(1u << gws_layer_of(plane, band));
  if (plane > 0u) fill_sums(s, 3, 0, band);
  if (plane > 1u) fill_sums(s, 4, 1, band);
  flag_row f;
  f.own = own;
  f.lower = lower;
  f.lowest = band > 0u ? lowest : NULL;
  f.luma = plane > 0u ? s->sums[3] : NULL;
  f.other = plane > 1u ? s->sums[4] : NULL;
  f.weight = gws_flag_weight[group];
  f.pitch = pitch;
  f.bias = gws_flag_bias[group];
  f.base = GWS_FLAG + group * 20u;
  for (uint32_t row = 1; row <= 4u; ++row) {
    f.below = row < 4u ? pitch : 0u;
    left = 0;
    for (uint32_t cell = 0; cell < cells; ++cell) {
      if ((s->cell_mask[plane * cells + cell] >> band & 1u) == 0u) {
        left = 0;
        continue;
      }
      left = code_flags(e, &f, row * pitch + 1u + 4u * cell,
                        s->mask + index_of(s, row, 4u * cell, plane), s->planes, band,
                        band > 0u ? 0u : (uint32_t)s->activity[plane * cells + cell], left,
                        s->scale + 4u * cell, count + cell);
      if (e->decision_end > e->decision + GWS_DECISIONS - 4) gws_code(e, c);
    }
    gws_code(e, c);
    for (uint32_t cell = 0; cell < cells; ++cell) {
      if ((s->cell_mask[plane * cells + cell] >> band & 1u) == 0u) continue;
      for (uint32_t x = 4u * cell; x < 4u * cell + 4u; ++x) {
        if ((s->mask[index_of(s, row, x, plane)] >> band & 1u) != 0u)
          code_block(s, c, plane, band, row, x);
      }
    }
  }
}

void gws_code_bands(gws *e) {
  bands s;
  s.e = e;
  s.planes = (uint32_t)e->planes;
  s.blocks = (uint32_t)e->blocks;
  s.pitch = pitch_of(s.blocks);
  const uint32_t all = 5u * s.blocks * s.planes;
  s.dc = (int16_t *)(void *)e->scratch;
  s.gradient = (uint8_t *)(s.dc + 6u * s.pitch);
  for (uint32_t i = 0; i < 5u; ++i) {
    s.sums[i] = s.gradient + (i + 1u) * 5u * s.pitch;
    s.dirty[i] = true;
  }
  s.offset = (uint16_t *)(void *)(s.sums[4] + 5u * s.pitch);
  s.mask = s.offset + 5u * s.blocks;
  s.cell_mask = s.mask + all;
  s.scale = (uint8_t *)(s.cell_mask + s.planes * s.blocks / 4u);
  s.activity = s.scale + s.blocks;
  for (uint32_t i = 0; i < s.planes * s.blocks / 4u; ++i)
    s.activity[i] = (uint8_t)gws_activity(e, 0, i);
  survey(&s);
  for (uint32_t p = 0; p < s.planes; ++p) {
    start_plane(&s, p);
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->live_layers; ++b)
      code_group(&s, p, b);
  }
}
