/* The channels of a band in the blocks that have any. */
#include "gws_bands.h"
#include "gws_classes.h"

#ifdef __OPTIMIZE_SIZE__ /* six copies are 0.9 KB of Thumb */
#define GWS_HEAR GWS_APART static
#define GWS_ALWAYS_IN_BAND(lanes_alone) false
#else
#define GWS_HEAR GWS_INLINE
#define GWS_ALWAYS_IN_BAND(lanes_alone) (lanes_alone)
#endif
/* A value at (u, v) adds K[u] * value to the left and right edge at v, K[v] * value to the upper
 * and lower one at u; at the far sides with the sign of an odd frequency. */
static const int8_t kEdge[8] = {6, 8, 7, 7, 6, 4, 3, 2};
/* With the sign of an odd frequency. */
static const int8_t kFarEdge[8] = {6, -8, 7, -7, 6, -4, 3, -2};

#include "gws_kernels_blocks.h"

#ifdef GWS_WEIGHS_FOUR /* seldom used then */
#define GWS_LANES GWS_SMALL GWS_APART static
#else
#define GWS_LANES GWS_INLINE
#endif

/* What a neighbour's symbols say, those below `end` (of heads): of its edge that faces here, and
 * those of this band as a feature of the same channels. `to` is where the edge goes. */
enum { EDGES = 1, LANES = 2, BESIDE = 4, FAR = 8 };
GWS_INLINE const uint8_t *skip(const uint8_t *b, uint32_t head) {
  return b + ((head & 2u) == 0u ? 1u : 2u + (head & 1u));
}
GWS_INLINE void add_edge(uint32_t head, int32_t value, uint32_t what, int16_t *to) {
  const uint32_t channel = gws_channel[head >> 2], u = channel >> 3, v = channel & 7u;
  const int8_t *const edge = (what & FAR) != 0u ? kFarEdge : kEdge;
  int16_t *const at = to + 2u * ((what & BESIDE) != 0u ? v : u);
  *at = (int16_t)(*at + edge[(what & BESIDE) != 0u ? u : v] * value);
}
GWS_HEAR void hear(const gws_bands *s, const gws_band_rule *r, const gws_place *place,
                   const uint8_t *length, uint32_t what, int16_t *to, uint32_t end) {
  const uint8_t *b = s->e->symbols + place->offset, *const stop = b + *length;
  const uint32_t from = r->from, feature = (what & EDGES) == 0u    ? (uint32_t)GWS_W_CORNER
                                           : (what & BESIDE) != 0u ? (uint32_t)GWS_W_LEFT
                                                                   : (uint32_t)GWS_W_UP;
  gws_lane_sum *const sum = s->work->lanes.sum;
  uint32_t head = *b;
  int32_t value, magnitude;
#ifndef __OPTIMIZE_SIZE__ /* what the next loop could do as well */
  while (head < from) {   /* all of which are below `end` */
    if ((what & EDGES) != 0u) {
      b = gws_take(b, head, &value, &magnitude);
      add_edge(head, value, what, to);
    } else {
      b = skip(b, head);
    }
    if (b == stop) return;
    head = *b;
  }
  if ((what & LANES) == 0u) return;
#endif
  while (head < end) {
    b = gws_take(b, head, &value, &magnitude);
    if ((what & EDGES) != 0u) add_edge(head, value, what, to);
    const uint32_t k = (head - from) >> 2;
    if (GWS_ALWAYS_IN_BAND((what & EDGES) == 0u) || k < r->size) /* edges may go beyond the band */
      sum[k].scale += r->lanes[k].weight[feature] * magnitude;
    if (b == stop) return;
    head = *b;
  }
}

/* A symbol of the block itself, in a band below, is a feature of channel (u, v) if that lies in the
 * band. */
static void add_above(const gws_band_rule *r, uint32_t u, uint32_t v, uint32_t feature,
                      int32_t magnitude, gws_lane_sum *sum) {
  if (u > 7u || v > 7u) return;
  const uint32_t k = (uint32_t)gws_position[8u * u + v] - r->from / 4u;
  if (k < r->size) sum[k].scale += r->lanes[k].weight[feature] * magnitude;
}
/* The same where a band is more than a diagonal. */
GWS_SMALL GWS_APART static void add_above_all(const gws_band_rule *r, uint32_t head,
                                              int32_t magnitude, gws_lane_sum *sum) {
  const uint32_t channel = gws_channel[head >> 2], u = channel >> 3, v = channel & 7u;
  if (head >= r->lower) {
    add_above(r, u + 1u, v, GWS_W_LOWER0, magnitude, sum);
    add_above(r, u, v + 1u, GWS_W_LOWER1, magnitude, sum);
  } else {
    add_above(r, u + 1u, v + 1u, GWS_W_LOWEST0, magnitude, sum);
    add_above(r, u + 2u, v, GWS_W_LOWEST1, magnitude, sum);
    add_above(r, u, v + 2u, GWS_W_LOWEST1, magnitude, sum);
  }
}

/* Symbols of this band in the planes before. */
GWS_APART static void add_planes(const gws_bands *s, const gws_band_rule *r, const uint8_t *length,
                                 const uint8_t *b, gws_lane_sum *sum) {
  const gws_across *const across = gws_planes + (s->plane - 1u) * 64u + r->from / 4u;
  for (uint32_t p = s->plane - 1u; p < s->plane; --p) {
    length -= s->blocks;
    b -= *length;
    const uint8_t *at = b, *const stop = b + *length;
    while (at < stop) {
      const uint32_t head = *at, k = (head - r->from) >> 2;
      if (head >= r->to) break;
      int32_t v, magnitude;
      at = gws_take(at, head, &v, &magnitude);
      if (k >= r->size) continue;
      sum[k].scale += across[k].weight[p] * magnitude;
      sum[k].mean += across[k].mean[p] * gws_clamp(v, -15, 15);
    }
  }
}

/* The block's own symbols: edges of the bands before, and features of this one; this one's values,
 * of which a bit each is returned. There is one. */
GWS_INLINE uint32_t add_own(const uint8_t *b, uint32_t length, const gws_band_rule *r, gws_edges *g,
                            gws_lane_sum *sum, int16_t *value) {
  const uint8_t *const stop = b + length;
  const uint32_t from = r->from, to = r->to, lower = r->lower, lowest = r->lowest;
  uint32_t set = 0, head = *b;
  while (head < from) {
    int32_t v, magnitude;
    b = gws_take(b, head, &v, &magnitude);
    const uint32_t channel = gws_channel[head >> 2], cu = channel >> 3, cv = channel & 7u;
    subtract_own(g, cv, cu, v);
    subtract_own(g, 8u + cu, cv, v);
    if (head >= lowest) {
      if (r->band >= 7u) {
        add_above_all(r, head, magnitude, sum);
      } else { /* channels lie by v on each diagonal */
        const gws_lane *const w = r->lanes + cv;
        gws_lane_sum *const at = sum + cv;
        if (head >= lower) {
          at[0].scale += w[0].weight[GWS_W_LOWER0] * magnitude;
          at[1].scale += w[1].weight[GWS_W_LOWER1] * magnitude;
        } else {
          at[0].scale += w[0].weight[GWS_W_LOWEST1] * magnitude;
          at[1].scale += w[1].weight[GWS_W_LOWEST0] * magnitude;
          at[2].scale += w[2].weight[GWS_W_LOWEST1] * magnitude;
        }
      }
    }
    head = *b;
  }
  do {
    set |= 1u << ((head - from) >> 2);
    if ((head & 2u) == 0u) {
      *value++ = (int16_t)(1 - 2 * (int32_t)(head & 1u));
      ++b;
    } else if ((head & 1u) == 0u) {
      *value++ = (int8_t)b[1];
      b += 2;
    } else {
      *value++ = (int16_t)(b[1] | b[2] << 8);
      b += 3;
    }
    if (b == stop) break;
    head = *b;
  } while (head < to);
  return set;
}

/* A band's channels in order. */
GWS_LANES void code_lanes(gws *e, const gws_band_rule *r, const gws_edges *g, uint32_t set,
                          uint32_t expected, const gws_lane_sum *sum, const int16_t *value) {
  const uint32_t zero = r->zero, last = 1u << (r->size - 1u);
  /* Where nothing is before the last but one, that and the last have a state of their own, and the
   * last is not zero if that is. */
  const gws_lane *w = r->lanes, *const all = w + r->size;
  const gws_lane *stop = (set & (last / 2u - 1u)) == 0u ? all - 2 : all;
  const bool implied = set == last;
  uint32_t run = r->run;
  const gws_lane *end = w + run; /* of a diagonal */
  const uint32_t *across = g->pair, *along = g->pair + 7u + run;
  if (r->band >= 7u) {
    across += 8u - run;
    along = g->pair + 15u;
  }
  uint32_t context = zero + 2u; /* of class 0 and the state, and no bit yet */
  uint16_t *list = e->decision_end;
  for (;;) {
    const gws_lane *const here = end < stop ? end : stop;
    while (w < here) {
      /* The format limits t and the sum as well, where nothing that follows can tell. */
      int32_t t;
      const uint32_t scale = weigh(&w, &sum, &across, &along, expected, &t);
      const uint32_t decision = context + 3u * twice_class(scale) + (set & 1u);
      const bool some = (set & 1u) != 0u;
      *list++ = (uint16_t)decision;
      set >>= 1;
      if (!some) continue;
      if (implied) --list;
      context = zero;
      e->decision_end = list;
      gws_value(e, r->coder, &r->kind, *value++, gws_scale_class(scale), t);
      list = e->decision_end;
    }
    if (w == all) break;
    if (w == stop) {
      stop = all;
      context = zero + 4u;
    }
    if (w == end) { /* the next diagonal is shorter by one */
      end += --run;
      across = g->pair + 8u - run;
      along = g->pair + 15u;
    }
  }
  e->decision_end = list;
  if (list > e->decision + GWS_DECISIONS - 31) gws_code(e, r->coder);
}

#ifdef GWS_WEIGHS_FOUR
/* The same of a band that is one diagonal, all weighed before. */
GWS_INLINE void code_diagonal(gws *e, const gws_band_rule *r, uint32_t set, uint32_t expected,
                              gws_block_work *work, const int16_t *value) {
  const uint32_t zero = r->zero, size = r->size, last = 1u << (size - 1u);
  const gws_weighed *const lanes = &work->lanes.diagonal.weighed;
  weigh_all(work, r, expected);
  uint32_t context = zero + 2u, k = 0;
  uint32_t stop = (set & (last / 2u - 1u)) == 0u ? size - 2u : size;
  const bool implied = set == last;
  uint16_t *list = e->decision_end;
  for (;;) {
    for (; k < stop; ++k) {
      const uint32_t bit = set >> k & 1u;
      *list++ = (uint16_t)(context + lanes->decision[k] + bit);
      if (bit == 0u) continue;
      if (implied) --list;
      context = zero;
      e->decision_end = list;
      gws_value(e, r->coder, &r->kind, *value++, gws_scale_class(lanes->scale[k]), lanes->t[k]);
      list = e->decision_end;
    }
    if (stop == size) break;
    stop = size;
    context = zero + 4u;
  }
  e->decision_end = list;
  if (list > e->decision + GWS_DECISIONS - 31) gws_code(e, r->coder);
}
#endif

/* The row of blocks that is coded: of its first block, and from one row to the next. */
typedef struct {
  const gws_place *place;
  const int16_t *dc;
  const uint8_t *length, *scale;
  uint32_t pitch, line;
  uint32_t row, up_to; /* heads of the row above that are seen */
} row_of_blocks;

GWS_INLINE void code_block(const gws_bands *s, const gws_band_rule *r, const row_of_blocks *at,
                           uint32_t x) {
  gws *const e = s->e;
  gws_edges *const g = &s->work->edges;
  gws_lane_sum *const sum = s->work->lanes.sum;
  const uint8_t *const symbols = e->symbols;
  const gws_place *const place = at->place + x;
  const uint8_t *const length = at->length + x;
  const uint32_t line = at->line, bit = 1u << r->band, below = bit - 1u; /* of bands */
  int16_t value[GWS_MAX_LANES];
  clear_sums(sum, r->size);
  clear(g);
  if (s->plane > 0u) add_planes(s, r, length, symbols + place->offset, sum);
  const uint32_t set = add_own(symbols + place->offset, *length, r, g, sum, value);
  uint32_t inner[2]; /* at frequency 0 */
  set_outer(g, 0, at->dc + x, 1, inner);
  set_outer(g, 1, at->dc + x, at->pitch, inner);
  if (((place - 1)->mask & (below | bit)) != 0u)
    hear(s, r, place - 1, length - 1, EDGES | LANES | BESIDE | FAR, &g->at[0][0], r->to);
  if ((place[1].mask & below) != 0u)
    hear(s, r, place + 1, length + 1, EDGES | BESIDE, &g->at[0][1], r->from);
  if (at->row < 4u && (place[at->pitch].mask & below) != 0u)
    hear(s, r, place + at->pitch, length + line, EDGES, &g->at[8][1], r->from);
  const gws_place *const above = place - at->pitch;
  const uint8_t *const length_above = length - line;
  if (above->mask != 0u)
    hear(s, r, above, length_above, EDGES | LANES | FAR, &g->at[8][0], at->up_to);
  GWS_UNROLL(2)
  for (int32_t k = -1; k <= 1; k += 2) {
    if (((above + k)->mask & bit) != 0u)
      hear(s, r, above + k, length_above + k, LANES, NULL, r->to);
  }
  g->pair[0] = difference(g->pair[0], inner[0]);
  g->pair[8] = difference(g->pair[8], inner[1]);
  if (at->row == 4u) { /* south is not known: no difference */
    GWS_UNROLL(8)
    for (uint32_t k = 0; k < 8u; ++k) g->at[8u + k][1] = 0;
  }
#ifdef GWS_WEIGHS_FOUR
  if (r->band < 7u) {
    code_diagonal(e, r, set, at->scale[x], s->work, value);
    return;
  }
#endif
  code_lanes(e, r, g, set, at->scale[x], sum, value);
}

void gws_code_blocks(const gws_bands *s, const gws_band_rule *r, uint32_t row) {
  const uint32_t cells = s->blocks / 4u, first = row * s->pitch + 1u;
  const row_of_blocks at = {.place = s->place + first,
                            .dc = s->dc + first,
                            .length = s->e->length + (row * s->planes + s->plane) * s->blocks,
                            .scale = s->scale,
                            .pitch = s->pitch,
                            .line = s->planes * s->blocks,
                            .row = row,
                            .up_to = row == 1u ? r->seen : r->to};
  for (uint32_t cell = 0; cell < cells; ++cell) {
    for (uint32_t flags = s->set[cell]; flags != 0u; flags &= flags - 1u)
      code_block(s, r, &at, 4u * cell + (uint32_t)__builtin_ctz(flags));
  }
}
