/* gws_kernels_bands.h: loops over rows of blocks and over four flags at a time. */
#ifndef GWS_KERNELS_BANDS_H
#define GWS_KERNELS_BANDS_H

#include "gws_bands.h"
#include "gws_classes.h"

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include <arm_acle.h>
#endif

/* Four bytes, the first lowest. */
static inline uint32_t word(const uint8_t *at) {
  uint32_t v;
  __builtin_memcpy(&v, at, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v = __builtin_bswap32(v);
#endif
  return v;
}

/* What the flags of a band share. */
typedef struct {
  const uint8_t *own;
  const uint8_t *around[3]; /* lower, lowest, luma: sums here and around; null: none */
  const uint8_t *other;
  const uint8_t *weight, *activity;
  const uint16_t *cells; /* masks */
  uint8_t *count;
  uint32_t band, bias, base;
} flag_rule;

#if defined(__ARM_FEATURE_MVE) && !defined(GWS_PORTABLE)
#include "gws_kernels_bands_mve.h"
#else
#include "gws_kernels_bands_scalar.h"
#endif

#endif
