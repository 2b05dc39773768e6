/* gws_classes.h: classes of sums, as decisions count. */
#ifndef GWS_CLASSES_H
#define GWS_CLASSES_H

#include "gws_internal.h"

/* Twice the class, at most 19: of small sums from a table of every second. */
extern const uint8_t gws_twice[64];
uint32_t gws_large_class(uint32_t sum);
static inline uint32_t twice_class(uint32_t sum) {
  return sum < 128u ? gws_twice[sum >> 1] : gws_large_class(sum);
}

#if defined(__ARM_FEATURE_MVE) && !defined(GWS_PORTABLE)
#include <arm_mve.h>
/* Classes of four sums, at most 19; of those below 4 it is the half itself. */
static inline uint32x4_t gws_classes_of(uint32x4_t sum) {
  const uint32x4_t half = vshrq_n_u32(sum, 1), zeros = vclzq_u32(half);
  const uint32x4_t top = vshrq_n_u32(vshlq_u32(half, vreinterpretq_s32_u32(zeros)), 30);
  const uint32x4_t large = vmlaq_n_u32(vaddq_n_u32(top, 60), zeros, (uint32_t)-2);
  return vminq_u32(vpselq_u32(half, large, vcmpcsq_u32(vdupq_n_u32(1), half)), vdupq_n_u32(19));
}
#endif

/* Of |t| below 24: twice the level of a sign's context. */
extern const uint8_t gws_level[24];
static inline uint16_t gws_sign(const gws_kind *kind, int32_t value, int32_t t) {
  const uint32_t size = (uint32_t)gws_abs(t), level = size < 24u ? gws_level[size] : 10u;
  return (uint16_t)(kind->sign + level + ((uint32_t)(value ^ t) >> 31));
}

/* As gws_nonzero_of(), which most values, of magnitude 1, need no call of. */
static inline void gws_value(gws *e, gws_coder *c, const gws_kind *kind, int32_t value,
                             uint32_t sum, int32_t t) {
#ifndef __OPTIMIZE_SIZE__
  const uint32_t scale = gws_scale_class(sum);
  uint16_t *const list = e->decision_end;
  if ((uint32_t)(value + 1) <= 2u && scale <= 17u && list <= e->decision + GWS_DECISIONS - 32) {
    list[0] = gws_sign(kind, value, t);
    list[1] = (uint16_t)(kind->magnitude + (scale > 6u ? 12u * (scale - 6u) : 0u));
    e->decision_end = list + 2;
    return;
  }
#endif
  gws_nonzero_of(e, c, kind, value, sum, t);
}

#endif
