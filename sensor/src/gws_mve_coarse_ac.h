/* gws_mve_coarse_ac.h: layer 1 of a row of cells with the vectors of a Cortex-M55, the fifteen
 * coefficients of a cell at once. Cells hold them in the order of coding. */
#ifndef GWS_MVE_COARSE_AC_H
#define GWS_MVE_COARSE_AC_H

#include "gws_classes.h"
#include "gws_mve_list.h"

/* Of the cell that is coded. */
typedef struct {
  const int16_t *here, *left, *up, *up_left, *up_right, *luma, *other; /* symbols; zeros */
  int32_t slope_x, slope_y;
  uint16_t decision[32]; /* are they zero? */
  uint32_t pair[16];
  uint16_t sum[16];
  int16_t t[16];
} coarse_cell;

static inline uint16x8_t magnitudes(const int16_t *q) {
  const uint16x8_t size = vreinterpretq_u16_s16(vqabsq_s16(vldrhq_s16(q)));
  return vminq_u16(size, vdupq_n_u16(127));
}

typedef struct {
  int32x4_t even, odd;
} mean_sums;
static inline mean_sums add_mean(mean_sums sum, int16x8_t a, const int16_t *weight) {
  const int16x8_t w = vldrhq_s16(weight);
  sum.even = vaddq_s32(sum.even, vmullbq_int_s16(a, w));
  sum.odd = vaddq_s32(sum.odd, vmulltq_int_s16(a, w));
  return sum;
}
static inline int16x8_t limited13(const int16_t *q) {
  return vmaxq_s16(vminq_s16(vldrhq_s16(q), vdupq_n_s16(8191)), vdupq_n_s16(-8191));
}
static inline uint16x8_t add_weighed(uint16x8_t sum, uint16x8_t a, const uint8_t *weight) {
  return vqaddq_u16(sum, vmulq_u16(a, vldrbq_u16(weight)));
}

/* Eight coefficients from `i` on. */
static inline void weigh_coarse(coarse_cell *c, const gws_mve_coarse_lanes *w, uint32_t plane,
                                uint32_t i, uint32_t first, uint32_t zero, const gws_kind *kind,
                                uint16_t *list) {
  const int16x8_t value = vldrhq_s16(c->here + i);
  mean_sums sums = {vdupq_n_s32(0), vdupq_n_s32(0)};
  sums = add_mean(sums, vdupq_n_s16((int16_t)c->slope_x), w->mean[0] + i);
  sums = add_mean(sums, vdupq_n_s16((int16_t)c->slope_y), w->mean[1] + i);
  sums = add_mean(sums, limited13(c->left + i), w->mean[2] + i);
  sums = add_mean(sums, limited13(c->up + i), w->mean[3] + i);
  /* The format limits it to 4095, which nothing that follows can tell from 32767. */
  const int16x8_t t =
      vqrshrntq_n_s32(vqrshrnbq_n_s32(vuninitializedq_s16(), sums.even, 10), sums.odd, 10);
  uint16x8_t sum = vldrhq_u16(w->bias + i);
  sum = add_weighed(sum, magnitudes(c->left + i), w->weight[0] + i);
  sum = add_weighed(sum, magnitudes(c->up + i), w->weight[1] + i);
  sum = add_weighed(sum, vaddq_u16(magnitudes(c->up_left + i), magnitudes(c->up_right + i)),
                    w->weight[2] + i);
  if (plane > 0u) sum = add_weighed(sum, magnitudes(c->luma + i), w->weight[3] + i);
  if (plane > 1u) sum = add_weighed(sum, magnitudes(c->other + i), w->weight[4] + i);
  const uint16x8_t size = vshrq_n_u16(vreinterpretq_u16_s16(vqabsq_s16(t)), 4);
  sum = add_weighed(sum, vminq_u16(size, vdupq_n_u16(255)), w->weight[5] + i);
  vstrhq_u16(c->sum + i, sum);
  const uint16x8_t scale = gws_mve_classes(sum, 25);
  const uint16x8_t decisions = gws_mve_zeros(scale, value, vidupq_n_u16(i, 1), first, zero);
  vstrhq_u16(list + i, decisions);
  vstrhq_u16(c->decision + i, decisions);
  gws_mve_pairs(scale, value, t, kind, c->pair + i);
  vstrhq_s16(c->t + i, t);
}

/* The cell's coefficients, of which `set` has a bit each where they are not 0, from `list` on,
 * which is where DC would be. Room for 64 decisions is there. */
static inline void list_coarse(gws *e, gws_coder *coder, coarse_cell *c, uint32_t plane,
                               uint32_t set, uint32_t zero, const gws_kind *kind, uint16_t *list) {
  uint32_t k = (uint32_t)__builtin_ctz(set);
  const gws_mve_coarse_lanes *const w = &gws_mve_coarse[plane];
  const uint16_t flag = *list;
  weigh_coarse(c, w, plane, 0, k, zero, kind, list);
  weigh_coarse(c, w, plane, 8, k, zero, kind, list);
  *list = flag;
  if (k == 15u) --list; /* the last one is not zero if no other is */
  for (;; k = (uint32_t)__builtin_ctz(set)) {
    list += k + 1u;
    const uint32_t pair = c->pair[k];
    if ((pair & GWS_MVE_LARGE) == 0u) {
      __builtin_memcpy(list, &pair, 4);
      list += 2;
    } else {
      e->decision_end = list;
      gws_nonzero_of(e, coder, kind, c->here[k], c->sum[k], c->t[k]);
      if (e->decision_end > e->decision + GWS_DECISIONS - 64) gws_code(e, coder);
      list = e->decision_end;
    }
    vstrhq_u16(list, vldrhq_u16(c->decision + k + 1u));
    vstrhq_u16(list + 8, vldrhq_u16(c->decision + k + 9u));
    list -= k + 1u;
    set &= set - 1u;
    if (set == 0u) break;
  }
  e->decision_end = list + 16;
}

static void code_ac(gws *e, uint32_t plane) {
  static const int16_t kNone[16] = {0};
  static const uint16_t kBit[16] = {0,   2,   4,    8,    16,   32,   64,    128,
                                    256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  const uint32_t cells = (uint32_t)e->cells;
  const uint32_t kind = plane == 0u ? GWS_KIND_LUMA : GWS_KIND_CHROMA;
  gws_coder *const coder = &e->coder[1];
  const gws_kind begin = gws_kind_of(kind);
  const uint8_t *const fw = gws_coarse_flag_weight[plane];
  coarse_cell c;
  for (uint32_t x = 0; x < cells; ++x) {
    const int16_t *const q = e->coarse + (plane * cells + x) * 16u;
    const int16_t *const over = e->coarse_above + (plane * cells + x) * 16u;
    const bool has_right = x + 1u < cells, has_above = !e->first;
    uint32_t sum = gws_coarse_flag_bias[plane];
    uint8_t *const active = e->activity + plane * cells + x;
    if (x > 0u) sum += fw[0] * (uint32_t)active[-1];
    if (has_above) sum += fw[1] * (uint32_t)active[0];
    const uint16x8_t low = vsetq_lane_u16(0, magnitudes(q), 0), high = magnitudes(q + 8);
    const uint32_t activity = vaddvaq_u16(vaddvq_u16(low), high);
    active[0] = (uint8_t)(activity < 255u ? activity : 255u);
    if (plane > 0u) sum += fw[2] * (uint32_t)e->activity[x];
    if (plane > 1u) sum += fw[3] * (uint32_t)e->activity[cells + x];
    if (e->decision_end > e->decision + GWS_DECISIONS - 64) gws_code(e, coder);
    const uint32_t twice = twice_class(sum);
    uint16_t *const list = e->decision_end;
    *list = (uint16_t)(2u * (GWS_COARSE_FLAG + plane * 14u) + (twice < 26u ? twice : 26u) +
                       (activity != 0u ? 1u : 0u));
    e->decision_end = list + 1;
    if (activity == 0u) continue;
    e->present |= 2u;
    const uint16x8_t one = vdupq_n_u16(1);
    const uint32_t set =
        (uint32_t)vmladavaq_u16(vmladavq_u16(vminq_u16(low, one), vldrhq_u16(kBit)),
                                vminq_u16(high, one), vldrhq_u16(kBit + 8));
    c.here = q;
    c.left = x > 0u ? q - 16 : kNone;
    c.up = has_above ? over : kNone;
    c.up_left = has_above && x > 0u ? over - 16 : kNone;
    c.up_right = has_above && has_right ? over + 16 : kNone;
    c.luma = e->coarse + x * 16u;
    c.other = e->coarse + (cells + x) * 16u;
    c.slope_x = gws_clamp(q[x > 0u ? -16 : 0] - q[has_right ? 16 : 0], -8191, 8191);
    c.slope_y = has_above ? gws_clamp(over[0] - q[0], -8191, 8191) : 0;
    list_coarse(e, coder, &c, plane, set, 2u * (GWS_ZERO + kind * 60u), &begin, list);
  }
  gws_code(e, coder);
}

#endif
