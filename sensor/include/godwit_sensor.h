/* godwit_sensor.h: lines of pixels to a .gdw picture, in C11 without heap, float or operating
 * system.
 *
 * The bytes are those of `godwit encode --order rows --tile WxH` on the host: tiles as wide as the
 * picture, one row of tiles after the other. docs/guide-sensor.md tells how to use it.
 *
 *   size_t need = gws_mem_size(&params);           // 0: params are not valid
 *   gws *encoder = gws_init(memory, need, &params, &status);
 *   until all rows are in:
 *     gws_push_rows(encoder, rows, stride, count, &taken);
 *     while (gws_pull(encoder, out, capacity, &n), n > 0) send(out, n);
 *   gws_finish(encoder);                            // GWS_OK: the file is whole
 *
 * Every function does a bounded amount of work, calls nothing back and keeps nothing outside the
 * caller's memory: one encoder per memory, as many as you like. Not for two threads at once. */
#ifndef GODWIT_SENSOR_H
#define GODWIT_SENSOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  GWS_OK = 0,
  GWS_PULL,       /* not all rows were taken: pull what is waiting first */
  GWS_ERR_NULL,   /* a null pointer */
  GWS_ERR_PARAMS, /* a field of gws_params is out of range */
  GWS_ERR_MEMORY, /* less memory than gws_mem_size() says, or not aligned to 8 bytes */
  GWS_ERR_STATE,  /* this memory holds no encoder */
  GWS_ERR_ROWS,   /* more rows than the picture has, or finished before the last */
  GWS_ERR_STRIDE, /* a stride smaller than a row */
  GWS_ERR_STRIP,  /* whole_strips was promised, and these rows are none */
  GWS_ERR_STEP,   /* built without the tables for this step index: GWS_STEP_RANGES */
  GWS_ERR_PACKET, /* a buffer smaller than the packets: godwit_packets.h */
  GWS_ERR_MIXED,  /* of one picture bytes and packets were taken, or packets by two */
  GWS_ERR_INPUT   /* built without this input: GWS_INPUTS */
} gws_status;

typedef enum {
  GWS_RGB888 = 0, /* 3 bytes: red, green, blue */
  GWS_GREY,       /* 1 byte */
  GWS_RGB565,     /* 2 bytes, the low one first */
  GWS_RGB565_BE,  /* 2 bytes, the high one first */
  GWS_YUYV        /* 4 bytes for 2 pixels: Y U Y V, BT.601, 16..235; width must be even */
} gws_input;

typedef struct {
  uint32_t width, height; /* pixels; width 1..16384, height 1..2^31 */
  uint8_t input;          /* a gws_input */
  uint16_t step_index;    /* 0 finest .. 351; quality q of the program is 340 - 2.5 q up to 90 */
  uint16_t tile_height;   /* 32, 64, .. 4096: lines after which bytes come; 0 is 64 */
  uint8_t layers;         /* 1..8: leave out the finest; 0 is 8 */
  uint8_t whole_strips;   /* 1: rows always come eight at a time, and the rest at the end; then
                             no line is copied and less memory needed */
  uint32_t symbol_bytes;  /* for the nonzero symbols of 32 lines, a byte or two each; 0 chooses */
  uint32_t output_bytes;  /* for the bytes of a row of tiles; 0 chooses */
} gws_params;

/* What had to be left out so far because it did not fit its memory. All zero: the bytes are those
 * of the host. */
typedef struct {
  uint32_t dropped_symbols; /* symbol_bytes was too small */
  uint32_t dropped_layers;  /* output_bytes was too small: layers left out, summed over rows */
} gws_stats;

typedef struct gws gws;

size_t gws_mem_size(const gws_params *params);
gws *gws_init(void *memory, size_t size, const gws_params *params, gws_status *status);

/* The next `count` rows, `stride` bytes apart. `*taken` of them were used. GWS_PULL: pull, then
 * push the rest. */
gws_status gws_push_rows(gws *encoder, const void *rows, size_t stride, uint32_t count,
                         uint32_t *taken);

/* Copies up to `capacity` bytes of the file to `out`; `*count` says how many. 0: none are waiting.
 */
gws_status gws_pull(gws *encoder, void *out, size_t capacity, size_t *count);

/* GWS_OK once all rows are in and all bytes out; GWS_PULL or GWS_ERR_ROWS until then. */
gws_status gws_finish(gws *encoder);

/* Starts another picture with the same parameters; what was not pulled is lost. */
gws_status gws_reset(gws *encoder);

gws_status gws_get_stats(const gws *encoder, gws_stats *stats);
const char *gws_status_text(int status);

#ifdef __cplusplus
}
#endif
#endif
