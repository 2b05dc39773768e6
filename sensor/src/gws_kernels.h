/* gws_kernels.h: the loops over samples, for one target or another. All give the same numbers as
 * the portable ones. A generated check (gen/make_tables.cc) proves that no sum leaves 32 bits and
 * that nothing here needs saturation. */
#ifndef GWS_KERNELS_H
#define GWS_KERNELS_H

#include "gws_internal.h"
/* Provable zeros, which need no work. Let h~ be the rows of the first pass before rounding and a
 * the samples less their column's mean: rows 1 to 7 of the matrix sum up to 0 and are orthogonal
 * but for its entries' rounding, so their |h~|^2 sum up to |a|^2 / 16, within 2^-13 of it. Rounding
 * moves each |h| by sqrt(8) / 2 at most, as does taking half of twice h~ rounded down to a whole
 * number; 3 sqrt(e) <= e / 64 + 144. What is left once it is `rest` or less gives only rows of
 * zeros; see gws_prepare_quantiser(). */
#define GWS_MOST_CONTRAST 150000000 /* so that a sum of seven differences fits 16 bits */

static inline int32_t gws_rest_of(uint32_t variance) {
  return (int32_t)((variance >> 4) + (variance >> 17) + 2u);
}

/* A bound that is not known, or has become negative, is one as well. Eight rows may add 145 each.
 */
#define GWS_REST_UNKNOWN 0x7ffff000
static inline int32_t gws_rest_after(int32_t rest, uint32_t energy) {
  return rest + 145 - (int32_t)(energy - (energy >> 6));
}

/* What a block has: its DC, and the symbols that are not 0 by position, a bit each. */
typedef struct {
  const gws_quantiser *q;
  int16_t *value;
  uint32_t positions; /* those from here on are left out */
  int32_t dc;
  uint32_t low, high; /* positions below 32, and from there on */
} gws_found;

/* Quantises a coefficient, f=19, that does not become 0. */
static inline void gws_keep(gws_found *found, uint32_t v, uint32_t u, int32_t sum) {
  const gws_quantiser *const q = found->q;
  const uint32_t position = gws_position[8u * u + v];
  if (position >= found->positions) return;
  const int32_t c = sum >> 15;
  uint32_t magnitude = (uint32_t)gws_abs(c) + q->bias;
  if (magnitude > 65535u) magnitude = 65535u;
  const int32_t level = (int32_t)((magnitude * q->reciprocal >> 16) >> q->shift);
  found->value[position] = (int16_t)(c < 0 ? -level : level);
  if (position < 32u) {
    found->low |= 1u << position;
  } else {
    found->high |= 1u << (position - 32u);
  }
}

#if defined(__ARM_FEATURE_MVE) && !defined(GWS_PORTABLE)
#include "gws_kernels_mve.h"
#elif defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include "gws_kernels_dsp.h"
#else
#include "gws_kernels_portable.h"
#endif

#endif
