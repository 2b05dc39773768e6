/* semihost.h: files, text and the end of the program, through a debugger or QEMU. */
#ifndef SEMIHOST_H
#define SEMIHOST_H

#include <stddef.h>
#include <stdint.h>

int sh_call(int operation, const void *arguments); /* in start_arm.c and start_riscv.c */

enum {
  SH_OPEN = 1,
  SH_CLOSE = 2,
  SH_WRITE0 = 4,
  SH_WRITE = 5,
  SH_READ = 6,
  SH_COMMAND = 0x15,
  SH_EXIT = 0x20
};
enum { SH_READ_BINARY = 1, SH_WRITE_BINARY = 5 };

static inline size_t sh_length(const char *s) {
  size_t n = 0;
  while (s[n] != 0) ++n;
  return n;
}
static inline void sh_text(const char *s) { (void)sh_call(SH_WRITE0, s); }
static inline int sh_open(const char *path, int mode) {
  const uintptr_t block[3] = {(uintptr_t)path, (uintptr_t)mode, sh_length(path)};
  return sh_call(SH_OPEN, block);
}
/* How many bytes were not read or written. */
static inline int sh_read(int file, void *to, size_t n) {
  const uintptr_t block[3] = {(uintptr_t)file, (uintptr_t)to, n};
  return sh_call(SH_READ, block);
}
static inline int sh_write(int file, const void *from, size_t n) {
  const uintptr_t block[3] = {(uintptr_t)file, (uintptr_t)from, n};
  return sh_call(SH_WRITE, block);
}
static inline void sh_close(int file) {
  const uintptr_t block[1] = {(uintptr_t)file};
  (void)sh_call(SH_CLOSE, block);
}
static inline int sh_command_line(char *to, size_t n) {
  const uintptr_t block[2] = {(uintptr_t)to, n};
  return sh_call(SH_COMMAND, block);
}
static inline void sh_exit(int code) {
  const uintptr_t block[2] = {0x20026u, (uintptr_t)code};
  (void)sh_call(SH_EXIT, block);
  for (;;) {
  }
}
static inline void sh_number(const char *name, uint32_t value) {
  char text[12];
  char *at = text + 11;
  *at = 0;
  do {
    *--at = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0u);
  sh_text(name);
  sh_text(at);
}

#endif
