/* Layers 2 and up of a row of cells: what there is, which cells and blocks have it. */
#include "gws_bands.h"

#include "gws_kernels_bands.h"
#include "gws_mve_blocks.h"
#if GWS_MVE
#include "gws_mve_flags.h"
#include "gws_mve_memory.h"
#endif

/* Sums are kept of seven bands of plane 0, then of three of plane 0, three of the plane that is
 * coded and one of plane 1. */
#if GWS_MVE /* seven of plane 0 all the time; its last ones or six of another, one of plane 1 */
#define SUMS 14u
#define WINDOW 6u
#else
#define SUMS 7u
#define WINDOW 3u
#endif
#define LUMA (SUMS - WINDOW - 1u) /* of plane 0 once another is coded */

/* A border on each side, and whole words. */
static uint32_t pitch_of(uint32_t blocks) { return (blocks + 2u + 3u) & ~3u; }

/* Of what flags expected, of whole cells, or of two together. */
static uint32_t scales_of(uint32_t blocks) { return GWS_MVE ? (blocks + 7u) & ~7u : blocks; }

GWS_SMALL size_t gws_scratch_size(uint32_t blocks, uint32_t planes) {
  const size_t pitch = pitch_of(blocks), cells = blocks / 4u;
  size_t coding = sizeof(gws_block_work) + (5u + 5u + 6u) * 2u * pitch + (1u + SUMS) * 5u * pitch +
                  scales_of(blocks) + 2u * planes * cells + cells;
#if GWS_MVE
  coding = ((coding + 7u) & ~(size_t)7u) + gws_mve_size(blocks);
#endif
  const size_t analysis = sizeof(int16_t) * GWS_BLOCK_SCRATCH;
  return coding > analysis ? coding : analysis;
}

/* `count` is a multiple of 4. */
#if GWS_MVE
static void fill(uint8_t *to, uint32_t count) { gws_mve_zero(to, count); }
#else
GWS_APART static void fill(uint8_t *to, uint32_t count) {
  gws_word32 *const words = (gws_word32 *)__builtin_assume_aligned(to, 4);
  GWS_UNROLL(8)
  for (uint32_t i = 0; i < count / 4u; ++i) words[i] = 0;
}
#endif

/* Where each block's symbols are. */
GWS_SMALL GWS_APART static void find_symbols(gws_bands *s) {
  const gws *const e = s->e;
  const uint32_t blocks = s->blocks, planes = s->planes;
  const uint8_t *length = e->length;
  uint32_t at = 0;
  for (uint32_t y = 0; y < 5u; ++y, length += planes * blocks) {
    gws_place *const place = s->place + y * s->pitch + 1u;
    (place - 1)->mask = place[blocks].mask = 0;
    for (uint32_t x = 0; x < blocks; ++x) {
      place[x].offset = (uint16_t)at;
      at += length[x];
      if (planes > 1u) at += (uint32_t)length[x + blocks] + length[x + 2u * blocks];
    }
  }
}

/* Bands from `low` on, `count` of them; symbols that lie in none of more are not looked at. Sums of
 * one band lie `stride` after those of the one before. */
typedef struct {
  uint32_t low, count, end, stride;
} bands_from;

static bands_from bands_of(const gws_bands *s, uint32_t low, uint32_t count) {
  const uint32_t last = low + count < 9u ? low + count : 9u;
  const bands_from b = {low, count, 4u * gws_band_first[last], 5u * s->pitch};
  return b;
}

/* Adds a block's magnitudes up to sums of at most 255, of which the first is at `sum`. Returns a
 * bit per band that there is, up to the last that is looked at. */
GWS_APART static uint32_t add_symbols(const uint8_t *b, uint32_t length, const bands_from *bands,
                                      uint8_t *sum) {
  const uint8_t *const stop = b + length;
  const uint32_t low = bands->low, count = bands->count, end = bands->end, stride = bands->stride;
  uint32_t mask = 0;
  do {
    const uint32_t head = *b;
    if (head >= end) break;
    const uint32_t band = gws_band_of[head >> 2];
    int32_t value, magnitude;
    b = gws_take(b, head, &value, &magnitude);
    mask |= 1u << band;
    if (band - low < count) {
      uint8_t *const here = sum + (band - low) * stride;
      *here = (uint8_t)gws_min(*here + magnitude, 255);
    }
  } while (b < stop);
  return mask;
}

/* May a cell of plane `p` lie beside one of the plane that is coded that has the band? */
static bool may_matter(const gws_bands *s, uint32_t p, uint32_t band, uint32_t x, uint32_t y) {
  const uint32_t cells = s->blocks / 4u, cell = x / 4u;
  const uint16_t *const mask = s->cell_mask + s->plane * cells + cell;
  uint32_t near = mask[0];
  if (cell > 0u) near |= *(mask - 1);
  if (cell + 1u < cells) near |= mask[1];
  if (y > 0u) near &= s->cell_mask[p * cells + cell];
  return (near >> band & 1u) != 0u;
}

/* What there is of the plane that is coded next, and the sums of its first `count` bands. */
GWS_FAST GWS_APART static void survey(gws_bands *s, uint32_t count, uint8_t *to) {
  const gws *const e = s->e;
  const uint32_t blocks = s->blocks, pitch = s->pitch;
  bands_from bands = bands_of(s, 0, count);
  bands.end = 256;
  fill(to, count * bands.stride);
  uint16_t *const cell_mask = s->cell_mask + s->plane * (blocks / 4u);
  for (uint32_t i = 0; i < blocks / 4u; ++i) cell_mask[i] = 0;
  for (uint32_t y = 0; y < 5u; ++y) {
    const uint8_t *const length = e->length + (y * s->planes + s->plane) * blocks;
    gws_place *place = s->place + y * pitch + 1u;
    uint8_t *sum = to + y * pitch + 1u;
    for (uint32_t x = 0; x < blocks; x += 4u, place += 4, sum += 4) {
      place[0].mask = place[1].mask = place[2].mask = place[3].mask = 0;
      uint32_t sizes = word(length + x), any = 0;
      for (uint32_t k = 0; sizes != 0u; ++k, sizes >>= 8) {
        if ((sizes & 255u) == 0u) continue;
        const uint32_t mask =
            add_symbols(e->symbols + place[k].offset, sizes & 255u, &bands, sum + k);
        place[k].mask = (uint16_t)mask;
        any |= mask;
      }
      s->used |= any;
      if (y > 0u) cell_mask[x / 4u] |= (uint16_t)any;
    }
  }
}

/* Sums of `count` bands from `low` on, of plane `p`: more of the plane that is coded; or of one
 * before what may lie beside a cell that has the band. */
GWS_FAST GWS_APART static void survey_more(const gws_bands *s, uint32_t p, uint32_t low,
                                           uint32_t count, uint8_t *to) {
  const gws *const e = s->e;
  const uint32_t blocks = s->blocks, pitch = s->pitch;
  const bands_from bands = bands_of(s, low, count);
  fill(to, count * bands.stride);
  for (uint32_t y = 0; y < 5u; ++y) {
    const uint8_t *const length = e->length + (y * s->planes + p) * blocks;
    for (uint32_t x = 0; x < blocks; x += 4u) {
      uint32_t sizes = word(length + x);
      if (sizes == 0u || (p != s->plane && !may_matter(s, p, low, x, y))) continue;
      const gws_place *place = s->place + y * pitch + 1u + x;
      uint8_t *sum = to + y * pitch + 1u + x;
      const uint8_t *l = length + x;
      for (; sizes != 0u; ++place, ++sum, ++l, sizes >>= 8) {
        if ((sizes & 255u) == 0u) continue;
        if (p == s->plane && place->mask >> low == 0u) continue;
        const uint8_t *b = e->symbols + place->offset;
        for (uint32_t q = p; q < s->plane; ++q) b -= l[(q - p) * blocks];
        (void)add_symbols(b, sizes & 255u, &bands, sum);
      }
    }
  }
}

/* From the plane before to the next, in each block. */
static void next_plane(gws_bands *s, uint32_t plane) {
  const uint32_t blocks = s->blocks;
  for (uint32_t y = 0; y < 5u; ++y) {
    const uint8_t *const length = s->e->length + (y * s->planes + plane - 1u) * blocks;
    gws_place *const place = s->place + y * s->pitch + 1u;
    for (uint32_t x = 0; x < blocks; x += 4u) {
      if (word(length + x) == 0u) continue;
      for (uint32_t k = x; k < x + 4u; ++k)
        place[k].offset = (uint16_t)(place[k].offset + length[k]);
    }
  }
}

/* ------------------------------------------------------------------------ DC */

GWS_APART static void start_plane(gws_bands *s, uint32_t plane) {
  gws *const e = s->e;
  const uint32_t pitch = s->pitch, blocks = s->blocks;
  int16_t *const dc = s->dc;
  uint8_t *const kept = e->gradient_above + plane * blocks;
  int16_t *const dc_above = e->dc_above + plane * blocks;
  s->plane = plane;
  if (plane == 1u) s->luma_low = GWS_MVE ? 0u : s->low;
  s->low = 0;
  s->window = plane > 0u ? WINDOW : 7u;
  s->own_sums = s->sums + (plane > 0u ? LUMA * 5u * pitch : 0u);
  s->used = 0;
  if (plane > 0u) next_plane(s, plane);
  survey(s, s->window, s->own_sums);
  gws_reconstruct_dc(e, plane, dc, pitch);
#if GWS_MVE
  gws_mve_copy(dc + 1, e->first ? dc + pitch + 1 : dc_above, 2u * blocks);
  gws_mve_copy(dc + 5u * pitch + 1u, dc + 4u * pitch + 1u, 2u * blocks);
  gws_mve_copy(s->gradient + 1, kept, blocks);
#else
  for (uint32_t x = 0; x < blocks; ++x) {
    dc[1u + x] = e->first ? dc[pitch + 1u + x] : dc_above[x];
    dc[5u * pitch + 1u + x] = dc[4u * pitch + 1u + x];
  }
  for (uint32_t x = 0; x < blocks; ++x) s->gradient[1u + x] = kept[x];
#endif
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
#if GWS_MVE
  gws_mve_copy(kept, s->gradient + 4u * pitch + 1u, blocks);
  gws_mve_copy(dc_above, dc + 4u * pitch + 1u, 2u * blocks);
#else
  for (uint32_t x = 0; x < blocks; ++x) {
    kept[x] = s->gradient[4u * pitch + 1u + x];
    dc_above[x] = dc[4u * pitch + 1u + x];
  }
#endif
  if (s->used == 0u) return;
  /* From here on its edges stand for DC. */
  if (e->first) fill((uint8_t *)dc, 2u * pitch);
  for (uint32_t row = e->first ? 1u : 0u; row <= 4u; ++row)
    edge_row(&e->q, dc + row * pitch, blocks);
#if GWS_MVE
  gws_mve_start_plane(s);
#endif
}

/* ------------------------------------------------------------------------ flags */

#if !GWS_MVE
/* The flags of a row of blocks, four of a cell at a time. */
GWS_APART static void code_flags(gws_bands *s, gws_coder *c, const flag_rule *f, uint32_t row) {
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
      set = code_four(f, start, at, s->pitch, below, s->place + at, list, s->scale + 4u * x);
      e->decision_end = list + 4;
      f->count[x] = (uint8_t)(f->count[x] + (kBits[set]));
      if (list + 8 > e->decision + GWS_DECISIONS) gws_code(e, c);
    }
    s->set[x] = (uint8_t)set;
  }
  gws_code(e, c);
}

/* A bit per cell, has it any of this band; says whether one has. */
GWS_FAST GWS_APART static bool code_cells(gws_bands *s, gws_coder *c, uint32_t band) {
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
#endif

/* The sums of `band`, or null. */
static const uint8_t *sums_of(const gws_bands *s, uint32_t band) {
  return s->own_sums + (band - s->low) * 5u * s->pitch;
}

GWS_APART static void code_group(gws_bands *s, uint32_t band) {
  gws *const e = s->e;
  const uint32_t plane = s->plane, layer = gws_layer_of(plane, band);
  gws_coder *const c = &e->coder[layer];
  if (!code_cells(s, c, band)) return;
  const uint32_t group = plane * 9u + band, cells = s->blocks / 4u, pitch = s->pitch;
  e->present |= (uint8_t)(1u << layer);
  if (band >= s->low + s->window) {
    s->low = band - 2u;
    if (GWS_MVE && plane == 0u) s->own_sums = s->sums + LUMA * 5u * pitch;
    survey_more(s, plane, s->low, s->window, s->own_sums);
  }
  /* Of planes that the model does not ask for there are no sums. */
  const uint8_t *const w = gws_flag_weight[group];
  const uint8_t *luma = NULL, *other = NULL;
  const uint8_t *lowest = NULL;
  if (band > 0u && (w[5] | w[6]) != 0) lowest = band > 1u ? sums_of(s, band - 2u) : s->gradient;
  if (plane > 0u && (w[7] | w[8]) != 0) {
    if (band - s->luma_low >= LUMA) { /* they are not kept, and are now those of a part */
      survey_more(s, 0, band, 1, s->sums);
      s->luma_low = 9;
      luma = s->sums;
    } else {
      luma = s->sums + (band - s->luma_low) * 5u * pitch;
    }
  }
  if (plane > 1u && w[9] != 0) {
    uint8_t *const to = s->sums + (SUMS - 1u) * 5u * pitch;
    survey_more(s, 1, band, 1, to);
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
  const gws_band_rule r = {.coder = c,
                           .lanes = gws_lanes + plane * 64u + gws_band_first[band],
                           .band = band,
                           .size = (uint32_t)gws_band_first[band + 1u] - gws_band_first[band],
                           .run = band < 7u   ? band + 2u
                                  : band < 8u ? 7u
                                              : 5u,
                           .from = 4u * gws_band_first[band],
                           .to = 4u * gws_band_first[band + 1u],
                           .lower = 4u * gws_band_first[band > 0u ? band - 1u : 0u],
                           .lowest = 4u * gws_band_first[band > 1u ? band - 2u : 0u],
                           .seen = 4u * gws_band_first[band + (more ? 2u : 1u)],
                           .kind = gws_kind_of(kind),
                           .zero = 2u * (GWS_ZERO + kind * 60u)};
#if GWS_MVE
  if (band < s->mve->bands) gws_mve_start_band(s, &r);
#endif
  for (uint32_t row = 1; row <= 4u; ++row) {
    code_flags(s, c, &f, row);
    gws_code_blocks(s, &r, row);
  }
  gws_code(e, c);
}

GWS_SMALL void gws_code_bands(gws *e) {
  gws_bands s;
  s.e = e;
  s.planes = (uint32_t)e->planes;
  s.blocks = (uint32_t)e->blocks;
  s.pitch = pitch_of(s.blocks);
  const uint32_t all = 5u * s.pitch;
  s.work = (gws_block_work *)(void *)e->scratch;
  s.place = (gws_place *)(void *)(s.work + 1);
  s.dc = (int16_t *)(void *)(s.place + all);
  s.gradient = (uint8_t *)(s.dc + 6u * s.pitch);
  s.sums = s.gradient + all;
  s.scale = s.sums + SUMS * all;
  s.cell_mask = (uint16_t *)(void *)(s.scale + scales_of(s.blocks));
  s.set = (uint8_t *)(s.cell_mask + s.planes * s.blocks / 4u);
#if GWS_MVE
  gws_mve mve;
  s.mve = &mve;
  gws_mve_place(
      &mve, (uint8_t *)e->scratch + gws_scratch_size(s.blocks, s.planes) - gws_mve_size(s.blocks),
      s.blocks);
#endif
  find_symbols(&s);
  for (uint32_t p = 0; p < s.planes; ++p) {
    start_plane(&s, p);
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->live_layers; ++b)
      code_group(&s, b);
  }
}
