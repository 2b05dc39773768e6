/* insn.c: a QEMU plugin (API version 1, as in QEMU 7.2) that counts the instructions run in ranges
 * of addresses. Built by ./dev sensor:  -plugin libinsn.so,map=FILE  with lines of "begin end name"
 * in hexadecimal; prints "name count" for each range that ran. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define API __attribute__((visibility("default")))
typedef uint64_t plugin_id;
struct block;
struct instruction;
API int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct instruction *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *, int, void *, uint64_t);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

#define MOST 512
static struct {
  uint64_t begin, end, count;
  char name[80];
} range[MOST];
static int ranges;

static void translate(plugin_id id, struct block *b) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(b); ++i) {
    struct instruction *const one = qemu_plugin_tb_get_insn(b, i);
    const uint64_t at = qemu_plugin_insn_vaddr(one);
    for (int r = 0; r < ranges; ++r) {
      if (at >= range[r].begin && at < range[r].end)
        qemu_plugin_register_vcpu_insn_exec_inline(one, 0, &range[r].count, 1);
    }
  }
}

static void finish(plugin_id id, void *unused) {
  (void)id;
  (void)unused;
  for (int r = 0; r < ranges; ++r) {
    if (range[r].count > 0) fprintf(stderr, "%s %" PRIu64 "\n", range[r].name, range[r].count);
  }
}

API int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  if (argc < 1 || strncmp(argv[0], "map=", 4) != 0) return 1;
  FILE *const map = fopen(argv[0] + 4, "r");
  if (map == NULL) return 1;
  while (ranges < MOST && fscanf(map, "%" SCNx64 " %" SCNx64 " %79s", &range[ranges].begin,
                                 &range[ranges].end, range[ranges].name) == 3)
    ++ranges;
  fclose(map);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
