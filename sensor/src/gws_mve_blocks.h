/* gws_mve_blocks.h: the channels of bands of up to eight, all at once, with the vectors of a
 * Cortex-M55. Edges and magnitudes, which the portable code sums up anew for each block, are kept.
 */
#ifndef GWS_MVE_BLOCKS_H
#define GWS_MVE_BLOCKS_H

#include "gws_bands.h"

#if GWS_MVE
#define GWS_MVE_EDGES 32 /* bytes of a block: left, right; top, bottom turned round */

/* Of the block that is coded. */
typedef struct {
  uint8_t lower[48];     /* magnitudes two bands below from 2 on, of the band below from 18 on */
  int8_t value[32];      /* symbols from 8 and again from 16 on, among zeros */
  uint16_t lane[8];      /* 0, 1, .. */
  uint16_t decision[16]; /* are the channels zero? */
  uint32_t pair[8];      /* decisions of a sign and of a magnitude of 1; GWS_MVE_LARGE */
  uint16_t sum[8];
  int16_t t[8];
} gws_mve_block;

/* Of the plane that is coded. */
typedef struct gws_mve {
  gws_mve_block *block;
  int8_t *edges;      /* [4 rows][block], with a border of one on each side */
  int8_t *bottom;     /* [block][8] of the row above, turned round, with a border */
  uint8_t *magnitude; /* [2 rows][block][8] of the band that is coded, with a border */
  uint32_t heard;     /* symbols below this head, and in so many bands, are in `bottom` */
  uint32_t heard_bands;
  uint32_t bands; /* so many are coded here: none where an edge is no byte */
} gws_mve;

size_t gws_mve_size(uint32_t blocks);
void gws_mve_place(gws_mve *m, void *memory, uint32_t blocks);
/* Once the plane is surveyed, and has any symbol. */
void gws_mve_start_plane(const gws_bands *s);
/* Once its cells are coded: what lies above. */
void gws_mve_start_band(const gws_bands *s, const gws_band_rule *r);
void gws_mve_code_blocks(const gws_bands *s, const gws_band_rule *r, uint32_t row);
#endif

#endif
