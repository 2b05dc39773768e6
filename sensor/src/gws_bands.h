/* gws_bands.h: what the files share that code layers 2 and up of a row of cells; entropy.md section
 * 4.4. Symbols are few, so contexts are summed up from the nonzero neighbours, and what the host
 * keeps in arrays (edges, residuals) is worked out anew for the blocks that have something. */
#ifndef GWS_BANDS_H
#define GWS_BANDS_H

#include "gws_internal.h"

#define GWS_INLINE static inline __attribute__((always_inline))

/* Of a channel: what the scale of its symbol and its mean (1/1024) are summed up from. At first 0
 * and half. */
typedef struct {
  int32_t scale, mean;
} gws_lane_sum;
#define GWS_HALF 512
#define GWS_MAX_LANES 15

/* Differences between edges that face each other, the block's own subtracted, two side by side:
 * [0..7] by v: west and east, [8..15] by u: north and south. Values as contexts see them are 255 at
 * most, so none of a frequency above 0 leaves 16 bits; those of frequency 0 have DC in them and
 * wrap. */
typedef union {
  int16_t at[16][2];
  uint32_t pair[16];
} gws_edges;

/* Of up to eight channels: what a decision adds to its state's context, and what values ask for. */
typedef struct {
  uint32_t scale[8];
  int32_t t[8];
  uint16_t decision[8];
} gws_weighed;

/* Of one block; not on the stack, which has less room. */
typedef struct {
  union {
    gws_lane_sum sum[GWS_MAX_LANES + 1];
    struct {
      gws_lane_sum sum[8];
      gws_weighed weighed;
    } diagonal; /* of bands of no more channels */
  } lanes;
  gws_edges edges;
} gws_block_work;

/* A block's symbols: where they begin, and a bit per band that has any. */
typedef struct {
  uint16_t offset, mask;
} gws_place;

/* Where things lie while a row of cells is coded. Rows of blocks are counted from the one above: 0,
 * then 1..4. Arrays by row and block have a border of one on each side, of zeros. */
typedef struct {
  gws *e;
  uint32_t planes, blocks, pitch;
  uint32_t plane;   /* the one being coded; of it are: */
  gws_place *place; /* [5 rows] */
  gws_block_work *work;
  int16_t *dc;       /* [6 rows]; once contexts are set up, its edges */
  uint8_t *gradient; /* [5 rows] */
  uint8_t *sums;     /* of magnitudes, see gws_bands.c */
  uint8_t *own_sums; /* this plane's, `window` bands from `low` on */
  uint32_t low, window;
  uint32_t luma_low;   /* plane 0's, once another is coded; see gws_bands.c */
  uint32_t used;       /* a bit per band that any block has */
  uint8_t *scale;      /* [block] what a flag expected */
  uint8_t *set;        /* [cell] its flags in a row of blocks, a bit each */
  uint16_t *cell_mask; /* [plane][cell] of bands, the row above left out */
#if GWS_MVE
  struct gws_mve *mve;
#endif
} gws_bands;

/* What all blocks of a band share. Heads are those of symbols: position * 4. */
typedef struct {
  gws_coder *coder;
  const gws_lane *lanes;
  uint32_t band, size;    /* channels */
  uint32_t run;           /* of them on the band's first diagonal */
  uint32_t from, to;      /* heads of this band's symbols */
  uint32_t lower, lowest; /* where those of the bands before begin */
  uint32_t seen;          /* to here a layer sees the row of cells above: all its own bands */
  gws_kind kind;
  uint32_t zero; /* of `nonzero`, as decisions count */
} gws_band_rule;

/* A symbol in memory is position * 4 + code: 0 is 1, 1 is -1, 2 a signed byte follows, 3 two bytes.
 * The symbol at `b`, whose head was read, as contexts see it. */
GWS_INLINE const uint8_t *gws_take(const uint8_t *b, uint32_t head, int32_t *value,
                                   int32_t *magnitude) {
  if ((head & 2u) == 0u) {
    *value = 1 - 2 * (int32_t)(head & 1u);
    *magnitude = 1;
    return b + 1;
  }
  if ((head & 1u) == 0u) {
    *value = (int8_t)b[1];
    *magnitude = gws_magnitude(*value);
    return b + 2;
  }
  const int32_t v = (int16_t)(b[1] | b[2] << 8);
  *value = gws_clamp(v, -255, 255);
  *magnitude = gws_magnitude(v);
  return b + 3;
}

#if GWS_MVE /* gws_blocks.c: symbols of this band in the planes before, summed up by channel */
void gws_add_planes(const gws_bands *s, const gws_band_rule *r, const uint8_t *length,
                    const uint8_t *b);
#endif
/* gws_blocks.c: the channels of a band in the blocks of a row whose flags are set. */
void gws_code_blocks(const gws_bands *s, const gws_band_rule *r, uint32_t row);

#endif
