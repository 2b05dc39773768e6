/* measure.c: a firmware that encodes a PPM or PGM file, or one of pack.c, with the library, through
 * semihosting.
 *
 *   arguments: IN OUT STEP TILE_HEIGHT LAYERS ROWS WHOLE_STRIPS SYMBOL_BYTES OUTPUT_BYTES [PORTION]
 *
 * Pulls PORTION bytes at a time; built with MEASURE_PACKETS, packets of up to so many.
 *
 * Prints the memory it took and the most stack that a call of the library used. */
#include "godwit_packets.h"
#include "semihost.h"

#ifdef MEASURE_PACKETS
static gwp packets;
static gwp_params how;
#define PULL(encoder, out, size, n) gwp_pull(&packets, encoder, out, size, n)
#else
#define PULL gws_pull
#endif

#define MEMORY (200u * 1024u)
#define PAINT 3072u

static uint64_t memory[MEMORY / 8u];
static uint8_t lines[32u * 4096u];
static uint8_t packet[2048];
/* Zeros: made here, so that no helper of the compiler is linked that the library does not ask for.
 */
static uint32_t number[11];
static gws_params p;

/* Painted by a function that returns before the library is called, and read by one that is called
 * after: both look at what lies below their caller's frame. */
static uint8_t *stack_mark;
__attribute__((noinline)) static void paint(void) {
  volatile uint8_t here[PAINT];
  for (uint32_t i = 0; i < PAINT; ++i) here[i] = 0xa5;
  stack_mark = (uint8_t *)(uintptr_t)here;
}
__attribute__((noinline)) static uint32_t depth(void) {
  const volatile uint8_t *const low = stack_mark;
  uint32_t i = 0;
  while (i < PAINT && low[i] == 0xa5) ++i;
  return PAINT - i;
}

static int file_in;
static uint32_t read_number(void) {
  uint8_t c = 0;
  uint32_t n = 0;
  do {
    if (sh_read(file_in, &c, 1) != 0) sh_exit(3);
  } while (c < '0' || c > '9');
  while (c >= '0' && c <= '9') {
    n = n * 10u + (uint32_t)(c - '0');
    if (sh_read(file_in, &c, 1) != 0) sh_exit(3);
  }
  return n;
}

int main(void) {
  char command[512];
  char *word[16];
  int words = 0;
  if (sh_command_line(command, sizeof command) != 0) return 2;
  for (char *c = command; *c != 0 && words < 16;) {
    while (*c == ' ') *c++ = 0;
    if (*c != 0) word[words++] = c;
    while (*c != 0 && *c != ' ') ++c;
  }
  if (words != 10 && words != 11) return 2;
  for (int i = 3; i < words; ++i) {
    number[i] = 0;
    for (const char *c = word[i]; *c != 0; ++c) number[i] = number[i] * 10u + (uint32_t)(*c - '0');
  }
  file_in = sh_open(word[1], SH_READ_BINARY);
  const int file_out = sh_open(word[2], SH_WRITE_BINARY);
  if (file_in < 0 || file_out < 0) return 3;
  char magic[2];
  if (sh_read(file_in, magic, 2) != 0) return 3;
  p.input = magic[0] == 'R'   ? GWS_RGB565
            : magic[0] == 'Y' ? GWS_YUYV
            : magic[1] == '6' ? GWS_RGB888
                              : GWS_GREY;
  p.width = read_number();
  p.height = read_number();
  (void)read_number();
  p.step_index = (uint16_t)number[3];
  p.tile_height = (uint16_t)number[4];
  p.layers = (uint8_t)number[5];
  p.whole_strips = (uint8_t)number[7];
  p.symbol_bytes = number[8];
  p.output_bytes = number[9];
  const uint32_t row = p.width * (p.input == GWS_GREY     ? 1u
                                  : p.input == GWS_RGB888 ? 3u
                                                          : 2u),
                 rows = number[6];
  if (rows == 0u || row * rows > sizeof lines) return 4;
  const size_t size = gws_mem_size(&p);
  gws_status status = GWS_OK;
  gws *const encoder = gws_init(memory, sizeof memory < size ? sizeof memory : size, &p, &status);
  if (encoder == 0) {
    sh_number("status=", (uint32_t)status);
    return 5;
  }
  const uint32_t portion = number[10] > 0u ? number[10] : 64u;
  if (portion > sizeof packet) return 4;
#ifdef MEASURE_PACKETS
  how.packet_bytes = (uint16_t)portion;
  if (gwp_init(&packets, &how) != GWS_OK) return 4;
#endif
  uint32_t deepest = 0;
  for (uint32_t y = 0; y < p.height;) {
    const uint32_t count = p.height - y < rows ? p.height - y : rows;
    if (sh_read(file_in, lines, row * count) != 0) return 3;
    for (uint32_t done = 0; done < count;) {
      uint32_t taken = 0;
      paint();
      status = gws_push_rows(encoder, lines + done * row, row, count - done, &taken);
      const uint32_t now = depth();
      if (now > deepest) deepest = now;
      if (status > GWS_PULL) return 6;
      done += taken;
      for (size_t n = 1; n > 0u;) {
        paint();
        status = PULL(encoder, packet, portion, &n);
        const uint32_t pulled = depth();
        if (pulled > deepest) deepest = pulled;
        if (status != GWS_OK) return 9;
        if (n > 0u && sh_write(file_out, packet, n) != 0) return 8;
      }
    }
    y += count;
  }
  if (gws_finish(encoder) != GWS_OK) return 7;
  sh_close(file_out);
  gws_stats stats;
  (void)gws_get_stats(encoder, &stats);
  sh_number("memory=", (uint32_t)size);
  sh_number(" stack=", deepest);
  sh_number(" dropped=", stats.dropped_symbols + stats.dropped_layers);
  sh_text("\n");
  return 0;
}
