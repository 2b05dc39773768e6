/* start_arm.c: vectors, memory and semihosting of the Cortex-M boards that QEMU knows. */
#include <stdint.h>

#include "semihost.h"

extern uint32_t __stack_top, __data_start, __data_end, __data_load, __bss_start, __bss_end;
int main(void);

int sh_call(int operation, const void *arguments) {
  register int r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

__attribute__((noreturn)) void reset_handler(void);
void reset_handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  *(volatile uint32_t *)0xe000ed88u |= 0xfu << 20; /* coprocessors 10 and 11: FPU and MVE */
  __asm__ volatile("dsb\n\tisb");
#endif
  const uint32_t *from = &__data_load;
  for (uint32_t *to = &__data_start; to < &__data_end;) *to++ = *from++;
  for (uint32_t *to = &__bss_start; to < &__bss_end;) *to++ = 0;
  sh_exit(main());
  for (;;) {
  }
}

void fault_handler(void);
void fault_handler(void) {
  sh_text("fault\n");
  sh_exit(99);
}

#define F fault_handler
__attribute__((section(".vectors"), used)) static void (*const kVectors[16])(void) = {
    (void (*)(void))(uintptr_t)&__stack_top,
    reset_handler,
    F,
    F,
    F,
    F,
    F,
    0,
    0,
    0,
    0,
    F,
    F,
    0,
    F,
    F};
