/* gws_kernels.h: the loops over samples, for one target or another. All give the same numbers as
 * the portable ones. A generated check (gen/make_tables.cc) proves that no sum leaves 32 bits and
 * that nothing here needs saturation. */
#ifndef GWS_KERNELS_H
#define GWS_KERNELS_H

#include "gws_internal.h"
/* Provable zeros, which need no work. Let h~ be the rows of the first pass before rounding and a
 * the samples less their column's mean: rows 1 to 7 of the matrix sum up to 0 and are orthogonal
 * but for its entries' rounding, so their |h~|^2 sum up to |a|^2 / 16, within 2^-13 of it. Rounding
 * moves each |h| by sqrt(8) / 2 at most; 3 sqrt(e) <= e / 64 + 144. What is left once it is `rest`
 * or less gives only rows of zeros; see gws_prepare_quantiser(). */
#define GWS_MOST_CONTRAST 150000000 /* so that a sum of seven differences fits 16 bits */

static inline uint32_t gws_rest_of(uint32_t variance) {
  return (variance >> 4) + (variance >> 17) + 2u;
}

static inline uint32_t gws_rest_after(uint32_t rest, uint32_t energy) {
  const uint32_t sure = energy - (energy >> 6);
  return sure <= 145u ? rest : rest > sure - 145u ? rest - (sure - 145u) : 0u;
}

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include "gws_kernels_dsp.h"
#else
#include "gws_kernels_portable.h"
#endif

#endif
