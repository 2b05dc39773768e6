/* gws_kernels_bands.h: loops over rows of blocks and over four flags at a time. */
#ifndef GWS_KERNELS_BANDS_H
#define GWS_KERNELS_BANDS_H

#include "gws_internal.h"

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

/* Twice the class, at most 19: of small sums from a table of every second. */
GWS_APART static uint32_t large_class(uint32_t sum) {
  const uint32_t scale = gws_scale_class(sum);
  return 2u * (scale < 19u ? scale : 19u);
}
static inline uint32_t twice_class(uint32_t sum) {
  static const uint8_t kTwice[64] = {
      0,  2,  4,  6,  8,  8,  10, 10, 12, 12, 12, 12, 14, 14, 14, 14, 16, 16, 16, 16, 16, 16,
      16, 16, 18, 18, 18, 18, 18, 18, 18, 18, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
      20, 20, 20, 20, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22};
  return sum < 128u ? kTwice[sum >> 1] : large_class(sum);
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
