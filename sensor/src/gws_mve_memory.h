/* gws_mve_memory.h: sixteen bytes at a time. */
#ifndef GWS_MVE_MEMORY_H
#define GWS_MVE_MEMORY_H

#include <arm_mve.h>

#include "gws_internal.h"

/* By hand: the compiler moves predicates around. */
static inline void gws_mve_copy(void *to, const void *from, uint32_t bytes) {
  __asm__ volatile(
      "wlstp.8 lr, %2, 2f\n1: vldrb.8 q0, [%1], #16\n\tvstrb.8 q0, [%0], #16\n\tletp lr, 1b\n2:"
      : "+&l"(to), "+&l"(from)
      : "r"(bytes)
      : "q0", "lr", "memory");
}

static inline void gws_mve_zero(void *to, uint32_t bytes) {
  __asm__ volatile(
      "vmov.i8 q0, #0\n\twlstp.8 lr, %1, 2f\n1: vstrb.8 q0, [%0], #16\n\tletp lr, 1b\n2:"
      : "+&l"(to)
      : "r"(bytes)
      : "q0", "lr", "memory");
}

static inline uint32_t gws_mve_sum(const uint8_t *from, uint32_t bytes) {
  register uint32_t sum __asm__("r0") = 0; /* an even one */
  __asm__ volatile(
      "wlstp.8 lr, %2, 2f\n1: vldrb.8 q0, [%1], #16\n\tvaddva.u8 %0, q0\n\tletp lr, 1b\n2:"
      : "+&r"(sum), "+&l"(from)
      : "r"(bytes)
      : "q0", "lr", "memory");
  return sum;
}

#endif
