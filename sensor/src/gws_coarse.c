/* Layers 0 and 1 of a row of cells, and the DC plane that follows from them; entropy.md section
 * 4.3. */
#include "gws_classes.h"

#if GWS_MVE
#include "gws_mve_coarse.h"
#include "gws_mve_coarse_ac.h"
#endif

/* Of the first coefficient of each cell. In the first row of cells what lies above is zeros. */
GWS_SMALL static void code_dc(gws *e, uint32_t plane) {
  const uint32_t cells = (uint32_t)e->cells, first = plane * cells;
  const gws_coarse_lane *const lane = gws_coarse + plane * 16u;
  const int16_t *const m = gws_coarse_dc_mean[plane];
  const uint8_t *const w = lane->weight;
  gws_coder *const c = &e->coder[0];
  const gws_kind kind = gws_kind_of(GWS_KIND_DC);
  const int16_t *q = e->coarse + first * 16u, *above = e->coarse_above + first * 16u;
  int8_t *residual = e->dc_residual + first;
  const int8_t *residual_above = e->dc_residual_above + first;
  for (uint32_t x = 0; x < cells; ++x, q += 16, above += 16, ++residual, ++residual_above) {
    const bool has_left = x > 0u, has_right = x + 1u < cells;
    int32_t mean = has_left ? q[-16] : above[0], sum = lane->bias + w[1] * residual_above[0];
    if (has_left) {
      if (!e->first)
        mean = (m[0] * mean + m[1] * above[0] + m[2] * above[-16] +
                m[3] * above[has_right ? 16 : 0] + 128) >>
               8;
      sum += w[0] * residual[-1] + w[2] * residual_above[-1];
    }
    if (has_right) sum += w[2] * residual_above[1];
    if (plane > 0u) sum += w[3] * e->dc_residual[x];
    if (plane > 1u) sum += w[4] * e->dc_residual[cells + x];
    const int32_t value = gws_clamp(q[0] - gws_clamp(mean, -16000, 16000), -32767, 32767);
    *e->decision_end++ = (uint16_t)(2u * (GWS_ZERO + GWS_KIND_DC * 60u) +
                                    3u * twice_class((uint32_t)sum) + (value != 0 ? 1u : 0u));
    if (value != 0) gws_nonzero_of(e, c, &kind, value, (uint32_t)sum, 0);
    if (e->decision_end > e->decision + GWS_DECISIONS - 32) gws_code(e, c);
    residual[0] = (int8_t)gws_magnitude(value);
  }
  gws_code(e, c);
}

#if !GWS_MVE
static uint32_t activity(const int16_t *q) {
  int32_t sum = 0;
  for (uint32_t i = 1; i < 16u; ++i) sum += gws_magnitude(q[i]);
  return (uint32_t)gws_min(sum, 255);
}

/* Apart: it is seldom needed. */
GWS_APART static int32_t limit13(int32_t v) { return gws_clamp(v, -8191, 8191); }

/* Of the other coefficients. */
GWS_SMALL static void code_ac(gws *e, uint32_t plane) {
  static const int16_t kNone[16] = {0};
  const uint32_t cells = (uint32_t)e->cells, first = plane * cells;
  const uint32_t kind = plane == 0u ? GWS_KIND_LUMA : GWS_KIND_CHROMA;
  gws_coder *const c = &e->coder[1];
  const gws_kind begin = gws_kind_of(kind);
  const uint32_t zero = 2u * (GWS_ZERO + kind * 60u);
  const uint8_t *const fw = gws_coarse_flag_weight[plane];
  const int16_t *q = e->coarse + first * 16u, *up = e->coarse_above + first * 16u;
  uint8_t *active = e->activity + first;
  for (uint32_t x = 0; x < cells; ++x, q += 16, up += 16, ++active) {
    const bool has_right = x + 1u < cells;
    const int16_t *left = q - 16, *up_left = up - 16, *up_right = up + 16;
    const int16_t *const luma = plane > 0u ? e->coarse + x * 16u : kNone;
    const int16_t *const other = plane > 1u ? e->coarse + (cells + x) * 16u : kNone;
    uint32_t sum = gws_coarse_flag_bias[plane];
    if (x > 0u) {
      sum += fw[0] * (uint32_t)active[-1];
    } else {
      left = up_left = kNone;
    }
    if (!has_right) up_right = kNone;
    if (!e->first) sum += fw[1] * (uint32_t)active[0];
    active[0] = (uint8_t)activity(q);
    if (plane > 0u) sum += fw[2] * (uint32_t)e->activity[x];
    if (plane > 1u) sum += fw[3] * (uint32_t)e->activity[cells + x];
    if (e->decision_end > e->decision + GWS_DECISIONS - 32) gws_code(e, c);
    const uint32_t twice = twice_class(sum), set = active[0] != 0u ? 1u : 0u;
    *e->decision_end++ =
        (uint16_t)(2u * (GWS_COARSE_FLAG + plane * 14u) + (twice < 26u ? twice : 26u) + set);
    if (set == 0u) continue;
    e->present |= 2u;
    const int32_t slope_x = limit13(q[x > 0u ? -16 : 0] - q[has_right ? 16 : 0]),
                  slope_y = e->first ? 0 : limit13(up[0] - q[0]);
    uint32_t context = zero + 2u;
    uint16_t *list = e->decision_end;
    const gws_coarse_lane *lane = gws_coarse + plane * 16u + 1u;
    for (uint32_t i = 1; i < 16u; ++i, ++lane) {
      const uint32_t k = gws_coarse_order[i];
      const int16_t *const wm = lane->mean;
      const uint8_t *const w = lane->weight;
      const int32_t value = q[k], l = left[k], u = up[k], corner = up_left[k],
                    other_corner = up_right[k];
      int32_t t = wm[0] * slope_x + wm[1] * slope_y + 512, s = lane->bias;
      if ((l | u) != 0) {
        s += w[0] * gws_magnitude(l) + w[1] * gws_magnitude(u);
        t += wm[2] * limit13(l) + wm[3] * limit13(u);
      }
      t >>= 10; /* the format limits it to 4095, which only this sum can tell */
      s += w[5] * gws_min(gws_abs(t) >> 4, 4095 >> 4);
      if ((corner | other_corner) != 0)
        s += w[2] * (gws_magnitude(corner) + gws_magnitude(other_corner));
      if (plane > 0u) s += w[3] * gws_magnitude(luma[k]) + w[4] * gws_magnitude(other[k]);
      if (context == zero || i < 15u) {
        const uint32_t decision = context + 3u * twice_class((uint32_t)s) + (value != 0 ? 1u : 0u);
        *list++ = (uint16_t)decision;
        if (value == 0) continue;
      }
      context = zero;
      e->decision_end = list;
      gws_value(e, c, &begin, value, (uint32_t)s, t);
      list = e->decision_end;
    }
    e->decision_end = list;
  }
  gws_code(e, c);
}
#endif

void gws_code_coarse(gws *e) {
  const uint32_t planes = (uint32_t)e->planes;
  for (uint32_t i = 0; i < planes * (uint32_t)e->cells; ++i) {
    if (e->coarse[16u * i] != 0) e->present |= 1u;
  }
  for (uint32_t p = 0; p < planes && e->live_layers > 0; ++p) code_dc(e, p);
  for (uint32_t p = 0; p < planes && e->live_layers > 1; ++p) code_ac(e, p);
}

#if GWS_MVE
void gws_reconstruct_dc(const gws *e, uint32_t plane, int16_t *dc, uint32_t pitch) {
  const uint32_t cells = (uint32_t)e->cells;
  const int16_t *q = e->coarse + plane * cells * 16u;
  for (uint32_t cell = 0; cell < cells; ++cell, q += 16)
    gws_mve_reconstruct_cell(q, (int32_t)e->q.step, dc + pitch + 1u + 4u * cell, pitch);
}
#else
static inline int16_t sat16(int32_t v) {
#if defined(__ARM_FEATURE_SAT) && !defined(GWS_PORTABLE)
  __asm__("ssat %0, #16, %0" : "+r"(v));
  return (int16_t)v;
#else
  return (int16_t)gws_clamp(v, -32768, 32767);
#endif
}

/* Four outputs of the inverse matrix, 2^-16 of the product; its rows are mirrored. Products have up
 * to 42 bits. */
GWS_APART static void inverse_four(const int32_t *in, uint32_t stride, int32_t *out) {
  const int16_t *m = gws_coarse_inverse;
  const int32_t a = in[0], b = in[stride], c = in[2u * stride], d = in[3u * stride];
  const int64_t half = 1 << 15;
  for (uint32_t k = 0; k < 2u; ++k, m += 4) {
    const int64_t even = half + (int64_t)m[0] * a + (int64_t)m[2] * c,
                  odd = (int64_t)m[1] * b + (int64_t)m[3] * d;
    out[k * stride] = (int32_t)((even + odd) >> 16);
    out[(3u - k) * stride] = (int32_t)((even - odd) >> 16);
  }
}

/* Four rows of a plane with a border, from `dc` + pitch on; image.md section 4. */
GWS_FAST void gws_reconstruct_dc(const gws *e, uint32_t plane, int16_t *dc, uint32_t pitch) {
  const int32_t step = (int32_t)e->q.step; /* below 2^16 */
  const uint32_t cells = (uint32_t)e->cells;
  const int16_t *q = e->coarse + plane * cells * 16u;
  const uint8_t *const active = e->activity + plane * cells;
  int16_t *out = dc + pitch + 1u;
  for (uint32_t cell = 0; cell < cells; ++cell, q += 16, out += 4) {
    int32_t value[16]; /* [u][v], f=8 */
    int32_t half[16];  /* [x][v]: below 2^25, as rows of the matrix sum up to 33000 at most */
    int32_t column[4];
    for (uint32_t i = 0; i < 16u; ++i) {
      const int32_t v = q[i];
      value[i] = v == 0 ? 0 : 4 * gws_clamp(v * step, -(1 << 23), 1 << 23);
    }
    /* Where nothing but the first is not 0, all are the same. */
    const uint32_t columns = active[cell] != 0u ? 4u : 1u;
    for (uint32_t v = 0; v < columns; ++v) inverse_four(value + v, 4, half + v);
    if (columns == 1u) value[0] = half[0];
    for (uint32_t x = 0; x < 4u; ++x) {
      if (x < columns) inverse_four(columns == 1u ? value : half + 4u * x, 1, column);
      for (uint32_t y = 0; y < 4u; ++y) out[y * pitch + x] = sat16(column[y]);
    }
  }
}
#endif
