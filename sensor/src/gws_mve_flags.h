/* gws_mve_flags.h: which cells and blocks have symbols of a band, eight at a time. A generated
 * check (gen/make_tables.cc) proves that no sum leaves 16 bits. */
#ifndef GWS_MVE_FLAGS_H
#define GWS_MVE_FLAGS_H

#include "gws_kernels_bands.h"
#include "gws_mve_list.h"

/* Decisions of sums, of classes up to `most`. */
static inline uint16x8_t class_decisions(uint16x8_t sum, uint16x8_t bit, uint32_t base,
                                         uint32_t most) {
  return vaddq_n_u16(vmlaq_n_u16(bit, gws_mve_classes(sum, most), 2), (uint16_t)base);
}

/* What is here and around. */
static inline uint16x8_t add_eight(uint16x8_t sum, const uint8_t *a, uint32_t pitch, uint32_t below,
                                   const uint8_t *w) {
  const uint16x8_t beside = vaddq_u16(vldrbq_u16(a - 1), vldrbq_u16(a + 1)),
                   over = vaddq_u16(vldrbq_u16(a - pitch), vldrbq_u16(a + below));
  sum = vmlaq_n_u16(sum, vldrbq_u16(a), w[0]);
  return vmlaq_n_u16(sum, vaddq_u16(beside, over), w[1]);
}

/* The flags of two cells in a row of blocks, and what they expected. */
static inline uint32_t weigh_eight(const gws_bands *s, const flag_rule *f, uint32_t x, uint32_t at,
                                   uint32_t below, uint16x8_t *decisions) {
  static const uint16_t kMask[8] = {0, 4, 8, 12, 16, 20, 24, 28}; /* of places */
  static const uint16_t kBit[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint8_t *const w = f->weight, *const above = f->own + at - s->pitch;
  const uint16_t *const mask = &s->place[at].mask;
  const uint16x8_t place = vldrhq_u16(kMask);
  const int32_t back = -(int32_t)f->band;
  const uint16x8_t one = vdupq_n_u16(1);
  const uint16x8_t left =
                       vandq_u16(vshlq_r_u16(vldrhq_gather_offset_u16(mask - 2, place), back), one),
                   flag = vandq_u16(vshlq_r_u16(vldrhq_gather_offset_u16(mask, place), back), one);
  uint16x8_t sum = vmlaq_n_u16(vdupq_n_u16((uint16_t)f->bias), left, (uint16_t)(8u * w[0]));
  if (f->band == 0u) {
    static const uint16_t kCell[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    sum = vmlaq_n_u16(sum, vldrbq_gather_offset_u16(f->activity + x, vldrhq_u16(kCell)), w[5]);
  }
  sum = vmlaq_n_u16(sum, vldrbq_u16(above), w[1]);
  sum = vmlaq_n_u16(sum, vaddq_u16(vldrbq_u16(above - 1), vldrbq_u16(above + 1)), w[2]);
  GWS_UNROLL(3)
  for (uint32_t i = 0; i < 3u; ++i) {
    if (f->around[i] != NULL)
      sum = add_eight(sum, f->around[i] + at, s->pitch, below, w + 3u + 2u * i);
  }
  if (f->other != NULL) sum = vmlaq_n_u16(sum, vldrbq_u16(f->other + at), w[9]);
  uint16x8_t scale = vshrq_n_u16(sum, 4);
  __asm__("vmov.i16 q2, #127\n\tvmin.u16 %q0, %q0, q2" : "+w"(scale) : : "q2");
  vstrbq_u16(s->scale + 4u * x, scale);
  *decisions = class_decisions(sum, flag, f->base, 19);
  return vmladavq_u16(flag, vldrhq_u16(kBit));
}

/* The flags of a row of blocks, of those cells that have any. */
GWS_APART static void code_flags(gws_bands *s, gws_coder *c, const flag_rule *f, uint32_t row) {
  static const uint8_t kBits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
  gws *const e = s->e;
  const uint32_t cells = s->blocks / 4u, below = row < 4u ? s->pitch : 0u;
  const uint16_t *const masks = f->cells;
  uint32_t at = row * s->pitch + 1u;
  for (uint32_t x = 0; x < cells; x += 2u, at += 8u) {
    const bool two = x + 1u < cells;
    const uint32_t has = ((uint32_t)masks[x] >> f->band & 1u) |
                         (two ? ((uint32_t)masks[x + 1u] >> f->band & 1u) << 1 : 0u);
    uint32_t set = 0;
    if (has != 0u) {
      uint16x8_t decisions;
      set = weigh_eight(s, f, x, at, below, &decisions);
      uint16_t *const list = e->decision_end;
      if (has != 2u) {
        vstrhq_u16(list, decisions);
      } else {
        const uint64_t high = vgetq_lane_u64(vreinterpretq_u64_u16(decisions), 1);
        __builtin_memcpy(list, &high, 8);
      }
      e->decision_end = list + (has == 3u ? 8 : 4);
      if (list + 16 > e->decision + GWS_DECISIONS) gws_code(e, c);
      if ((has & 1u) == 0u) set &= 0xf0u;
      if ((has & 2u) == 0u) set &= 0x0fu;
      uint8_t *const count = f->count + x;
      count[0] = (uint8_t)(count[0] + kBits[set & 15u]);
      if (two) count[1] = (uint8_t)(count[1] + kBits[set >> 4]);
    }
    s->set[x] = (uint8_t)(set & 15u);
    if (two) s->set[x + 1u] = (uint8_t)(set >> 4);
  }
  if (e->decision_end > e->decision + GWS_DECISIONS - 32) gws_code(e, c);
}

/* A bit per cell, has it any of this band; says whether one has. */
GWS_APART static bool code_cells(gws_bands *s, gws_coder *c, uint32_t band) {
  gws *const e = s->e;
  const uint32_t plane = s->plane, cells = s->blocks / 4u, group = plane * 9u + band;
  uint8_t *const count = e->count + group * cells;
  const uint8_t *const luma = e->count + band * cells, *const other = luma + 9u * cells;
  const uint8_t *const lower = band > 0u ? count - cells : e->activity + plane * cells;
  const uint16_t *const mask = s->cell_mask + plane * cells;
  const uint8_t *const w = gws_cell_weight[group];
  const int32_t back = -(int32_t)band;
  const uint16x8_t one = vdupq_n_u16(1);
  uint32_t any = 0;
  for (uint32_t x = 0; x < cells; x += 8u) {
    const mve_pred16_t here = vctp16q(cells - x),
                       before = x > 0u ? here : (mve_pred16_t)(here & 0xfffcu),
                       after = vctp16q(cells - x - 1u);
    const uint16x8_t bit = vandq_u16(vshlq_r_u16(vldrhq_z_u16(mask + x, here), back), one);
    const uint16x8_t left = vandq_u16(vshlq_r_u16(vldrhq_z_u16(mask + x - 1, before), back), one);
    uint16x8_t sum = vmlaq_n_u16(vdupq_n_u16(gws_cell_bias[group]), left, (uint16_t)(8u * w[0]));
    sum = vmlaq_n_u16(sum, vldrbq_z_u16(lower + x, here), w[3]);
    sum = vmlaq_n_u16(sum, vldrbq_z_u16(count + x, here), w[1]);
    sum = vmlaq_n_u16(
        sum, vaddq_u16(vldrbq_z_u16(count + x - 1, before), vldrbq_z_u16(count + x + 1, after)),
        w[2]);
    if (plane > 0u) sum = vmlaq_n_u16(sum, vldrbq_z_u16(luma + x, here), w[4]);
    if (plane > 1u) sum = vmlaq_n_u16(sum, vldrbq_z_u16(other + x, here), w[5]);
    const uint16x8_t decisions = class_decisions(sum, bit, 2u * (GWS_CELLS + group * 14u), 13);
    any += vaddvq_u16(bit);
    uint16_t *const list = e->decision_end;
    vstrhq_u16(list, decisions);
    e->decision_end = list + (cells - x < 8u ? cells - x : 8u);
    if (list + 16 > e->decision + GWS_DECISIONS) gws_code(e, c);
  }
  for (uint32_t x = 0; x < cells; x += 16u)
    vstrbq_p_u8(count + x, vdupq_n_u8(0), vctp8q(cells - x)); /* from here on of this row */
  if (any == 0u) gws_code(e, c);
  return any != 0u;
}

#endif
