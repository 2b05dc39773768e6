/* gws_mve_coder.h: the range coder with a loop of Armv8.1-M. The branch on a bit comes before the
 * product, which then may take the place of the range: 12 instructions for a bit that is 0. */
#ifndef GWS_MVE_CODER_H
#define GWS_MVE_CODER_H

#include "gws_internal.h"

static inline const uint16_t *code_some(const uint16_t *at, const uint16_t *end, uint16_t *contexts,
                                        gws_coder *c) {
  uint32_t low = c->low, range = c->range, carry = c->carry, i, p1, bound, t;
  __asm__ volatile(
      "dls lr, %10\n\t"
      "1: ldrh %4, [%0], #2\n\tlsrs %4, %4, #1\n\tldrh %5, [%8, %4, lsl #1]\n\t"
      "sub %6, %9, %5, lsl #16\n\tbcs 2f\n\tumull %7, %2, %2, %6\n\trsb %7, %5, #32\n\t"
      "add %5, %5, %7, asr #6\n\tstrh %5, [%8, %4, lsl #1]\n\tcmp %2, #0x1000000\n\t"
      "bcc 3f\n\tle lr, 1b\n\tb 3f\n"
      "2: umull %7, %6, %2, %6\n\tadds %1, %1, %6\n\tadc %3, %3, %9\n\tsub %2, %2, %6\n\t"
      "sub %7, %11, %5\n\tadd %5, %5, %7, lsr #6\n\tstrh %5, [%8, %4, lsl #1]\n\t"
      "cmp %2, #0x1000000\n\tbcc 3f\n\tle lr, 1b\n3:"
      : "+&r"(at), "+&r"(low), "+&r"(range), "+&r"(carry), "=&r"(i), "=&r"(p1), "=&r"(bound),
        "=&r"(t)
      : "r"(contexts), "r"(0), "r"(end - at), "r"(65536 + 32)
      : "cc", "lr", "memory");
  c->low = low;
  c->range = range;
  c->carry = (uint8_t)carry;
  return at;
}

#endif
