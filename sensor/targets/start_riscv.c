/* start_riscv.c: the same for QEMU's RISC-V board `virt`, started without firmware. */
#include <stddef.h>
#include <stdint.h>

#include "semihost.h"

extern uint32_t __bss_start, __bss_end;
int main(void);

__attribute__((naked, section(".vectors"))) void _start(void);
void _start(void) {
  __asm__ volatile(
      ".option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
      "la sp, __stack_top\n"
      "la t0, trap\ncsrw mtvec, t0\n"
      "j run");
}

__attribute__((naked, aligned(16))) int sh_call(int operation, const void *arguments) {
  __asm__ volatile(/* the arguments are in a0 and a1 already */
                   ".option push\n.option norvc\n.balign 16\n"
                   "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop\nret");
}

__attribute__((used)) void run(void);
void run(void) {
  for (uint32_t *to = &__bss_start; to < &__bss_end;) *to++ = 0;
  sh_exit(main());
}

__attribute__((used, aligned(4))) void trap(void);
void trap(void) {
  sh_text("trap\n");
  sh_exit(99);
}

/* What compilers call on their own. */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memcpy(void *to,
                                                                           const void *from,
                                                                           size_t n) {
  for (size_t i = 0; i < n; ++i) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int value,
                                                                           size_t n) {
  for (size_t i = 0; i < n; ++i) ((uint8_t *)to)[i] = (uint8_t)value;
  return to;
}
