/* pack.c: a PPM picture as a camera's RGB565, YUYV or grey lines, for measure.c, and as the picture
 * that the host should encode to the same bytes.
 *
 *   pack rgb565|yuyv|grey IN.ppm OUT.lines OUT.ppm
 *
 * OUT.lines has a PPM's head with another letter: R5, Y4 or P5. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int limit8(int v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

static void put_pixel(FILE *out, int r, int g, int b) {
  fputc(limit8(r), out);
  fputc(limit8(g), out);
  fputc(limit8(b), out);
}

/* BT.601, 16..235, and back as godwit_sensor.h's GWS_YUYV is read. */
static void pair_to_yuyv(const uint8_t *p, FILE *lines, FILE *picture) {
  int y[2], u = 0, v = 0;
  for (int i = 0; i < 2; ++i) {
    const int r = p[3 * i], g = p[3 * i + 1], b = p[3 * i + 2];
    y[i] = (66 * r + 129 * g + 25 * b + 128) / 256 + 16;
    u += -38 * r - 74 * g + 112 * b;
    v += 112 * r - 94 * g - 18 * b;
  }
  u = limit8((u + 65536 + 256) / 512);
  v = limit8((v + 65536 + 256) / 512);
  const uint8_t out[4] = {(uint8_t)y[0], (uint8_t)u, (uint8_t)y[1], (uint8_t)v};
  fwrite(out, 1, 4, lines);
  for (int i = 0; i < 2; ++i) {
    const int luma = 298 * (y[i] - 16) + 128;
    put_pixel(picture, (luma + 409 * (v - 128)) >> 8,
              (luma - 100 * (u - 128) - 208 * (v - 128)) >> 8, (luma + 516 * (u - 128)) >> 8);
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  FILE *const in = fopen(argv[2], "rb"), *const lines = fopen(argv[3], "wb"),
              *const picture = fopen(argv[4], "wb");
  unsigned width = 0, height = 0, top = 0;
  if (in == NULL || lines == NULL || picture == NULL ||
      fscanf(in, "P6 %u %u %u", &width, &height, &top) != 3 || top != 255 || fgetc(in) == EOF)
    return 3;
  const int yuyv = strcmp(argv[1], "yuyv") == 0, grey = strcmp(argv[1], "grey") == 0;
  if (yuyv && width % 2 != 0) return 2;
  fprintf(lines, "%s\n%u %u\n255\n", grey ? "P5" : yuyv ? "Y4" : "R5", width, height);
  fprintf(picture, "%s\n%u %u\n255\n", grey ? "P5" : "P6", width, height);
  for (uint64_t i = 0; i < (uint64_t)width * height; i += 2) {
    uint8_t p[6] = {0};
    const unsigned count = (uint64_t)width * height - i < 2 ? 1 : 2;
    if (fread(p, 3, count, in) != count) return 3;
    if (yuyv) {
      pair_to_yuyv(p, lines, picture);
      continue;
    }
    for (unsigned k = 0; k < count; ++k) {
      const unsigned r = p[3 * k] >> 3, g = p[3 * k + 1] >> 2, b = p[3 * k + 2] >> 3;
      if (grey) {
        fputc(p[3 * k + 1], lines);
        fputc(p[3 * k + 1], picture);
        continue;
      }
      fputc((int)((r << 11 | g << 5 | b) & 255u), lines);
      fputc((int)((r << 11 | g << 5 | b) >> 8), lines);
      put_pixel(picture, (int)(r << 3 | r >> 2), (int)(g << 2 | g >> 4), (int)(b << 3 | b >> 2));
    }
  }
  return fclose(lines) != 0 || fclose(picture) != 0 ? 4 : 0;
}
