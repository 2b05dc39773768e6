/* Layers 2 and up of a row of cells; entropy.md section 4.4. Symbols are few, so contexts are
 * summed up from the nonzero neighbours, and what the host keeps in arrays (edges, residuals) is
 * worked out anew for the blocks that have something. */
#include "gws_internal.h"
#include "gws_kernels_bands.h"

#define GWS_INLINE static inline __attribute__((always_inline))
#ifdef __OPTIMIZE_SIZE__ /* six copies are 0.9 KB of Thumb */
#define GWS_HEAR GWS_APART static
#else
#define GWS_HEAR GWS_INLINE
#endif
#define MAX_LANES 15
/* Sums are kept of seven bands of plane 0, then of three of plane 0, three of the plane that is
 * coded and one of plane 1. */
#define SUMS 7u
#define WINDOW 3u

/* Where things lie while a row of cells is coded. Rows of blocks are counted from the one above: 0,
 * then 1..4. Arrays by row and block have a border of one on each side, of zeros. */
typedef struct {
  gws *e;
  uint32_t planes, blocks, pitch;
  uint32_t plane;    /* the one being coded; of it are: */
  uint16_t *offset;  /* [5 rows]: of a block's symbols */
  uint16_t *mask;    /* [5 rows]: a bit per band that has any */
  int16_t *dc;       /* [6 rows]; once contexts are set up, its edges */
  uint8_t *gradient; /* [5 rows] */
  uint8_t *sums;     /* [SUMS][5 rows] of magnitudes */
  uint8_t *own_sums; /* this plane's, `window` bands from `low` on */
  uint32_t low, window;
  uint32_t luma_low;   /* plane 0's, once another is coded: WINDOW bands, or none */
  uint32_t used;       /* a bit per band that any block has */
  uint8_t *scale;      /* [block] what a flag expected */
  uint8_t *set;        /* [cell] its flags in a row of blocks, a bit each */
  uint16_t *cell_mask; /* [plane][cell] of bands, the row above left out */
} bands;

/* A border on each side, and whole words. */
static uint32_t pitch_of(uint32_t blocks) { return (blocks + 2u + 3u) & ~3u; }

GWS_SMALL size_t gws_scratch_size(uint32_t blocks, uint32_t planes) {
  const size_t pitch = pitch_of(blocks), cells = blocks / 4u;
  const size_t coding =
      (5u + 5u + 6u) * 2u * pitch + (1u + SUMS) * 5u * pitch + blocks + 2u * planes * cells + cells;
  const size_t analysis = sizeof(int16_t) * GWS_BLOCK_SCRATCH;
  return coding > analysis ? coding : analysis;
}

/* `count` is a multiple of 4. */
static void fill(uint8_t *to, uint32_t count) {
  gws_word32 *const words = (gws_word32 *)__builtin_assume_aligned(to, 4);
  GWS_UNROLL(8)
  for (uint32_t i = 0; i < count / 4u; ++i) words[i] = 0;
}

/* The symbol at `b`, whose head was read, as contexts see it. */
GWS_INLINE const uint8_t *take(const uint8_t *b, uint32_t head, int32_t *value,
                               int32_t *magnitude) {
  *value = 1 - 2 * (int32_t)(head & 1u);
  *magnitude = 1;
  ++b;
  if ((head & 2u) != 0u) {
    int32_t v = (int8_t)*b++;
    if ((head & 1u) != 0u) v = (int16_t)((v & 255) | *b++ << 8);
    *value = gws_clamp(v, -255, 255);
    *magnitude = gws_magnitude(v);
  }
  return b;
}

/* Where each block's symbols are. */
GWS_SMALL GWS_APART static void find_symbols(bands *s) {
  const gws *const e = s->e;
  const uint32_t blocks = s->blocks, planes = s->planes;
  const uint8_t *length = e->length;
  uint32_t at = 0;
  for (uint32_t y = 0; y < 5u; ++y, length += planes * blocks) {
    uint16_t *const offset = s->offset + y * s->pitch + 1u;
    for (uint32_t x = 0; x < blocks; x += 4u) {
      uint32_t any = word(length + x);
      if (planes > 1u) any |= word(length + x + blocks) | word(length + x + 2u * blocks);
      if (any == 0u) continue;
      for (uint32_t k = x; k < x + 4u; ++k) {
        offset[k] = (uint16_t)at;
        at += length[k];
        if (planes > 1u) at += (uint32_t)length[k + blocks] + length[k + 2u * blocks];
      }
    }
  }
}

/* One pass over the symbols of plane `p`: sums of magnitudes in `count` bands from `low` on, each
 * at most 255; and of the plane that is coded next, in its first pass, which bands there are. Of
 * other planes it takes what may lie beside a cell that has the band. */
GWS_APART static void survey(bands *s, uint32_t p, uint32_t low, uint32_t count, bool first,
                             uint8_t *to) {
  gws *const e = s->e;
  const uint32_t blocks = s->blocks, stride = 5u * s->pitch;
  const uint32_t end = first ? 64u : gws_band_first[gws_min((int32_t)(low + count), 9)];
  fill(to, count * stride);
  for (uint32_t y = 0; y < 5u; ++y) {
    const uint8_t *const length = e->length + (y * s->planes + p) * blocks;
    for (uint32_t x = 0; x < blocks; x += 4u) {
      uint32_t sizes = word(length + x), here = 0;
      if (sizes == 0u) continue;
      if (p != s->plane) {
        const uint16_t *const mask = s->cell_mask + (s->plane * blocks + x) / 4u;
        uint32_t near = mask[0];
        if (x > 0u) near |= mask[-1];
        if (x + 4u < blocks) near |= mask[1];
        if (y > 0u) near &= s->cell_mask[(p * blocks + x) / 4u];
        if ((near >> low & 1u) == 0u) continue;
      }
      for (uint32_t i = y * s->pitch + 1u + x; sizes != 0u; ++i, sizes >>= 8) {
        if ((sizes & 255u) == 0u) continue;
        if (p == s->plane && !first && s->mask[i] >> low == 0u) continue;
        const uint8_t *b = e->symbols + s->offset[i], *l = length + i - (y * s->pitch + 1u);
        for (uint32_t q = p; q < s->plane; ++q, l += blocks) b -= *l;
        const uint8_t *const stop = b + (sizes & 255u);
        uint32_t mask = 0;
        do {
          const uint32_t head = *b, position = head >> 2;
          if (position >= end) break;
          const uint32_t band = gws_band_of[position];
          int32_t value, magnitude;
          b = take(b, head, &value, &magnitude);
          mask |= 1u << band;
          if (band - low < count) {
            uint8_t *const sum = to + i + (band - low) * stride;
            *sum = (uint8_t)gws_min(*sum + magnitude, 255);
          }
        } while (b < stop);
        if (first) s->mask[i] = (uint16_t)mask;
        here |= mask;
      }
      if (!first) continue;
      s->used |= here;
      if (y > 0u) s->cell_mask[(p * blocks + x) / 4u] |= (uint16_t)here;
    }
  }
}

/* From the plane before to the next, in each block. */
static void next_plane(bands *s, uint32_t plane) {
  const uint32_t blocks = s->blocks;
  for (uint32_t y = 0; y < 5u; ++y) {
    const uint8_t *const length = s->e->length + (y * s->planes + plane - 1u) * blocks;
    uint16_t *const offset = s->offset + y * s->pitch + 1u;
    for (uint32_t x = 0; x < blocks; x += 4u) {
      if (word(length + x) == 0u) continue;
      for (uint32_t k = x; k < x + 4u; ++k) offset[k] = (uint16_t)(offset[k] + length[k]);
    }
  }
}

/* ------------------------------------------------------------------------ DC */

GWS_APART static void start_plane(bands *s, uint32_t plane) {
  gws *const e = s->e;
  const uint32_t pitch = s->pitch, blocks = s->blocks;
  int16_t *const dc = s->dc;
  uint8_t *const kept = e->gradient_above + plane * blocks;
  int16_t *const dc_above = e->dc_above + plane * blocks;
  s->plane = plane;
  if (plane == 1u) s->luma_low = s->low;
  s->low = 0;
  s->window = plane > 0u ? WINDOW : SUMS;
  s->own_sums = s->sums + (plane > 0u ? WINDOW * 5u * pitch : 0u);
  s->used = 0;
  for (uint32_t i = 0; i < blocks / 4u; ++i) s->cell_mask[plane * (blocks / 4u) + i] = 0;
  fill((uint8_t *)s->mask, 2u * 5u * pitch);
  if (plane > 0u) next_plane(s, plane);
  survey(s, plane, 0, s->window, true, s->own_sums);
  gws_reconstruct_dc(e, plane, dc, pitch);
  for (uint32_t x = 0; x < blocks; ++x) {
    dc[1u + x] = e->first ? dc[pitch + 1u + x] : dc_above[x];
    dc[5u * pitch + 1u + x] = dc[4u * pitch + 1u + x];
  }
  for (uint32_t x = 0; x < blocks; ++x) s->gradient[1u + x] = kept[x];
  for (uint32_t row = 0; row <= 4u; ++row)
    s->gradient[row * pitch] = s->gradient[row * pitch + blocks + 1u] = 0;
  for (uint32_t row = 1; row <= 4u; ++row) {
    int16_t *const line = dc + row * pitch;
    line[0] = line[1];
    line[blocks + 1u] = line[blocks];
    /* Bands 0 and 1 look at it, and the row of cells below at the last row. */
    if (row == 4u || (s->used & 3u) != 0u)
      gradient_row(&e->q, line, pitch, blocks, s->gradient + row * pitch);
  }
  for (uint32_t x = 0; x < blocks; ++x) {
    kept[x] = s->gradient[4u * pitch + 1u + x];
    dc_above[x] = dc[4u * pitch + 1u + x];
  }
  if (s->used == 0u) return;
  /* From here on its edges stand for DC. */
  if (e->first) fill((uint8_t *)dc, 2u * pitch);
  for (uint32_t row = e->first ? 1u : 0u; row <= 4u; ++row)
    edge_row(&e->q, dc + row * pitch, blocks);
}

/* ------------------------------------------------------------------------ blocks */

/* What all blocks of a band share. Heads are those of symbols: position * 4. */
typedef struct {
  gws_coder *coder;
  const gws_lane *lanes;
  uint32_t size;          /* channels */
  uint32_t frequencies;   /* of edges that may be heard of */
  uint32_t from, to;      /* heads of this band's symbols */
  uint32_t lower, lowest; /* where those of the bands before begin */
  uint32_t seen;          /* to here a layer sees the row of cells above: all its own bands */
  gws_kind kind;
  uint32_t bit, zero; /* zero: of `nonzero`, as decisions count */
  /* Of this row of blocks, from its first one on. */
  const uint16_t *mask, *offset;
  const int16_t *dc;
  const uint8_t *length;
  uint32_t row, pitch, line; /* from one row to the next: of arrays with a border, and of lengths */
} band_rule;

/* Of a channel: what the scale of its symbol and its mean (1/1024) are summed up from. */
typedef struct {
  int32_t scale, mean;
} lane_sum;

/* A value at (u, v) adds K[u] * value to the left and right edge at v, K[v] * value to the upper
 * and lower one at u; at the far sides with the sign of an odd frequency. */
static const int8_t kEdge[8] = {6, 8, 7, 7, 6, 4, 3, 2};
/* With the sign of an odd frequency. */
static const int8_t kFarEdge[8] = {6, -8, 7, -7, 6, -4, 3, -2};

/* Differences between edges that face each other, the block's own subtracted, two side by side:
 * [0..7] by v: west and east, [8..15] by u: north and south. Values as contexts see them are 255 at
 * most, so none of a frequency above 0 leaves 16 bits; those of frequency 0 have DC in them and
 * wrap. */
typedef union {
  int16_t at[16][2];
  uint32_t pair[16];
} edges;

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
static inline uint32_t difference(uint32_t outer, uint32_t inner) { return __qsub16(outer, inner); }
/* What faces a block less its own edge, which is DC less what was subtracted so far. */
static inline void set_outer(edges *g, uint32_t i, const int16_t *dc, uint32_t step,
                             uint32_t inner[2]) {
  uint32_t own, outer;
  __asm__("pkhbt %0, %1, %1, lsl #16" : "=r"(own) : "r"((int32_t)dc[0]));
  __asm__("pkhbt %0, %1, %2, lsl #16"
          : "=r"(outer)
          : "r"((int32_t) * (dc - step)), "r"((int32_t)dc[step]));
  inner[i] = __ssub16(own, g->pair[8u * i]);
  g->pair[8u * i] = outer;
}
static inline void subtract_own(edges *g, uint32_t i, uint32_t frequency, int32_t value) {
  static const int16_t kPair[8][2] = {{6, 6}, {8, -8}, {7, 7}, {7, -7},
                                      {6, 6}, {4, -4}, {3, 3}, {2, -2}};
  uint32_t k, near, far;
  __builtin_memcpy(&k, kPair[frequency], 4);
  __asm__("smulbb %0, %1, %2" : "=r"(near) : "r"(k), "r"(value));
  __asm__("smultb %0, %1, %2" : "=r"(far) : "r"(k), "r"(value));
  __asm__("pkhbt %0, %0, %1, lsl #16" : "+r"(near) : "r"(far));
  g->pair[i] = __ssub16(g->pair[i], near);
}
static inline int32_t mean_sum(const edges *g, uint32_t v, uint32_t u, const int16_t *w,
                               int32_t sum) {
  uint32_t across, along;
  __builtin_memcpy(&across, w, 4);
  __builtin_memcpy(&along, w + 2, 4);
  return __smlad(g->pair[8u + u], along, __smlad(g->pair[v], across, sum));
}
#else
static inline int32_t limit16(int32_t v) { return gws_clamp(v, -32768, 32767); }
static inline void set_outer(edges *g, uint32_t i, const int16_t *dc, uint32_t step,
                             uint32_t inner[2]) {
  edges e;
  for (uint32_t k = 0; k < 2u; ++k) e.at[0][k] = (int16_t)(dc[0] - g->at[8u * i][k]);
  inner[i] = e.pair[0];
  g->at[8u * i][0] = *(dc - step);
  g->at[8u * i][1] = dc[step];
}
static inline void subtract_own(edges *g, uint32_t i, uint32_t frequency, int32_t value) {
  g->at[i][0] = (int16_t)(g->at[i][0] - kEdge[frequency] * value);
  g->at[i][1] = (int16_t)(g->at[i][1] - kFarEdge[frequency] * value);
}
static inline uint32_t difference(uint32_t outer, uint32_t inner) {
  edges o, i;
  o.pair[0] = outer;
  i.pair[0] = inner;
  for (uint32_t k = 0; k < 2u; ++k) o.at[0][k] = (int16_t)limit16(o.at[0][k] - i.at[0][k]);
  return o.pair[0];
}
static inline int32_t mean_sum(const edges *g, uint32_t v, uint32_t u, const int16_t *w,
                               int32_t sum) {
  return sum + w[0] * g->at[v][0] + w[1] * g->at[v][1] + w[2] * g->at[8u + u][0] +
         w[3] * g->at[8u + u][1];
}
#endif

/* What a neighbour's symbols below `end` (of heads) say: of its edge that faces here, and those of
 * this band as a feature of the same channels. */
enum { EDGES = 1, LANES = 2 };
GWS_HEAR void hear(const uint8_t *b, uint32_t length, uint32_t what, const int8_t *edge,
                   bool beside, int16_t *to, const band_rule *r, uint32_t end, uint32_t feature,
                   lane_sum *sum) {
  const uint8_t *const stop = b + length;
  do {
    const uint32_t head = *b;
    if (head >= end) break;
    int32_t value, magnitude;
    b = take(b, head, &value, &magnitude);
    if ((what & EDGES) != 0u) {
      const uint32_t channel = gws_channel[head >> 2], u = channel >> 3, v = channel & 7u;
      int16_t *const at = to + 2u * (beside ? v : u);
      *at = (int16_t)(*at + edge[beside ? u : v] * value);
    }
    if ((what & LANES) != 0u && head - r->from < 4u * r->size) {
      const uint32_t k = (head - r->from) >> 2;
      sum[k].scale += r->lanes[k].weight[feature] * magnitude;
    }
  } while (b < stop);
}

/* A symbol of the block itself, in a band below, is a feature of channel (u, v) if that lies in the
 * band. */
static void add_above(const gws_lane *lane, uint32_t first, uint32_t size, uint32_t u, uint32_t v,
                      uint32_t feature, int32_t magnitude, lane_sum *sum) {
  if (u > 7u || v > 7u) return;
  const uint32_t k = (uint32_t)gws_position[8u * u + v] - first;
  if (k < size) sum[k].scale += lane[k].weight[feature] * magnitude;
}

/* Symbols of this band in the planes before. */
GWS_APART static void add_planes(const bands *s, const band_rule *r, uint32_t x, lane_sum *sum) {
  const uint32_t first = r->from / 4u, last = r->to / 4u;
  const uint8_t *length = r->length + x, *b = s->e->symbols + r->offset[x];
  const gws_across *const across = gws_planes + (s->plane - 1u) * 64u + first;
  for (uint32_t p = s->plane - 1u; p < s->plane; --p) {
    length -= s->blocks;
    b -= *length;
    const uint8_t *at = b, *const stop = b + *length;
    while (at < stop) {
      uint32_t position;
      int32_t v;
      at = gws_next_symbol(at, &position, &v);
      if (position >= last) break;
      if (position < first) continue;
      const gws_across *const w = across + (position - first);
      sum[position - first].scale += w->weight[p] * gws_magnitude(v);
      sum[position - first].mean += w->mean[p] * gws_clamp(v, -15, 15);
    }
  }
}

/* The block's own symbols: edges of the bands before, and features of this one; this one's values,
 * of which a bit each is returned. */
GWS_INLINE uint32_t add_own(const uint8_t *b, uint32_t length, const band_rule *r, edges *g,
                            lane_sum *sum, int16_t *value) {
  const uint8_t *const stop = b + length;
  const uint32_t first = r->from / 4u, size = r->size;
  uint32_t set = 0;
  do {
    const uint32_t head = *b, position = head >> 2;
    if (head >= r->from) {
      if (head >= r->to) break;
      uint32_t same;
      int32_t v;
      b = gws_next_symbol(b, &same, &v);
      value[position - first] = (int16_t)v;
      set |= 1u << (position - first);
      continue;
    }
    int32_t v, magnitude;
    b = take(b, head, &v, &magnitude);
    const uint32_t channel = gws_channel[position], cu = channel >> 3, cv = channel & 7u;
    if (head >= r->lower) {
      add_above(r->lanes, first, size, cu + 1u, cv, GWS_W_LOWER0, magnitude, sum);
      add_above(r->lanes, first, size, cu, cv + 1u, GWS_W_LOWER1, magnitude, sum);
    } else if (head >= r->lowest) {
      add_above(r->lanes, first, size, cu + 1u, cv + 1u, GWS_W_LOWEST0, magnitude, sum);
      add_above(r->lanes, first, size, cu + 2u, cv, GWS_W_LOWEST1, magnitude, sum);
      add_above(r->lanes, first, size, cu, cv + 2u, GWS_W_LOWEST1, magnitude, sum);
    } else {
      /* too far below to be a feature */
    }
    subtract_own(g, cv, cu, v);
    subtract_own(g, 8u + cu, cv, v);
  } while (b < stop);
  return set;
}

GWS_INLINE void code_lanes(const bands *s, const band_rule *r, const edges *g, uint32_t set,
                           const lane_sum *sum, const int16_t *value) {
  gws *const e = s->e;
  const uint32_t size = r->size, zero = r->zero, last = 1u << (size - 1u);
  /* Where nothing is before the last but one, that and the last have a state of their own, and the
   * last is not zero if that is. */
  const bool late = (set & (last / 2u - 1u)) == 0u;
  const gws_lane *w = r->lanes, *const end = w + size, *stop = late ? end - 2 : end;
  const bool implied = set == last;
  uint32_t context = zero + 2u; /* of class 0 and the state, and no bit yet */
  uint16_t *list = e->decision_end;
  for (;;) {
    for (; w < stop; ++w, ++sum, ++value, set >>= 1) {
      /* The format limits t and the sum as well, where nothing that follows can tell. */
      const int32_t t = mean_sum(g, w->channel & 7u, w->channel >> 3, w->mean, sum->mean) >> 10;
      const uint32_t all =
          (uint32_t)sum->scale + w->weight[GWS_W_MEAN] * gws_limit7((uint32_t)gws_abs(t) >> 2);
      const uint32_t decision = context + 3u * twice_class(all) + (set & 1u);
      *list++ = (uint16_t)decision;
      if ((set & 1u) == 0u) continue;
      if (implied) --list;
      context = zero;
      e->decision_end = list;
      gws_nonzero(e, r->coder, &r->kind, *value, gws_scale_class(all), t);
      list = e->decision_end;
    }
    if (stop == end) break;
    stop = end;
    context = zero + 4u;
  }
  e->decision_end = list;
  gws_code(e, r->coder);
}

GWS_APART static void code_block(const bands *s, const band_rule *r, uint32_t x) {
  const uint32_t size = r->size, pitch = r->pitch;
  const gws_lane *const lanes = r->lanes;
  const uint8_t *const symbols = s->e->symbols;
  lane_sum sum[MAX_LANES + 1];
  int16_t value[MAX_LANES + 1];
  edges g;
  const int32_t expected = s->scale[x];
  for (uint32_t k = 0; k < size; ++k) {
    sum[k].scale = lanes[k].bias + lanes[k].weight[GWS_W_SCALE] * expected;
    sum[k].mean = 512;
  }
  if (s->plane > 0u) add_planes(s, r, x, sum);
  for (uint32_t k = 0; k < r->frequencies; ++k) g.pair[k] = g.pair[8u + k] = 0;
  const uint16_t *const mask = r->mask + x, *const offset = r->offset + x;
  const uint8_t *const length = r->length + x;
  const uint32_t set = add_own(symbols + *offset, *length, r, &g, sum, value);
  uint32_t inner[2]; /* at frequency 0 */
  set_outer(&g, 0, r->dc + x, 1, inner);
  set_outer(&g, 1, r->dc + x, pitch, inner);
  const uint32_t below = r->bit - 1u; /* bands */
  if ((mask[-1] & (below | r->bit)) != 0u)
    hear(symbols + offset[-1], length[-1], EDGES | LANES, kFarEdge, true, &g.at[0][0], r, r->to,
         GWS_W_LEFT, sum);
  if ((mask[1] & below) != 0u)
    hear(symbols + offset[1], length[1], EDGES, kEdge, true, &g.at[0][1], r, r->from, 0, NULL);
  if (r->row < 4u && (mask[pitch] & below) != 0u)
    hear(symbols + offset[pitch], length[r->line], EDGES, kEdge, false, &g.at[8][1], r, r->from, 0,
         NULL);
  const uint16_t *const above = mask - pitch, *const offset_above = offset - pitch;
  const uint8_t *const length_above = length - r->line;
  if (above[0] != 0u)
    hear(symbols + *offset_above, *length_above, EDGES | LANES, kFarEdge, false, &g.at[8][0], r,
         r->row == 1u ? r->seen : r->to, GWS_W_UP, sum);
  GWS_UNROLL(2)
  for (int32_t k = -1; k <= 1; k += 2) {
    if ((above[k] & r->bit) != 0u)
      hear(symbols + offset_above[k], length_above[k], LANES, NULL, false, NULL, r, r->to,
           GWS_W_CORNER, sum);
  }
  g.pair[0] = difference(g.pair[0], inner[0]);
  g.pair[8] = difference(g.pair[8], inner[1]);
  if (r->row == 4u) { /* south is not known: no difference */
    for (uint32_t k = 0; k < r->frequencies; ++k) g.at[8u + k][1] = 0;
  }
  code_lanes(s, r, &g, set, sum, value);
}

/* ------------------------------------------------------------------------ flags */

/* The flags of a row of blocks, four of a cell at a time. */
GWS_APART static void code_flags(bands *s, gws_coder *c, const flag_rule *f, uint32_t row) {
  static const uint8_t kBits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
  gws *const e = s->e;
  const uint32_t cells = s->blocks / 4u, below = row < 4u ? s->pitch : 0u;
  uint32_t at = row * s->pitch + 1u;
  for (uint32_t x = 0; x < cells; ++x, at += 4u) {
    uint32_t set = 0;
    if (((uint32_t)f->cells[x] >> f->band & 1u) != 0u) {
      uint32_t start = f->bias;
      if (f->band == 0u) start += f->weight[5] * (uint32_t)f->activity[x];
      uint16_t *const list = e->decision_end;
      set = code_four(f, start, at, s->pitch, below, s->mask + at, list, s->scale + 4u * x);
      e->decision_end = list + 4;
      f->count[x] = (uint8_t)(f->count[x] + (kBits[set]));
      if (list + 8 > e->decision + GWS_DECISIONS) gws_code(e, c);
    }
    s->set[x] = (uint8_t)set;
  }
  gws_code(e, c);
}

/* The sums of `band`, or null. */
static const uint8_t *sums_of(const bands *s, uint32_t band) {
  return s->own_sums + (band - s->low) * 5u * s->pitch;
}

/* A bit per cell, has it any of this band; says whether one has. */
GWS_APART static bool code_cells(bands *s, gws_coder *c, uint32_t band) {
  gws *const e = s->e;
  const uint32_t plane = s->plane, cells = s->blocks / 4u, group = plane * 9u + band;
  uint8_t *const count = e->count + group * cells;
  const uint8_t *const luma = e->count + band * cells, *const other = luma + 9u * cells;
  const uint8_t *const lower = band > 0u ? count - cells : e->activity + plane * cells;
  const uint16_t *const mask = s->cell_mask + plane * cells;
  const uint8_t *const w = gws_cell_weight[group];
  const uint32_t base = 2u * (GWS_CELLS + group * 14u), bias = gws_cell_bias[group];
  const uint32_t eight = 8u * w[0], beside = w[2];
  uint16_t *list = e->decision_end, *const full = e->decision + GWS_DECISIONS;
  uint32_t left = 0, any = 0, before = 0, here = count[0];
  for (uint32_t x = 0; x < cells; ++x) {
    const uint32_t set = (uint32_t)mask[x] >> band & 1u;
    const uint32_t after = x + 1u < cells ? count[x + 1u] : 0u;
    uint32_t sum = bias + eight * left + w[3] * (uint32_t)lower[x];
    if ((before | here | after) != 0u) sum += w[1] * here + beside * (before + after);
    if (plane > 0u) sum += w[4] * (uint32_t)luma[x];
    if (plane > 1u) sum += w[5] * (uint32_t)other[x];
    const uint32_t twice = twice_class(sum), decision = base + (twice < 26u ? twice : 26u) + set;
    *list++ = (uint16_t)decision;
    if (list == full) {
      e->decision_end = list;
      gws_code(e, c);
      list = e->decision;
    }
    left = set;
    any |= set;
    before = here;
    here = after;
    count[x] = 0; /* from here on of this row of cells */
  }
  e->decision_end = list;
  gws_code(e, c);
  return any != 0u;
}

GWS_APART static void code_group(bands *s, uint32_t band) {
  gws *const e = s->e;
  const uint32_t plane = s->plane, layer = gws_layer_of(plane, band);
  gws_coder *const c = &e->coder[layer];
  if (!code_cells(s, c, band)) return;
  const uint32_t group = plane * 9u + band, cells = s->blocks / 4u, pitch = s->pitch;
  e->present |= (uint8_t)(1u << layer);
  if (band >= s->low + s->window) {
    s->low = band - 2u;
    survey(s, plane, s->low, s->window, false, s->own_sums);
  }
  /* Of planes that the model does not ask for there are no sums. */
  const uint8_t *const w = gws_flag_weight[group];
  const uint8_t *luma = NULL, *other = NULL;
  const uint8_t *lowest = NULL;
  if (band > 0u && (w[5] | w[6]) != 0) lowest = band > 1u ? sums_of(s, band - 2u) : s->gradient;
  if (plane > 0u && (w[7] | w[8]) != 0) {
    if (band - s->luma_low >= WINDOW) { /* they are not kept, and are now those of a part */
      survey(s, 0, band, 1, false, s->sums);
      s->luma_low = 9;
      luma = s->sums;
    } else {
      luma = s->sums + (band - s->luma_low) * 5u * pitch;
    }
  }
  if (plane > 1u && w[9] != 0) {
    uint8_t *const to = s->sums + (SUMS - 1u) * 5u * pitch;
    survey(s, 1, band, 1, false, to);
    other = to;
  }
  const uint16_t *const cell_mask = s->cell_mask + plane * cells;
  const flag_rule f = {.own = sums_of(s, band),
                       .around = {band > 0u ? sums_of(s, band - 1u) : s->gradient, lowest, luma},
                       .other = other,
                       .weight = w,
                       .activity = e->activity + plane * cells,
                       .cells = cell_mask,
                       .count = e->count + group * cells,
                       .band = band,
                       .bias = gws_flag_bias[group],
                       .base = 2u * (GWS_FLAG + group * 20u)};
  const uint32_t kind = plane == 0u ? band : 7u + layer;
  const bool more = band < 8u && gws_layer_of(plane, band + 1u) == layer;
  band_rule r = {.coder = c,
                 .lanes = gws_lanes + plane * 64u + gws_band_first[band],
                 .size = (uint32_t)gws_band_first[band + 1u] - gws_band_first[band],
                 .frequencies = band < 5u ? band + 3u : 8u,
                 .from = 4u * gws_band_first[band],
                 .to = 4u * gws_band_first[band + 1u],
                 .lower = 4u * gws_band_first[band > 0u ? band - 1u : 0u],
                 .lowest = 4u * gws_band_first[band > 1u ? band - 2u : 0u],
                 .seen = 4u * gws_band_first[band + (more ? 2u : 1u)],
                 .bit = 1u << band,
                 .kind = gws_kind_of(kind),
                 .zero = 2u * (GWS_ZERO + kind * 60u),
                 .pitch = pitch,
                 .line = s->planes * s->blocks};
  for (uint32_t row = 1; row <= 4u; ++row) {
    const uint32_t line = row * pitch + 1u;
    code_flags(s, c, &f, row);
    r.row = row;
    r.mask = s->mask + line;
    r.offset = s->offset + line;
    r.dc = s->dc + line;
    r.length = e->length + (row * s->planes + plane) * s->blocks;
    for (uint32_t x = 0; x < cells; ++x) {
      for (uint32_t set = s->set[x]; set != 0u; set &= set - 1u)
        code_block(s, &r, 4u * x + (uint32_t)__builtin_ctz(set));
    }
  }
}

GWS_SMALL void gws_code_bands(gws *e) {
  bands s;
  s.e = e;
  s.planes = (uint32_t)e->planes;
  s.blocks = (uint32_t)e->blocks;
  s.pitch = pitch_of(s.blocks);
  const uint32_t all = 5u * s.pitch;
  s.offset = (uint16_t *)(void *)e->scratch;
  s.mask = s.offset + all;
  s.dc = (int16_t *)(s.mask + all);
  s.gradient = (uint8_t *)(s.dc + 6u * s.pitch);
  s.sums = s.gradient + all;
  s.scale = s.sums + SUMS * all;
  s.cell_mask = (uint16_t *)(void *)(s.scale + s.blocks);
  s.set = (uint8_t *)(s.cell_mask + s.planes * s.blocks / 4u);
  find_symbols(&s);
  for (uint32_t p = 0; p < s.planes; ++p) {
    start_plane(&s, p);
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->live_layers; ++b)
      code_group(&s, b);
  }
}
