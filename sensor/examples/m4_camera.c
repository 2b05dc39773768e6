/* m4_camera.c: a whole firmware for a Cortex-M4. Lines of a test pattern stand for the camera, a
 * file on the host, through semihosting, for the UART. Replace next_lines() and send().
 *
 *   cmake -S sensor -B build/m4 -G Ninja --toolchain $PWD/sensor/targets/cortex-m4.cmake && cmake
 * --build build/m4
 *   qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
 *     -semihosting-config enable=on,target=native -kernel build/m4/m4_camera   # writes camera.gdw
 */
#include "../targets/semihost.h"
#include "godwit_sensor.h"

enum { WIDTH = 320, HEIGHT = 240, LINES = 8 };

static const gws_params kParams = {
    .width = WIDTH,
    .height = HEIGHT,
    .input = GWS_RGB888,
    .step_index = 245, /* quality 38 */
    .tile_height = 64,
    .whole_strips = 1, /* lines come eight at a time, so none is copied */
};

/* Eight lines as a camera's DMA would leave them. */
static uint8_t lines[LINES * WIDTH * 3];
/* What gws_mem_size() says for kParams; gws_init() checks it. */
static uint64_t memory[16384 / 8];

static void next_lines(uint32_t y) {
  for (uint32_t i = 0; i < LINES; ++i) {
    for (uint32_t x = 0; x < WIDTH; ++x) {
      const uint32_t here = y + i, disc = (x - 160u) * (x - 160u) + (here - 120u) * (here - 120u);
      uint8_t *const pixel = lines + 3u * (i * WIDTH + x);
      pixel[0] = (uint8_t)(x * 255u / WIDTH);
      pixel[1] = (uint8_t)(here * 255u / HEIGHT);
      pixel[2] = (uint8_t)(disc < 6400u ? 230u : 8u * ((x ^ here) & 7u));
    }
  }
}

static int sink;
static int send(const uint8_t *bytes, size_t n) { return sh_write(sink, bytes, n); }

int main(void) {
  gws_status status = GWS_OK;
  gws *const encoder = gws_init(memory, sizeof memory, &kParams, &status);
  if (encoder == NULL) {
    sh_number("gws_init(): ", (uint32_t)status); /* gws_status_text() takes 0.4 KB */
    return 1;
  }
  sink = sh_open("camera.gdw", SH_WRITE_BINARY);
  if (sink < 0) return 2;
  for (uint32_t y = 0; y < HEIGHT; y += LINES) {
    next_lines(y);
    for (uint32_t done = 0; done < LINES;) {
      uint32_t taken = 0;
      status = gws_push_rows(encoder, lines + 3u * done * WIDTH, 3u * WIDTH, LINES - done, &taken);
      if (status > GWS_PULL) return 3;
      done += taken;
      uint8_t bytes[64];
      size_t n = 0;
      while (gws_pull(encoder, bytes, sizeof bytes, &n) == GWS_OK && n > 0u) {
        if (send(bytes, n) != 0) return 4;
      }
    }
  }
  gws_stats stats;
  if (gws_finish(encoder) != GWS_OK || gws_get_stats(encoder, &stats) != GWS_OK) return 5;
  if (stats.dropped_symbols + stats.dropped_layers > 0u) sh_text("something did not fit\n");
  sh_close(sink);
  return 0;
}
