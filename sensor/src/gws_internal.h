/* gws_internal.h: the encoder's state and what its files share. Names follow the host's swift_*
 * files; docs/format/image.md and entropy.md are the law. */
#ifndef GWS_INTERNAL_H
#define GWS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "godwit_sensor.h"
#include "gws_tables.h"

/* Large functions that a compiler would merge: apart they keep their registers, and a profile shows
 * them. */
#define GWS_APART __attribute__((noinline))

/* Seldom run: small rather than fast, whatever the compiler was asked for. */
#if defined(__GNUC__) && !defined(__clang__)
#define GWS_SMALL __attribute__((optimize("Os")))
#else
#define GWS_SMALL
#endif

/* What runs most, where code is built for size: fast where that costs few bytes. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#define GWS_FAST __attribute__((optimize("O2", "no-schedule-insns", "no-gcse")))
#else
#define GWS_FAST
#endif

/* A loop that is written out, but where size matters more. */
#define GWS_PRAGMA(text) _Pragma(#text)
#ifdef __OPTIMIZE_SIZE__
#define GWS_UNROLL(n)
#else
#define GWS_UNROLL(n) GWS_PRAGMA(GCC unroll n)
#endif

/* Keeps a number in a register where a compiler would make it anew each time. */
static inline uint32_t gws_kept(uint32_t v) {
  __asm__("" : "+r"(v));
  return v;
}

/* Which inputs are built in: a bit per gws_input. */
#ifndef GWS_INPUTS
#define GWS_INPUTS 31
#endif
#define GWS_TAKES(input) ((GWS_INPUTS >> (input)&1) != 0)
#define GWS_TAKES_16BIT (GWS_TAKES(GWS_RGB565) || GWS_TAKES(GWS_RGB565_BE) || GWS_TAKES(GWS_YUYV))
#define GWS_TAKES_COLOUR (GWS_TAKES(GWS_RGB888) || GWS_TAKES_16BIT)

/* Two halves or four bytes as a word. */
typedef uint32_t __attribute__((may_alias)) gws_word32;

#define GWS_LAYERS 8
#if GWS_MVE
#define GWS_DECISIONS 192
#else
#define GWS_DECISIONS 64
#endif
#define GWS_BLOCK_SCRATCH (3 * 64 + 96) /* a block's samples by plane; values by position */
#define GWS_CHUNK 16                    /* bytes: a link and 14 of payload */
#define GWS_CHUNK_DATA 14
#define GWS_NO_CHUNK 0xffffu
#define GWS_MAGIC 0x53574747u

/* A range coder and the chunks that its bytes are in. */
typedef struct {
  uint32_t low, range;
  uint32_t pending; /* bytes of 0xff that a carry would turn over */
  uint32_t size;    /* bytes written */
  uint16_t first, last;
  uint8_t carry; /* bit 32 of low */
  uint8_t cache; /* the byte before the pending ones */
  uint8_t started;
  uint8_t room; /* bytes left in the last chunk; none once the layer is left out */
  uint8_t any;  /* all bytes written, or-ed: a stream of zeros is empty */
} gws_coder;

typedef struct {
  uint32_t step;
  uint32_t bias, reciprocal, shift; /* of the quantiser, as the host's */
  int32_t threshold;                /* smallest magnitude that is not 0, f=4 */
  uint32_t reach, span;             /* sums + reach up to span, f=19, are 0 */
  uint32_t quiet;       /* rows of a block whose sum of squares is not above are all 0 */
  uint32_t quiet_twice; /* the same of twice the row, rounded down */
  int32_t rest;
  uint32_t flat;    /* see gws_kernels.h */
  int32_t dc_shift; /* StepScale of the host */
  int32_t dc_factor;
} gws_quantiser;

struct gws {
  uint32_t magic;
  gws_params params;
  gws_stats stats;
  const void *taken_by; /* who takes this picture's bytes: null, a gwp, or this for gws_pull() */
  gws_quantiser q;
  int32_t planes;
  int32_t cells, blocks; /* across */
  uint32_t row_bytes;    /* of a line of input */
  int32_t layers;        /* asked for */
  int32_t live_layers;   /* of this row of tiles: fewer once output is full */
  uint8_t present;       /* a bit per layer that has anything in this row of tiles */
  uint8_t tile_bits;     /* log2 of the height */
  int16_t *block;        /* scratch of analysis, where there is no line: GWS_BLOCK_SCRATCH */

  uint32_t row;         /* lines taken */
  uint32_t block_row;   /* 0..3, of the row of cells being gathered */
  bool first;           /* nothing of the tile lies above */
  uint8_t positions[3]; /* of each plane that the layers asked for reach, from 1 on */

  uint16_t *context; /* [GWS_CONTEXTS] */
  uint8_t *lines;    /* seven lines, or null; scratch when they are not needed */
  uint8_t *scratch;  /* of coding a row of cells */
  uint8_t *zeroed;   /* from here on zeros at the begin of a row of tiles */
  int16_t *coarse;   /* [plane][cell][16]: DC of blocks [y][x], then symbols [u][v] */
  int16_t *coarse_above;
  int8_t *dc_residual; /* [plane][cell]: magnitudes */
  int8_t *dc_residual_above;
  int16_t *dc_above; /* [plane][block]: reconstructed, of the row of blocks above */
  uint8_t *gradient_above;
  uint8_t *activity; /* [plane][cell]: of the coarse scale; of the row above until it is coded */
  uint8_t *count;    /* [group][cell]: of the row above until its group is coded */
  uint8_t *length;   /* [5 rows of blocks][plane][block]: bytes of symbols; row 0 lies above */
  uint8_t *symbols;  /* the bytes, by row of blocks, block and plane */
  uint32_t symbol_room, symbol_end;
  uint8_t *chunks;
  uint16_t free_chunk;
  uint16_t chunk_count;

  uint16_t *decision_end;
  uint16_t decision[GWS_DECISIONS]; /* context * 2 + bit */

  gws_coder coder[GWS_LAYERS];

  /* What waits to be pulled: `head`, then the chunks of the layers, then a CRC. */
  uint32_t waits; /* bytes of all of it */
  uint8_t head[40];
  uint8_t head_size, head_at;
  uint8_t out_layers; /* of the row of tiles that waits */
  uint8_t out_layer;  /* the next to begin */
  uint16_t out_at;    /* in the chunk */
  uint32_t out_left;  /* bytes of this layer */
  uint32_t out_row;   /* of tiles */
  uint32_t crc;
};

static inline int32_t gws_min(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t gws_max(int32_t a, int32_t b) { return a > b ? a : b; }
static inline int32_t gws_clamp(int32_t v, int32_t low, int32_t high) {
  return gws_min(gws_max(v, low), high);
}
static inline int32_t gws_abs(int32_t v) { return v < 0 ? -v : v; }

/* At most 127. */
#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
static inline uint32_t gws_limit7(uint32_t v) {
  __asm__("usat %0, #7, %1" : "=r"(v) : "r"(v));
  return v;
}
#else
static inline uint32_t gws_limit7(uint32_t v) { return v < 127u ? v : 127u; }
#endif
/* A magnitude as contexts see it. */
static inline int32_t gws_magnitude(int32_t v) { return (int32_t)gws_limit7((uint32_t)gws_abs(v)); }

/* Class of a sum: two an octave, 25 at most. */
static inline uint32_t gws_scale_class(uint32_t sum) {
  const uint32_t t = sum >> 1;
  if (t < 2u) return t;
  const uint32_t zeros = (uint32_t)__builtin_clz(t), c = 60u - 2u * zeros + (t << zeros >> 30);
  return c < 25u ? c : 25u;
}

/* Contexts, in the order of entropy.md section 4.1. */
enum {
  GWS_ZERO = 0,
  GWS_SIGN = GWS_ZERO + 18 * 20 * 3,
  GWS_MAGNITUDE = GWS_SIGN + 18 * 6,
  GWS_FLAG = GWS_MAGNITUDE + 9 * 20 * 6,
  GWS_CELLS = GWS_FLAG + 27 * 20,
  GWS_COARSE_FLAG = GWS_CELLS + 27 * 14
};
enum { GWS_KIND_LUMA = 15, GWS_KIND_CHROMA = 16, GWS_KIND_DC = 17 };

/* Layer of a band, of luma and of the other planes. */
static inline uint32_t gws_layer_of(uint32_t plane, uint32_t band) {
  return (plane == 0u || band == 0u ? 2u : 3u) + band / 2u;
}

/* gws_api.c */
bool gws_is_encoder(const gws *e);
/* gws_analysis.c */
void gws_prepare_quantiser(gws_quantiser *q, uint32_t step_index);
void gws_analyse_blocks(gws *e, const uint8_t *const rows[8]);
bool gws_repeat_blocks(gws *e);
void gws_analyse_coarse(gws *e);
/* gws_coarse.c */
void gws_code_coarse(gws *e);
void gws_reconstruct_dc(const gws *e, uint32_t plane, int16_t *dc, uint32_t pitch);
/* gws_bands.c */
size_t gws_scratch_size(uint32_t blocks, uint32_t planes);
void gws_code_bands(gws *e);
/* gws_coder.c */
void gws_start_tile_output(gws *e);
/* Bits are listed and then coded together: gws_code() codes what is listed. At most GWS_DECISIONS.
 */
void gws_code(gws *e, gws_coder *c);
void gws_raw(gws *e, gws_coder *c, uint32_t value, uint32_t count);
/* Where a kind's contexts begin, as decisions count. */
typedef struct {
  uint32_t sign, magnitude;
} gws_kind;
static inline gws_kind gws_kind_of(uint32_t kind) {
  const uint32_t magnitude = kind < 9u ? kind / 2u : kind - 9u;
  const gws_kind k = {2u * (GWS_SIGN + kind * 6u), 2u * (GWS_MAGNITUDE + magnitude * 20u * 6u)};
  return k;
}
void gws_nonzero_of(gws *e, gws_coder *c, const gws_kind *kind, int32_t value, uint32_t sum,
                    int32_t t);
void gws_end_tile_output(gws *e);
static inline uint8_t *gws_chunk(const gws *e, uint32_t i) { return e->chunks + i * GWS_CHUNK; }
static inline uint16_t gws_link_of(const gws *e, uint32_t i) {
  const uint8_t *const c = gws_chunk(e, i);
  return (uint16_t)(c[0] | c[1] << 8);
}
/* gws_sections.c */
void gws_queue_header(gws *e);
void gws_finish_tile_output(gws *e);
size_t gws_take_output(gws *e, uint8_t *out, size_t capacity);
uint32_t gws_crc(uint32_t crc, const uint8_t *from, uint32_t size);
uint32_t gws_varint_size(uint32_t v);
uint8_t *gws_put_varint(uint8_t *to, uint32_t v);
uint8_t *gws_put_crc(uint8_t *to, uint32_t crc);

#endif
