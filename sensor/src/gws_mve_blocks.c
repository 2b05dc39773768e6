/* The channels of a band in the blocks that have any, from edges and magnitudes that are kept. A
 * block of a band takes 390 instructions so, 740 where its neighbours' symbols are walked (320x240
 * pixels at 0.24 bit/pixel). */
#include "gws_internal.h"

#if GWS_MVE
#include <arm_mve.h>

#include "gws_mve_block.h"
#include "gws_mve_memory.h"

/* The factors of the edges, those at the far sides with the sign of an odd frequency. */
static const int8_t kEdge[8] = {6, 8, 7, 7, 6, 4, 3, 2};
static const int8_t kFarEdge[8] = {6, -8, 7, -7, 6, -4, 3, -2};

size_t gws_mve_size(uint32_t blocks) {
  const size_t pitch = (size_t)blocks + 2u;
  return sizeof(gws_mve_block) + pitch * (4u * GWS_MVE_EDGES + 8u + 2u * 8u) + 16u;
}

void gws_mve_place(gws_mve *m, void *memory, uint32_t blocks) {
  const size_t pitch = (size_t)blocks + 2u;
  m->block = (gws_mve_block *)memory;
  m->edges = (int8_t *)(m->block + 1);
  m->bottom = m->edges + pitch * 4u * GWS_MVE_EDGES;
  m->magnitude = (uint8_t *)(m->bottom + pitch * 8u);
}

/* Does an edge of this block ever leave a byte? */
GWS_SMALL GWS_APART static bool edges_fit(const uint8_t *b, uint32_t length) {
  const uint8_t *const stop = b + length;
  int16_t edge[4][8]; /* beyond 16 bits a byte has been left before */
  gws_mve_zero(edge, sizeof edge);
  uint32_t all = 0;
  while (b < stop) {
    const uint32_t head = *b;
    if (head >= 4u * 36u) break;
    int32_t value, magnitude;
    b = gws_take(b, head, &value, &magnitude);
    const uint32_t channel = gws_channel[head >> 2], u = channel >> 3, v = channel & 7u;
    edge[0][v] = (int16_t)(edge[0][v] + kEdge[u] * value);
    edge[1][v] = (int16_t)(edge[1][v] + kFarEdge[u] * value);
    edge[2][u] = (int16_t)(edge[2][u] + kEdge[v] * value);
    edge[3][u] = (int16_t)(edge[3][u] + kFarEdge[v] * value);
    all |= (uint32_t)(edge[0][v] + 128) | (uint32_t)(edge[1][v] + 128) |
           (uint32_t)(edge[2][u] + 128) | (uint32_t)(edge[3][u] + 128);
  }
  return all < 256u;
}

/* A byte holds every edge whose symbols' magnitudes sum up to 15. */
static bool all_fit(const gws_bands *s) {
  const uint32_t stride = 5u * s->pitch;
  for (uint32_t i = 0; i < stride; i += 16u) {
    const mve_pred16_t there = vctp8q(stride - i);
    uint8x16_t sum = vdupq_n_u8(0);
    for (uint32_t b = 0; b < s->window; ++b)
      sum = vqaddq_u8(sum, vldrbq_z_u8(s->own_sums + b * stride + i, there));
    for (uint32_t large = vcmphiq_n_u8(sum, 15); large != 0u; large &= large - 1u) {
      const uint32_t at = i + (uint32_t)__builtin_ctz(large), row = at / s->pitch,
                     x = at % s->pitch - 1u;
      if (!edges_fit(s->e->symbols + s->place[at].offset,
                     s->e->length[(row * s->planes + s->plane) * s->blocks + x]))
        return false;
    }
  }
  return true;
}

void gws_mve_start_plane(const gws_bands *s) {
  gws_mve *const m = s->mve;
  const size_t pitch = (size_t)s->blocks + 2u;
  m->heard = m->heard_bands = 0;
  /* So that edges of frequency 0, which have DC in them, never leave 16 bits. */
  m->bands = s->e->q.step >= 64u && all_fit(s) ? s->window : 0u;
  if (m->bands == 0u) return;
  gws_mve_zero(m->edges, pitch * (4u * GWS_MVE_EDGES + 8u));
  gws_mve_zero(m->block, sizeof *m->block);
  vstrhq_u16(m->block->lane, vidupq_n_u16(0, 1));
}

void gws_mve_start_band(const gws_bands *s, const gws_band_rule *r) {
  gws_mve *const m = s->mve;
  const uint32_t blocks = s->blocks, seen = r->seen, from = m->heard < seen ? m->heard : seen;
  /* Of bands: what `bottom` lacks, and this one. */
  const uint32_t wanted =
      (((2u << gws_band_of[seen / 4u - 1u]) - 1u) & ~((1u << m->heard_bands) - 1u)) | 1u << r->band;
  gws_mve_zero(m->magnitude, 2u * 8u * ((size_t)blocks + 2u));
  m->heard = seen;
  m->heard_bands = gws_band_of[seen / 4u - 1u] + 1u;
  if (s->e->first) return;
  const gws_place *place = s->place + 1;
  const uint8_t *const length = s->e->length + s->plane * blocks;
  uint32_t left = 0;
  for (uint32_t x = 0; x < blocks; ++x, ++place) {
    if ((place->mask & wanted) == 0u) continue;
    int8_t *const bottom = m->bottom + 8u * (x + 1u);
    uint8_t *const magnitudes = m->magnitude + 8u * (x + 1u);
    const uint8_t *b = s->e->symbols + place->offset, *const stop = b + length[x];
    do {
      const uint32_t head = *b;
      if (head >= seen) break;
      int32_t value, magnitude;
      b = gws_take(b, head, &value, &magnitude);
      if (head >= from) {
        const uint32_t channel = gws_channel[head >> 2];
        int8_t *const to = bottom + (7u - (channel >> 3));
        const int32_t edge = *to + kFarEdge[channel & 7u] * value;
        *to = (int8_t)edge;
        left |= (uint32_t)(edge + 128);
      }
      const uint32_t k = (head - r->from) >> 2;
      if (k < r->size) magnitudes[k] = (uint8_t)magnitude;
    } while (b < stop);
  }
  if (left > 255u) m->bands = 0; /* not a byte, as the layer has a band that was not looked at */
}

void gws_mve_code_blocks(const gws_bands *s, const gws_band_rule *r, uint32_t row) {
  gws *const e = s->e;
  gws_mve *const m = s->mve;
  const uint32_t blocks = s->blocks, cells = blocks / 4u, pitch = blocks + 2u, band = r->band;
  const uint32_t first = row * s->pitch + 1u, turn = 8u - r->size;
  int8_t *const edges = m->edges + ((row - 1u) * pitch + 1u) * GWS_MVE_EDGES;
  const row_rule at = {
      .e = e,
      .r = r,
      .work = m->block,
      .weights = (const uint8_t *)&gws_mve_rows[s->plane][band] + GWS_MVE_MIDDLE,
      .band = band,
      .lower = band >= 2u ? 3u << (band - 2u) : band,
      .place = s->place + first,
      .symbols = e->symbols,
      .length = e->length + (row * s->planes + s->plane) * blocks,
      .scale = s->scale,
      .dc = s->dc + first,
      .edges = edges,
      .magnitude = m->magnitude + ((row & 1u) * pitch + 1u) * 8u,
      .magnitude_above = m->magnitude + ((~row & 1u) * pitch + 1u) * 8u,
      .above = (row > 1u ? edges - pitch * GWS_MVE_EDGES + 24 : m->bottom + 8) + turn,
      .below = row < 4u ? edges + pitch * GWS_MVE_EDGES + 16 + turn : NULL,
      .above_size = row > 1u ? GWS_MVE_EDGES : 8u,
      .turn = turn,
      .lane = 3u << (2u * r->size - 2u),
      .up = -2 * (int32_t)s->pitch,
      .planes = s->plane > 0u ? s->work->lanes.sum : NULL};
  if (row > 1u) gws_mve_zero(at.magnitude, 8u * blocks);
  for (uint32_t cell = 0; cell < cells; ++cell) {
    for (uint32_t flags = s->set[cell]; flags != 0u; flags &= flags - 1u) {
      const uint32_t x = 4u * cell + (uint32_t)__builtin_ctz(flags);
      if (s->plane > 0u) gws_add_planes(s, r, at.length + x, at.symbols + at.place[x].offset);
      code_block(&at, x);
    }
  }
}
#endif
