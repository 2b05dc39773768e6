/* yuyv_to_gdw.c: frames of YUYV, as Linux cameras give them, from standard input to pictures.
 *
 *   v4l2-ctl --stream-mmap --stream-count=3 --stream-to=- | yuyv_to_gdw 640 480 60 frame
 *
 * writes frame-0000.gdw, ... at quality 60. Ends at the end of the input; a part of a frame is an
 * error. */
#include <stdio.h>
#include <stdlib.h>

#include "godwit_sensor.h"

enum { LINES = 8 };

/* 1: a frame was written; 0: the input has ended; -1: an error was said. */
static int write_frame(gws *encoder, uint32_t width, uint32_t height, uint8_t *lines,
                       const char *path) {
  const size_t row = 2u * (size_t)width;
  FILE *out = NULL;
  for (uint32_t y = 0; y < height; y += LINES) {
    const uint32_t count = height - y < LINES ? height - y : LINES;
    const size_t got = fread(lines, 1, row * count, stdin);
    if (got == 0 && y == 0) return 0;
    if (got != row * count) {
      fprintf(stderr, "%s: the frame ends early\n", path);
      if (out != NULL) fclose(out);
      return -1;
    }
    if (out == NULL && (out = fopen(path, "wb")) == NULL) {
      perror(path);
      return -1;
    }
    for (uint32_t done = 0; done < count;) {
      uint32_t taken = 0;
      if (gws_push_rows(encoder, lines + done * row, row, count - done, &taken) > GWS_PULL) abort();
      done += taken;
      uint8_t bytes[4096];
      size_t n = 0;
      while (gws_pull(encoder, bytes, sizeof bytes, &n) == GWS_OK && n > 0) {
        if (fwrite(bytes, 1, n, out) != n) {
          perror(path);
          fclose(out);
          return -1;
        }
      }
    }
  }
  gws_stats stats;
  if (gws_get_stats(encoder, &stats) == GWS_OK && stats.dropped_symbols + stats.dropped_layers > 0)
    fprintf(stderr, "%s: %u symbols and %u layers did not fit\n", path,
            (unsigned)stats.dropped_symbols, (unsigned)stats.dropped_layers);
  if (gws_finish(encoder) != GWS_OK || fclose(out) != 0) {
    fprintf(stderr, "%s: cannot be written\n", path);
    return -1;
  }
  return gws_reset(encoder) == GWS_OK ? 1 : -1;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: yuyv_to_gdw WIDTH HEIGHT QUALITY NAME <FRAMES\n");
    return 2;
  }
  const unsigned long width = strtoul(argv[1], NULL, 10), height = strtoul(argv[2], NULL, 10);
  const unsigned long quality = strtoul(argv[3], NULL, 10);
  gws_params params = {0};
  params.width = width > 16384 ? 0 : (uint32_t)width;
  params.height = height > 65536 ? 0 : (uint32_t)height;
  params.input = GWS_YUYV;
  params.step_index = quality > 90 ? 999 : (uint16_t)((680 - 5 * quality) / 2);
  params.whole_strips = 1;
  params.symbol_bytes = 60000;
  params.output_bytes = 1000000;
  const size_t size = gws_mem_size(&params);
  if (size == 0) {
    fprintf(stderr,
            "yuyv_to_gdw: an even width up to 16384, a height up to 65536, quality 0 to 90\n");
    return 2;
  }
  void *const memory = malloc(size);
  uint8_t *const lines = malloc(2u * LINES * width);
  gws_status status = GWS_ERR_MEMORY;
  gws *const encoder =
      memory == NULL || lines == NULL ? NULL : gws_init(memory, size, &params, &status);
  if (encoder == NULL) {
    fprintf(stderr, "yuyv_to_gdw: %s\n", gws_status_text(status));
    return 1;
  }
  int written = 1;
  for (unsigned frame = 0; written == 1; ++frame) {
    char path[4096];
    snprintf(path, sizeof path, "%s-%04u.gdw", argv[4], frame);
    written = write_frame(encoder, params.width, params.height, lines, path);
  }
  free(lines);
  free(memory);
  return written == 0 ? 0 : 1;
}
