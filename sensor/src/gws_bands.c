/* Layers 2 and up of a row of cells; entropy.md section 4.4. Symbols are few, so contexts are
 * summed up from the nonzero neighbours, and what the host keeps in arrays (edges, residuals) is
 * worked out anew for the blocks that have something. */
#include "gws_internal.h"

#define MAX_LANES 15

/* Where things lie while a row of cells is coded. Rows of blocks are counted from the one above: 0,
 * then 1..4. Arrays by row and block have a border of one on each side. */
typedef struct {
  gws *e;
  uint32_t planes, blocks, pitch;
  uint16_t *offset;    /* [row][block][plane]: of the block's symbols */
  uint16_t *mask;      /* the same: a bit per band that has any */
  uint16_t *cell_mask; /* [plane][cell] */
  uint16_t above_mask[3];
  int16_t *dc;       /* [6 rows], of this plane */
  uint8_t *gradient; /* [5 rows] */
  uint8_t *sums[5];  /* [5 rows] of magnitudes: three bands by turns, plane 0's, plane 1's */
  uint8_t *scale;    /* [block] what a flag expected */
  uint8_t *flag;     /* [cell] */
} bands;

size_t gws_scratch_size(uint32_t blocks) {
  const size_t pitch = blocks + 2u, all = 5u * (size_t)blocks * 3u;
  return 2u * all + 2u * all + 2u * 3u * blocks / 4u + 2u * 6u * pitch + 6u * 5u * pitch + blocks +
         blocks + 64u;
}

static uint32_t index_of(const bands *s, uint32_t row, uint32_t x, uint32_t plane) {
  return (row * s->blocks + x) * s->planes + plane;
}

static void fill(uint8_t *to, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) to[i] = 0;
}

/* One pass over all symbols: where each block's are and which bands they lie in. */
static void survey(bands *s) {
  gws *const e = s->e;
  const uint32_t planes = s->planes, count = 5u * s->blocks * planes;
  for (uint32_t i = 0; i < planes * s->blocks / 4u; ++i) s->cell_mask[i] = 0;
  for (uint32_t p = 0; p < 3u; ++p) s->above_mask[p] = 0;
  uint32_t at = 0, plane = 0, x = 0, row = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t mask = 0;
    s->offset[i] = (uint16_t)at;
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
  const uint8_t *b = s->e->symbols + s->offset[index], *const end = b + s->e->length[index];
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

static void fill_sums(const bands *s, uint8_t *to, uint32_t plane, uint32_t band) {
  const uint32_t bit = 1u << band, cells = s->blocks / 4u;
  fill(to, 5u * s->pitch);
  if ((s->above_mask[plane] & bit) != 0u) {
    for (uint32_t x = 0; x < s->blocks; ++x) {
      const uint32_t i = index_of(s, 0, x, plane);
      if ((s->mask[i] & bit) != 0u) to[1u + x] = (uint8_t)band_sum(s, i, band);
    }
  }
  for (uint32_t cell = 0; cell < cells; ++cell) {
    if ((s->cell_mask[plane * cells + cell] & bit) == 0u) continue;
    for (uint32_t row = 1; row <= 4u; ++row) {
      for (uint32_t x = 4u * cell; x < 4u * cell + 4u; ++x) {
        const uint32_t i = index_of(s, row, x, plane);
        if ((s->mask[i] & bit) != 0u) to[row * s->pitch + 1u + x] = (uint8_t)band_sum(s, i, band);
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

static void start_plane(bands *s, uint32_t plane) {
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
  fill(s->gradient, 5u * pitch);
  for (uint32_t x = 0; x < blocks; ++x) s->gradient[1u + x] = kept[x];
  for (uint32_t row = 1; row <= 4u; ++row) {
    int16_t *const line = dc + row * pitch;
    line[0] = line[1];
    line[blocks + 1u] = line[blocks];
    for (uint32_t x = 1; x <= blocks; ++x) {
      const int32_t here = line[x];
      const int32_t sum = slope(&e->q, here, (line - pitch)[x]) + slope(&e->q, here, line[x - 1u]) +
                          slope(&e->q, here, line[x + 1u]) + slope(&e->q, here, line[x + pitch]);
      s->gradient[row * pitch + x] = (uint8_t)gws_min(sum >> e->q.dc_shift, 255);
    }
  }
  for (uint32_t x = 0; x < blocks; ++x) kept[x] = s->gradient[4u * pitch + 1u + x];
}

/* ------------------------------------------------------------------------ blocks */

static const int8_t kEdge[8] = {6, 8, 7, 7, 6, 4, 3, 2};

/* One side of a block as it shows at its border, with the symbols before position `end`. */
typedef enum { LEFT, RIGHT, TOP, BOTTOM } side;

static void add_side(const bands *s, uint32_t index, uint32_t end, side which, int16_t to[8]) {
  if (s->mask[index] == 0u) return;
  const uint8_t *b = s->e->symbols + s->offset[index], *const stop = b + s->e->length[index];
  while (b < stop) {
    uint32_t position;
    int32_t value;
    b = gws_next_symbol(b, &position, &value);
    if (position >= end) break;
    value = gws_clamp(value, -255, 255);
    const uint32_t channel = gws_channel[position], u = channel >> 3, v = channel & 7u;
    const bool vertical = which == LEFT || which == RIGHT;
    const uint32_t across = vertical ? u : v, along = vertical ? v : u;
    int32_t add = kEdge[across] * value;
    if ((which == RIGHT || which == BOTTOM) && (across & 1u) != 0u) add = -add;
    to[along] = (int16_t)(to[along] + add);
  }
}

static void add_lanes(const bands *s, uint32_t index, uint32_t band, uint32_t weight,
                      uint32_t plane, int32_t *sum) {
  if ((s->mask[index] >> band & 1u) == 0u) return;
  const uint8_t *b = s->e->symbols + s->offset[index], *const stop = b + s->e->length[index];
  const uint32_t first = gws_band_first[band], last = gws_band_first[band + 1u];
  while (b < stop) {
    uint32_t position;
    int32_t value;
    b = gws_next_symbol(b, &position, &value);
    if (position >= last) break;
    if (position >= first)
      sum[position - first] +=
          gws_symbol_weight[plane * 64u + position][weight] * gws_min(gws_abs(value), 127);
  }
}

/* A symbol of the block itself, `back` bands below, is a feature of this channel, if it lies in the
 * band. */
static void add_above(uint32_t plane, uint32_t band, uint32_t u, uint32_t v, uint32_t weight,
                      int32_t size, int32_t *sum) {
  if (u > 7u || v > 7u) return;
  const uint32_t position = gws_position[8u * u + v], first = gws_band_first[band];
  if (position < first || position >= gws_band_first[band + 1u]) return;
  sum[position - first] += gws_symbol_weight[plane * 64u + position][weight] * size;
}

static int32_t sat16(int32_t v) { return gws_clamp(v, -32768, 32767); }

static void code_block(bands *s, gws_coder *c, uint32_t plane, uint32_t band, uint32_t row,
                       uint32_t x) {
  gws *const e = s->e;
  const uint32_t first = gws_band_first[band], last = gws_band_first[band + 1u],
                 size = last - first;
  const uint32_t index = index_of(s, row, x, plane), planes = s->planes;
  const uint32_t line = s->blocks * planes;
  const bool has_left = x > 0u, has_right = x + 1u < s->blocks;
  const bool has_above = row > 1u || !e->first;
  int32_t sum[MAX_LANES], value[MAX_LANES];
  int8_t luma[MAX_LANES], other[MAX_LANES];
  for (uint32_t i = 0; i < size; ++i) {
    const uint32_t at = plane * 64u + first + i;
    sum[i] = gws_symbol_bias[at] + gws_symbol_weight[at][GWS_W_SCALE] * s->scale[x];
    value[i] = 0;
    luma[i] = other[i] = 0;
  }
  if (has_left) add_lanes(s, index - planes, band, GWS_W_LEFT, plane, sum);
  if (has_above) {
    add_lanes(s, index - line, band, GWS_W_UP, plane, sum);
    if (has_left) add_lanes(s, index - line - planes, band, GWS_W_CORNER, plane, sum);
    if (has_right) add_lanes(s, index - line + planes, band, GWS_W_CORNER, plane, sum);
  }
  for (uint32_t p = 0; p < plane; ++p) {
    const uint32_t there = index - plane + p;
    if ((s->mask[there] >> band & 1u) == 0u) continue;
    const uint8_t *b = e->symbols + s->offset[there], *const stop = b + e->length[there];
    while (b < stop) {
      uint32_t position;
      int32_t v;
      b = gws_next_symbol(b, &position, &v);
      if (position >= last) break;
      if (position < first) continue;
      sum[position - first] +=
          gws_symbol_weight[plane * 64u + position][p == 0u ? GWS_W_LUMA : GWS_W_OTHER] *
          gws_min(gws_abs(v), 127);
      (p == 0u ? luma : other)[position - first] = (int8_t)gws_clamp(v, -15, 15);
    }
  }
  /* Edges here, with the bands before; and this band's values. */
  int16_t left[8] = {0}, right[8] = {0}, top[8] = {0}, bottom[8] = {0};
  int16_t west[8] = {0}, north[8] = {0}, east[8] = {0}, south[8] = {0};
  const int16_t *const dc = s->dc + row * s->pitch + 1u + x;
  left[0] = right[0] = top[0] = bottom[0] = (int16_t)dc_edge(&e->q, dc[0]);
  const uint8_t *b = e->symbols + s->offset[index], *const stop = b + e->length[index];
  while (b < stop) {
    uint32_t position;
    int32_t v;
    b = gws_next_symbol(b, &position, &v);
    if (position >= last) break;
    if (position >= first) {
      value[position - first] = v;
      continue;
    }
    const uint32_t channel = gws_channel[position], cu = channel >> 3, cv = channel & 7u;
    const uint32_t back = band - gws_band_of[position];
    const int32_t magnitude = gws_min(gws_abs(v), 127);
    if (back == 1u) {
      add_above(plane, band, cu + 1u, cv, GWS_W_LOWER0, magnitude, sum);
      add_above(plane, band, cu, cv + 1u, GWS_W_LOWER1, magnitude, sum);
    } else if (back == 2u) {
      add_above(plane, band, cu + 1u, cv + 1u, GWS_W_LOWEST0, magnitude, sum);
      add_above(plane, band, cu + 2u, cv, GWS_W_LOWEST1, magnitude, sum);
      add_above(plane, band, cu, cv + 2u, GWS_W_LOWEST1, magnitude, sum);
    }
    v = gws_clamp(v, -255, 255);
    const int32_t over = kEdge[cu] * v, down = kEdge[cv] * v;
    left[cv] = (int16_t)(left[cv] + over);
    right[cv] = (int16_t)(right[cv] + ((cu & 1u) != 0u ? -over : over));
    top[cu] = (int16_t)(top[cu] + down);
    bottom[cu] = (int16_t)(bottom[cu] + ((cv & 1u) != 0u ? -down : down));
  }
  if (has_left) {
    west[0] = (int16_t)dc_edge(&e->q, dc[-1]);
    add_side(s, index - planes, last, RIGHT, west);
  }
  if (has_right) {
    east[0] = (int16_t)dc_edge(&e->q, dc[1]);
    add_side(s, index + planes, first, LEFT, east);
  }
  if (has_above) {
    /* Of the row of cells above, a layer sees all its own bands. */
    uint32_t seen = band;
    while (row == 1u && seen < 8u && gws_layer_of(plane, seen + 1u) == gws_layer_of(plane, band))
      ++seen;
    north[0] = (int16_t)dc_edge(&e->q, *(dc - s->pitch));
    add_side(s, index - line, gws_band_first[seen + 1u], BOTTOM, north);
  }
  if (row < 4u) {
    south[0] = (int16_t)dc_edge(&e->q, dc[s->pitch]);
    add_side(s, index + line, first, TOP, south);
  }
  const uint32_t kind = plane == 0u ? band : 7u + gws_layer_of(plane, band);
  bool seen = false;
  for (uint32_t i = 0; i < size; ++i) {
    const uint32_t position = first + i, channel = gws_channel[position];
    const uint32_t u = channel >> 3, v = channel & 7u;
    const int16_t *const w = gws_mean_weight[plane * 64u + position];
    int32_t t = 512 + w[0] * sat16(west[v] - left[v]) + w[1] * sat16(east[v] - right[v]) +
                w[2] * sat16(north[u] - top[u]) + w[4] * luma[i] + w[5] * other[i];
    if (row < 4u) t += w[3] * sat16(south[u] - bottom[u]);
    t = gws_clamp(t >> 10, -4095, 4095);
    sum[i] += gws_symbol_weight[plane * 64u + position][GWS_W_MEAN] * gws_min(gws_abs(t) >> 2, 127);
    const uint32_t scale = gws_scale_class((uint32_t)gws_min(sum[i], 32767));
    if (seen || i + 1u < size) { /* the last of a so far empty band cannot be zero */
      const uint32_t state = seen ? 0u : i + 2u == size ? 2u : 1u;
      gws_bit(e, c, GWS_ZERO + (kind * 20u + (scale < 19u ? scale : 19u)) * 3u + state,
              value[i] != 0);
      if (value[i] == 0) continue;
    }
    seen = true;
    gws_nonzero(e, c, value[i], kind, scale, t);
  }
}

/* ------------------------------------------------------------------------ flags */

static uint32_t around(const uint8_t *a, uint32_t pitch, uint32_t below) {
  return (uint32_t)a[-1] + a[1] + *(a - pitch) + a[below];
}

static void code_group(bands *s, uint32_t plane, uint32_t band) {
  gws *const e = s->e;
  gws_coder *const c = &e->coder[gws_layer_of(plane, band)];
  const uint32_t group = plane * 9u + band, cells = s->blocks / 4u, pitch = s->pitch;
  uint8_t *const own = s->sums[band % 3u];
  const uint8_t *const lower = band > 0u ? s->sums[(band + 2u) % 3u] : s->gradient;
  const uint8_t *const lowest = band > 1u ? s->sums[(band + 1u) % 3u] : s->gradient;
  fill_sums(s, own, plane, band);
  uint8_t *const count = e->count + group * cells;
  const uint8_t *const count_above = e->count_above + group * cells;
  const uint8_t *const cw = gws_cell_weight[group];
  uint32_t left = 0;
  bool any = false;
  for (uint32_t x = 0; x < cells; ++x) {
    const bool set = (s->cell_mask[plane * cells + x] >> band & 1u) != 0u;
    uint32_t sum = gws_cell_bias[group] + cw[0] * left + cw[1] * (uint32_t)count_above[x];
    if (x > 0u) sum += cw[2] * (uint32_t)count_above[x - 1u];
    if (x + 1u < cells) sum += cw[2] * (uint32_t)count_above[x + 1u];
    sum += cw[3] * (band > 0u ? (uint32_t)(count - cells)[x] : gws_activity(e, plane, x));
    if (plane > 0u) sum += cw[4] * (uint32_t)e->count[band * cells + x];
    if (plane > 1u) sum += cw[5] * (uint32_t)e->count[(9u + band) * cells + x];
    const uint32_t scale = gws_scale_class(sum);
    gws_bit(e, c, GWS_CELLS + group * 14u + (scale < 13u ? scale : 13u), set);
    left = set ? 8u : 0u;
    any = any || set;
    count[x] = 0;
  }
  if (!any) return;
  e->present |= (uint8_t)(1u << gws_layer_of(plane, band));
  if (plane > 0u) fill_sums(s, s->sums[3], 0, band);
  if (plane > 1u) fill_sums(s, s->sums[4], 1, band);
  const uint8_t *const fw = gws_flag_weight[group];
  for (uint32_t row = 1; row <= 4u; ++row) {
    const uint32_t below = row < 4u ? pitch : 0u;
    left = 0;
    for (uint32_t cell = 0; cell < cells; ++cell) {
      if ((s->cell_mask[plane * cells + cell] >> band & 1u) == 0u) {
        left = 0;
        continue;
      }
      for (uint32_t x = 4u * cell; x < 4u * cell + 4u; ++x) {
        const uint32_t at = row * pitch + 1u + x;
        const uint8_t *const up = own + at - pitch;
        uint32_t sum = gws_flag_bias[group] + fw[0] * left + fw[1] * (uint32_t)up[0] +
                       fw[2] * ((uint32_t)up[-1] + up[1]) + fw[3] * (uint32_t)lower[at] +
                       fw[4] * around(lower + at, pitch, below);
        if (band > 0u) {
          sum += fw[5] * (uint32_t)lowest[at] + fw[6] * around(lowest + at, pitch, below);
        } else {
          sum += fw[5] * gws_activity(e, plane, cell);
        }
        if (plane > 0u) {
          sum += fw[7] * (uint32_t)s->sums[3][at] + fw[8] * around(s->sums[3] + at, pitch, below);
        }
        if (plane > 1u) sum += fw[9] * (uint32_t)s->sums[4][at];
        const bool set = (s->mask[index_of(s, row, x, plane)] >> band & 1u) != 0u;
        const uint32_t scale = gws_scale_class(sum);
        gws_bit(e, c, GWS_FLAG + group * 20u + (scale < 19u ? scale : 19u), set);
        s->scale[x] = (uint8_t)(sum >> 4 < 127u ? sum >> 4 : 127u);
        left = set ? 8u : 0u;
        count[cell] = (uint8_t)(count[cell] + (set ? 1u : 0u));
      }
    }
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
  s.pitch = s.blocks + 2u;
  const uint32_t all = 5u * s.blocks * s.planes;
  s.offset = (uint16_t *)(void *)e->scratch;
  s.mask = s.offset + all;
  s.cell_mask = s.mask + all;
  s.dc = (int16_t *)(void *)(s.cell_mask + s.planes * s.blocks / 4u);
  s.gradient = (uint8_t *)(s.dc + 6u * s.pitch);
  for (uint32_t i = 0; i < 5u; ++i) s.sums[i] = s.gradient + (i + 1u) * 5u * s.pitch;
  s.scale = s.sums[4] + 5u * s.pitch;
  s.flag = s.scale + s.blocks;
  survey(&s);
  for (uint32_t p = 0; p < s.planes; ++p) {
    start_plane(&s, p);
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->live_layers; ++b)
      code_group(&s, p, b);
    for (uint32_t x = 0; x < s.blocks; ++x)
      e->dc_above[p * s.blocks + x] = s.dc[4u * s.pitch + 1u + x];
  }
}
