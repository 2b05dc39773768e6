/* gws_mve_list.h: the decisions of eight lanes at once, with the vectors of a Cortex-M55. By hand
 * for their conditions, which the compiler moves around. */
#ifndef GWS_MVE_LIST_H
#define GWS_MVE_LIST_H

#include <arm_mve.h>

#include "gws_internal.h"

/* What VPT changes: a predicate that gcc keeps over the code would be lost. clang has no name for
 * it. */
#ifdef __clang__
#define GWS_PREDICATES "cc"
#else
#define GWS_PREDICATES "p0", "cc"
#endif

/* Classes of sums, up to `most`: 28 + the top two bits - twice the zeros before them, but below 2
 * the half itself. */
static inline uint16x8_t gws_mve_classes(uint16x8_t sum, uint32_t most) {
  uint16x8_t scale;
  __asm__(
      "vshr.u16 q2, %q1, #1\n\tvclz.i16 q3, q2\n\tvshl.u16 %q0, q2, q3\n\t"
      "vshr.u16 %q0, %q0, #14\n\tvshl.i16 q3, q3, #1\n\tvmov.i16 q4, #28\n\t"
      "vsub.i16 q3, q4, q3\n\tvadd.i16 %q0, %q0, q3\n\tvmov.i16 q3, #1\n\t"
      "vmin.u16 q2, q2, q3\n\tvmax.s16 %q0, %q0, q2\n\tvdup.16 q2, %2\n\t"
      "vmin.u16 %q0, %q0, q2"
      : "=&w"(scale)
      : "w"(sum), "r"(most)
      : "q2", "q3", "q4");
  return scale;
}

/* Is a lane not zero? `zero` is the decision of class 0 and state 0; up to lane `first` state 1. */
static inline uint16x8_t gws_mve_zeros(uint16x8_t scale, int16x8_t value, uint16x8_t lane,
                                       uint32_t first, uint32_t zero) {
  uint16x8_t d;
  uint32_t n;
  __asm__ volatile(
      "vmov.i16 q7, #19\n\tvmin.u16 q7, %q2, q7\n\tvdup.16 %q0, %6\n\tmovs %1, #6\n\t"
      "vmla.u16 %q0, q7, %1\n\tmovs %1, #2\n\tvpt.s16 le, %q4, %5\n\tvaddt.i16 %q0, %q0, %1\n\t"
      "movs %1, #1\n\tvpt.i16 ne, %q3, zr\n\tvaddt.i16 %q0, %q0, %1"
      : "=&w"(d), "=&l"(n)
      : "w"(scale), "w"(value), "w"(lane), "r"(first), "r"(zero)
      : "q7", GWS_PREDICATES);
  return d;
}

/* Of a pair: the magnitude is not 1, or has low bits. */
#define GWS_MVE_LARGE 0x8000u

/* The decisions of the signs and of magnitudes of 1, side by side. */
static inline void gws_mve_pairs(uint16x8_t scale, int16x8_t value, int16x8_t t,
                                 const gws_kind *kind, uint32_t *pair) {
  static const uint8_t kLevel[25] = {0, 2, 2, 4, 4, 4, 6, 6, 6, 6, 6, 6, 8,
                                     8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10};
  uint32_t n;
  __asm__ volatile(
      "movs %0, #6\n\tvqsub.u16 q5, %q1, %0\n\tvdup.16 q7, %7\n\tmovs %0, #12\n\t"
      "vmla.u16 q7, q5, %0\n\tvabs.s16 q5, %q3\n\tvmov.i16 q6, #24\n\tvmin.u16 q5, q5, q6\n\t"
      "vldrb.u16 q6, [%5, q5]\n\tveor q5, %q2, %q3\n\tvshr.u16 q5, q5, #15\n\t"
      "vadd.i16 q6, q6, q5\n\tvadd.i16 q6, q6, %6\n\tvabs.s16 q5, %q2\n\tmovs %0, #1\n\t"
      "vpt.u16 hi, q5, %0\n\tvorrt.i16 q6, #0x8000\n\tmovs %0, #17\n\t"
      "vpt.u16 hi, %q1, %0\n\tvorrt.i16 q6, #0x8000\n\t"
      "vst20.16 {q6, q7}, [%4]\n\tvst21.16 {q6, q7}, [%4]"
      : "=&l"(n)
      : "w"(scale), "w"(value), "w"(t), "r"(pair), "r"(kLevel), "r"(kind->sign),
        "r"(kind->magnitude)
      : "q5", "q6", "q7", GWS_PREDICATES, "memory");
}

#endif
