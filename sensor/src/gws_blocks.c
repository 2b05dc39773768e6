/* The channels of a band in the blocks that have any. */
#include "gws_bands.h"
#include "gws_classes.h"
#include "gws_mve_blocks.h"

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

/* Neighbours, and what their symbols say, those below `end` (of heads): of the edge that
 * faces here, and those of this band as a feature of the same channels. */
#define SIDES 5u /* the upper corners are one */
typedef struct {
  const uint8_t *symbols;
  uint32_t from, all; /* heads of this band's symbols */
  const gws_lane *lanes;
  gws_block_work *work;
} gws_hearer;
typedef struct {
  const int8_t *edge;     /* null: that edge says nothing */
  const uint8_t *channel; /* its low bits say where it goes */
  uint8_t to;             /* from: bytes from the begin of a gws_block_work */
  uint8_t feature;        /* byte of a gws_lane */
} gws_says;
_Static_assert(offsetof(gws_block_work, edges) + sizeof(gws_edges) <= 256u, "`to` is a byte");
_Static_assert(offsetof(gws_block_work, lanes) == 0u, "hear() begins there");
#define GWS_TO(i) (uint8_t)(offsetof(gws_block_work, edges) + sizeof(int16_t) * (i))
#define GWS_OF(i) (uint8_t)(offsetof(gws_lane, weight) + (i))
static const gws_says kSays[SIDES] = {{kFarEdge, gws_channel, GWS_TO(0), GWS_OF(GWS_W_LEFT)},
                                      {kEdge, gws_channel, GWS_TO(1), GWS_OF(GWS_W_LEFT)},
                                      {kEdge, gws_channel_turned, GWS_TO(17), GWS_OF(GWS_W_UP)},
                                      {kFarEdge, gws_channel_turned, GWS_TO(16), GWS_OF(GWS_W_UP)},
                                      {NULL, NULL, 0, GWS_OF(GWS_W_CORNER)}};
typedef struct {
  uint32_t end;
  const gws_says *says;
} gws_side;

/* The row of blocks that is coded: of its first block. */
typedef struct {
  gws_hearer hearer;
  const gws_place *place;
  const int16_t *dc;
  const uint8_t *length, *scale;
  uint32_t pitch, line, row;
  uint32_t with; /* a bit per band up to this */
  gws_side side[SIDES];
} row_of_blocks;

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
/* By hand, as it needs every register. */
_Static_assert(sizeof(gws_lane) == 20u && sizeof(gws_lane_sum) == 8u, "as the code below counts");
_Static_assert(offsetof(gws_says, to) == 8u && offsetof(gws_hearer, work) == 16u, "the same");
GWS_APART __attribute__((naked)) static void hear(__attribute__((unused)) const gws_place *there,
                                                  __attribute__((unused)) const uint8_t *length,
                                                  __attribute__((unused)) const gws_side *n,
                                                  __attribute__((unused)) const gws_hearer *h) {
  __asm__(
      "ldrd r12, r2, [r2]\n\tpush {r4-r12, lr}\n\tldm r3, {r7-r11}\n\t"
      "ldrh r0, [r0]\n\tldrb r1, [r1]\n\tadd r0, r0, r7\n\tadd r1, r1, r0\n\t"
      "ldrd r4, r6, [r2]\n\tldrb r5, [r2, #8]\n\tldrb r7, [r2, #9]\n\t"
      "add r5, r5, r11\n\tadd r10, r10, r7\n"
      "1:\n\tldrb r2, [r0], #1\n\tldr r12, [sp, #32]\n\tcmp r2, r12\n\tbcs 9f\n\t"
      "lsls r12, r2, #30\n\tsbfx r3, r2, #0, #1\n\torr r3, r3, #1\n\tbmi 5f\n"
      "2:\n\tcbz r4, 3f\n\tlsr lr, r2, #2\n\tldrb lr, [r6, lr]\n\tand r7, lr, #7\n\t"
      "lsr lr, lr, #3\n\tldrsb lr, [r4, lr]\n\tldrh r12, [r5, r7, lsl #2]\n\t"
      "smlabb r12, lr, r3, r12\n\tstrh r12, [r5, r7, lsl #2]\n"
      "3:\n\tsubs r7, r2, r8\n\tcmp r7, r9\n\tbcs 4f\n\tcmp r3, #0\n\tit mi\n\t"
      "rsbmi r3, r3, #0\n\tusat r3, #7, r3\n\tlsrs r7, r7, #2\n\tadd lr, r7, r7, lsl #2\n\t"
      "ldrb lr, [r10, lr, lsl #2]\n\tldr r12, [r11, r7, lsl #3]\n\tmla r12, r3, lr, r12\n\t"
      "str r12, [r11, r7, lsl #3]\n"
      "4:\n\tcmp r0, r1\n\tbne 1b\n"
      "9:\n\tpop {r4-r12, pc}\n"
      "5:\n\tldrsb r3, [r0], #1\n\tlsls r12, r2, #31\n\tbpl 2b\n\t"
      "ldrsb r12, [r0], #1\n\tuxtb r3, r3\n\torr r3, r3, r12, lsl #8\n\t"
      "ssat r3, #9, r3\n\tcmn r3, #256\n\tit eq\n\taddeq r3, r3, #1\n\tb 2b");
}
#else
GWS_APART static void hear(const gws_place *there, const uint8_t *length, const gws_side *n,
                           const gws_hearer *h) {
  const uint8_t *b = h->symbols + there->offset, *const stop = b + *length;
  const gws_says *const says = n->says;
  uint8_t *const sums = (uint8_t *)h->work;
  int16_t *const to = (int16_t *)(void *)(sums + says->to);
  gws_lane_sum *const sum = h->work->lanes.sum;
  const uint8_t *const weight = (const uint8_t *)h->lanes + says->feature;
  do {
    const uint32_t head = *b;
    int32_t value, magnitude;
    if (head >= n->end) break;
    b = gws_take(b, head, &value, &magnitude);
    if (says->edge != NULL) {
      const uint32_t channel = says->channel[head >> 2];
      int16_t *const at = to + 2u * (channel & 7u);
      *at = (int16_t)(*at + says->edge[channel >> 3] * value);
    }
    const uint32_t k = head - h->from; /* edges may go beyond the band */
    if (k < h->all) sum[k >> 2].scale += weight[(k >> 2) * sizeof(gws_lane)] * magnitude;
  } while (b < stop);
}
#endif

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

#if GWS_MVE
void gws_add_planes(const gws_bands *s, const gws_band_rule *r, const uint8_t *length,
                    const uint8_t *b) {
  gws_lane_sum *const sum = s->work->lanes.sum;
  for (uint32_t k = 0; k < 8u; ++k) sum[k].scale = sum[k].mean = 0;
  add_planes(s, r, length, b, sum);
}
#endif

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
  /* Beside it, to save a register, the context of class 0 and the state, and no bit yet. */
  expected |= (zero + 2u) << 16;
  uint16_t *list = e->decision_end;
  for (;;) {
    const gws_lane *const here = end < stop ? end : stop;
    while (w < here) {
      /* The format limits t and the sum as well, where nothing that follows can tell. */
      int32_t t;
      const uint32_t scale = weigh(&w, &sum, &across, &along, expected, &t);
      const uint32_t decision = (expected >> 16) + 3u * twice_class(scale) + (set & 1u);
      const bool some = (set & 1u) != 0u;
      *list++ = (uint16_t)decision;
      set >>= 1;
      if (!some) continue;
      if (implied) --list;
      expected = (expected & 0xffffu) | zero << 16;
      e->decision_end = list;
      gws_value(e, r->coder, &r->kind, *value++, scale, t);
      list = e->decision_end;
    }
    if (w == all) break;
    if (w == stop) {
      stop = all;
      expected += 2u << 16;
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
      gws_value(e, r->coder, &r->kind, *value++, lanes->scale[k], lanes->t[k]);
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

GWS_APART static void code_block(const gws_bands *s, const gws_band_rule *r,
                                 const row_of_blocks *at, uint32_t x) {
  gws *const e = s->e;
  gws_edges *const g = &s->work->edges;
  gws_lane_sum *const sum = s->work->lanes.sum;
  const uint8_t *const symbols = e->symbols;
  const gws_place *const place = at->place + x;
  const uint8_t *const length = at->length + x;
  int16_t value[GWS_MAX_LANES];
  clear_sums(sum, r->size);
  clear(g);
  if (s->plane > 0u) add_planes(s, r, length, symbols + place->offset, sum);
  const uint32_t set = add_own(symbols + place->offset, *length, r, g, sum, value);
  uint32_t inner[2]; /* at frequency 0 */
  set_outer(g, 0, at->dc + x, 1, inner);
  set_outer(g, 1, at->dc + x, at->pitch, inner);
  const uint32_t with = at->with, below = with >> 1;
  const gws_hearer *const h = &at->hearer;
  const gws_side *const n = at->side;
  if (((place - 1)->mask & with) != 0u) hear(place - 1, length - 1, n, h);
  if ((place[1].mask & below) != 0u) hear(place + 1, length + 1, n + 1, h);
  if (at->row < 4u && (place[at->pitch].mask & below) != 0u)
    hear(place + at->pitch, length + at->line, n + 2, h);
  const gws_place *const above = place - at->pitch;
  const uint8_t *const length_above = length - at->line;
  if (above->mask != 0u) hear(above, length_above, n + 3, h);
  const uint32_t bit = with & ~below;
  if (((above - 1)->mask & bit) != 0u) hear(above - 1, length_above - 1, n + 4, h);
  if ((above[1].mask & bit) != 0u) hear(above + 1, length_above + 1, n + 4, h);
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

GWS_FAST void gws_code_blocks(const gws_bands *s, const gws_band_rule *r, uint32_t row) {
#if GWS_MVE
  if (r->band < s->mve->bands) {
    gws_mve_code_blocks(s, r, row);
    return;
  }
#endif
  const uint32_t cells = s->blocks / 4u, first = row * s->pitch + 1u;
  const row_of_blocks at = {.hearer = {s->e->symbols, r->from, r->to - r->from, r->lanes, s->work},
                            .place = s->place + first,
                            .dc = s->dc + first,
                            .length = s->e->length + (row * s->planes + s->plane) * s->blocks,
                            .scale = s->scale,
                            .pitch = s->pitch,
                            .line = s->planes * s->blocks,
                            .row = row,
                            .with = (2u << r->band) - 1u,
                            .side = {{r->to, kSays},
                                     {r->from, kSays + 1},
                                     {r->from, kSays + 2},
                                     {row == 1u ? r->seen : r->to, kSays + 3},
                                     {r->to, kSays + 4}}};
  for (uint32_t cell = 0; cell < cells; ++cell) {
    for (uint32_t flags = s->set[cell]; flags != 0u; flags &= flags - 1u)
      code_block(s, r, &at, 4u * cell + (uint32_t)__builtin_ctz(flags));
  }
}
