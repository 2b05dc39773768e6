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

#endif
