/* Memory, parameters, lines in and bytes out. */
#include "gws_internal.h"

#if GWS_MVE
#include "gws_mve_memory.h"
#endif

static uint32_t tile_of(const gws_params *p) { return p->tile_height != 0u ? p->tile_height : 64u; }

/* Bytes of a pixel; 0: no such input. */
static uint32_t pixel_of(const gws_params *p) {
  return p->input == (uint8_t)GWS_RGB888 ? 3u
         : p->input == (uint8_t)GWS_GREY ? 1u
         : p->input <= (uint8_t)GWS_YUYV ? 2u
                                         : 0u;
}

GWS_SMALL static bool valid(const gws_params *p) {
  const uint32_t tile = tile_of(p);
  return p->width - 1u < 16384u && p->height - 1u < 0x80000000u && pixel_of(p) != 0u &&
         (p->input != (uint8_t)GWS_YUYV || p->width % 2u == 0u) && p->step_index <= 351u &&
         tile - 32u <= 4096u - 32u && (tile & (tile - 1u)) == 0u && p->layers <= 8u &&
         p->whole_strips <= 1u && p->symbol_bytes <= 60000u && p->output_bytes <= 1000000u;
}

static uint32_t align8(uint32_t n) { return (n + 7u) & ~7u; }

/* What takes memory, in this order: gws itself, contexts, chunks, lines or scratch, all multiples
 * of 8; arrays of numbers a cell of a plane; symbols. */
typedef struct {
  uint32_t planes, cells, row_bytes, chunks, symbol_room;
  uint32_t block; /* in scratch */
  uint32_t scratch, size;
} layout;

/* Bytes a cell, of those that begin as zeros and of all. */
#define COARSE 64u  /* 16 numbers, here and above */
#define RESIDUAL 2u /* here and above */
#define GRADIENT 4u /* of a row of blocks */
#define COUNT 9u    /* by band */
#define LENGTH 4u   /* of a row of blocks, of five; only the first begins as zeros */
#define ACTIVITY 1u
#define DC 8u /* of a row of blocks */
#define ZEROED (COARSE + RESIDUAL + GRADIENT + COUNT + LENGTH)
#define CELL (ZEROED + 4u * LENGTH + ACTIVITY + DC)

GWS_SMALL static layout plan(const gws_params *p) {
  layout l;
  l.planes = p->input == (uint8_t)GWS_GREY ? 1u : 3u;
  l.cells = (p->width + 31u) / 32u;
  l.row_bytes = p->width * pixel_of(p);
  l.symbol_room = p->symbol_bytes;
  if (l.symbol_room == 0u) l.symbol_room = 112u * l.cells;
  if (l.symbol_room > 60000u) l.symbol_room = 60000u;
  uint32_t output = p->output_bytes;
  if (output == 0u)
    output = l.cells * tile_of(p) * 3u / 2u + 64u; /* three eighths of a bit a pixel */
  l.chunks = (output + GWS_CHUNK_DATA - 1u) / GWS_CHUNK_DATA;
  if (l.chunks > 65000u) l.chunks = 65000u;
  /* Analysis works beside the lines, coding over them. */
  l.block = p->whole_strips != 0u ? 0u : align8(7u * l.row_bytes);
  const uint32_t coding = (uint32_t)gws_scratch_size(4u * l.cells, l.planes),
                 with_lines = l.block + 2u * GWS_BLOCK_SCRATCH;
  l.scratch = align8(with_lines > coding ? with_lines : coding);
  l.size = align8(align8(sizeof(gws)) + 2u * GWS_CONTEXTS + GWS_CHUNK * l.chunks + l.scratch +
                  CELL * l.planes * l.cells + l.symbol_room);
  return l;
}

size_t gws_mem_size(const gws_params *params) {
  return params == NULL || !valid(params) ? 0u : plan(params).size;
}

#if GWS_MVE
static void zero(void *memory, size_t size) { gws_mve_zero(memory, (uint32_t)size); }
#else
/* Apart, as a compiler would call memset() for a size that it knows. */
GWS_APART static void zero(void *memory, size_t size) {
  gws_word32 *const to = (gws_word32 *)memory;
  for (size_t i = 0; i < size / 4u; ++i) to[i] = 0;
}
#endif

static uint32_t step_range(uint32_t step_index) {
  return step_index < 128u ? 0u : step_index < 202u ? 1u : 2u;
}

/* Nothing lies above. */
GWS_FAST static void start_tile(gws *e) {
#if GWS_MVE
  gws_mve_copy(e->context, gws_start[step_range(e->params.step_index)], 2u * GWS_CONTEXTS);
#else
  const gws_word32 *const from =
      (const gws_word32 *)(const void *)gws_start[step_range(e->params.step_index)];
  gws_word32 *const to = (gws_word32 *)(void *)e->context;
  for (uint32_t i = 0; i < GWS_CONTEXTS / 2u; ++i) to[i] = from[i];
#endif
  /* Up to three bytes more are of `length`, which is not read before it is written. */
  zero(e->zeroed, ZEROED * (uint32_t)(e->planes * e->cells) + 3u);
  e->symbol_end = 0;
  e->first = true;
}

GWS_SMALL gws *gws_init(void *memory, size_t size, const gws_params *params, gws_status *status) {
  gws_status ignored = GWS_OK;
  gws_status *const result = status != NULL ? status : &ignored;
  *result = GWS_ERR_NULL;
  if (memory == NULL || params == NULL) return NULL;
  *result = GWS_ERR_PARAMS;
  if (!valid(params)) return NULL;
  const layout l = plan(params);
  *result = GWS_ERR_MEMORY;
  if (size < l.size || ((uintptr_t)memory & 7u) != 0u) return NULL;
  *result = GWS_ERR_INPUT;
  if (!GWS_TAKES(params->input)) return NULL;
  *result = GWS_ERR_STEP;
  if (gws_start[step_range(params->step_index)] == NULL) return NULL;
  zero(memory, sizeof(gws));
  gws *const e = (gws *)memory;
  e->params = *params;
  e->planes = (int32_t)l.planes;
  e->cells = (int32_t)l.cells;
  e->blocks = (int32_t)(4u * l.cells);
  e->row_bytes = l.row_bytes;
  e->layers = params->layers == 0u ? 8 : params->layers;
  e->tile_bits = (uint8_t)(31u - (uint32_t)__builtin_clz(tile_of(params)));
  for (uint32_t p = 0; p < 3u; ++p) {
    e->positions[p] = 1;
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->layers; ++b)
      e->positions[p] = gws_band_first[b + 1u];
  }
  const size_t cells = (size_t)l.planes * l.cells;
  uint8_t *at = (uint8_t *)memory + align8(sizeof(gws));
  e->context = (uint16_t *)(void *)at;
  at += 2u * GWS_CONTEXTS;
  e->chunks = at;
  e->chunk_count = (uint16_t)l.chunks;
  at += GWS_CHUNK * l.chunks;
  e->lines = at;
  e->scratch = at;
  e->block = (int16_t *)(void *)(at + l.block);
  at += l.scratch;
  e->dc_above = (int16_t *)(void *)at;
  at += DC * cells;
  e->zeroed = at;
  e->coarse = (int16_t *)(void *)at;
  e->coarse_above = e->coarse + 16u * cells;
  at += COARSE * cells;
  e->dc_residual = (int8_t *)at;
  e->dc_residual_above = e->dc_residual + cells;
  at += RESIDUAL * cells;
  e->gradient_above = at;
  at += GRADIENT * cells;
  e->count = at;
  at += COUNT * cells;
  e->length = at;
  at += 5u * LENGTH * cells;
  e->activity = at;
  e->symbols = at + ACTIVITY * cells;
  e->symbol_room = l.symbol_room;
  gws_prepare_quantiser(&e->q, params->step_index);
  e->magic = GWS_MAGIC;
  *result = gws_reset(e);
  return e;
}

bool gws_is_encoder(const gws *e) { return ((uintptr_t)e & 7u) == 0u && e->magic == GWS_MAGIC; }

GWS_SMALL gws_status gws_reset(gws *e) {
  if (e == NULL) return GWS_ERR_NULL;
  if (!gws_is_encoder(e)) return GWS_ERR_STATE;
  e->decision_end = e->decision;
  e->taken_by = NULL;
  e->row = 0;
  e->block_row = 0;
  e->stats.dropped_symbols = 0;
  e->stats.dropped_layers = 0;
  start_tile(e);
  gws_queue_header(e);
  return GWS_OK;
}

/* A row of cells is done: what lay in it now lies above. */
static void keep_row(gws *e) {
  const uint32_t line = (uint32_t)(e->planes * e->blocks);
  int16_t *const coarse = e->coarse_above;
  e->coarse_above = e->coarse;
  e->coarse = coarse;
  int8_t *const residual = e->dc_residual_above;
  e->dc_residual_above = e->dc_residual;
  e->dc_residual = residual;
  /* The last row of blocks, whose symbols are the last ones. */
  uint8_t *const length = e->length, *to = e->symbols;
#if GWS_MVE
  const uint8_t *const last = length + 4u * line;
  const uint32_t size = gws_mve_sum(last, line);
  gws_mve_copy(length, last, line);
  gws_mve_copy(to, to + e->symbol_end - size, size); /* from behind */
#else
  uint32_t size = 0;
  for (uint32_t i = 0; i < line; ++i) {
    length[i] = length[4u * line + i];
    size += length[i];
  }
  const uint8_t *from = to + e->symbol_end - size;
  for (uint32_t i = size; i > 0u; --i) *to++ = *from++;
#endif
  e->symbol_end = size;
  e->first = false;
}

static void code_row_of_cells(gws *e) {
  if (e->first) gws_start_tile_output(e);
  gws_analyse_coarse(e);
  gws_code_coarse(e);
  if (e->live_layers > 2) gws_code_bands(e);
  keep_row(e);
}

static bool is_last(const gws *e) { return e->row + 1u == e->params.height; }

/* The strip that ends with line e->row. */
GWS_SMALL static void finish_strip(gws *e, const uint8_t *const rows[8]) {
  const bool last = is_last(e);
  gws_analyse_blocks(e, rows);
  ++e->block_row;
  if (last) { /* the picture's last line goes on to the end of its cells */
    const uint8_t *below[8];
    for (uint32_t i = 0; i < 8u; ++i) below[i] = rows[7];
    for (bool first = true; e->block_row < 4u; ++e->block_row, first = false) {
      if (first || !gws_repeat_blocks(e)) gws_analyse_blocks(e, below);
    }
  }
  ++e->row;
  if (e->block_row < 4u) return;
  e->block_row = 0;
  code_row_of_cells(e);
  if (last || (e->row & ((1u << e->tile_bits) - 1u)) == 0u) {
    gws_finish_tile_output(e);
    start_tile(e);
  }
}

GWS_SMALL gws_status gws_push_rows(gws *e, const void *rows, size_t stride, uint32_t count,
                                   uint32_t *taken) {
  if (taken != NULL) *taken = 0;
  if (e == NULL || taken == NULL || (rows == NULL && count > 0u)) return GWS_ERR_NULL;
  if (!gws_is_encoder(e)) return GWS_ERR_STATE;
  if (stride < e->row_bytes && count > 1u) return GWS_ERR_STRIDE;
  if (count > e->params.height - e->row) return GWS_ERR_ROWS;
  if (e->params.whole_strips != 0u && count % 8u != 0u && count != e->params.height - e->row)
    return GWS_ERR_STRIP;
  while (*taken < count) {
    /* Of a single row the stride is not looked at: nothing is made of it beyond the last row. */
    const uint8_t *const line = (const uint8_t *)rows + *taken * stride;
    const uint32_t at = e->row & 7u, left = count - *taken;
    const uint32_t to_end = e->params.height - e->row;
    const uint32_t wanted = 8u - at < to_end ? 8u - at : to_end; /* lines to the end of the strip */
    if (left < wanted) { /* copied: the strip is not whole yet */
      uint8_t *const to = e->lines + (size_t)at * e->row_bytes;
      for (uint32_t i = 0; i < e->row_bytes; ++i) to[i] = line[i];
      ++*taken;
      ++e->row;
      continue;
    }
    /* What waits lies where the next row of cells would be coded. */
    const bool codes = e->block_row == 3u || wanted == to_end;
    if (codes && e->waits > 0u) return GWS_PULL;
    const uint8_t *pointer[8];
    for (uint32_t i = 0; i < 8u; ++i) {
      const uint32_t here = i < at ? i : i - at < wanted ? i - at : wanted - 1u;
      pointer[i] = i < at ? e->lines + (size_t)here * e->row_bytes : line + here * stride;
    }
    *taken += wanted;
    e->row += wanted - 1u;
    finish_strip(e, pointer);
  }
  return GWS_OK;
}

gws_status gws_pull(gws *e, void *out, size_t capacity, size_t *count) {
  if (count != NULL) *count = 0;
  if (e == NULL || count == NULL || (out == NULL && capacity > 0u)) return GWS_ERR_NULL;
  if (!gws_is_encoder(e)) return GWS_ERR_STATE;
  if (e->taken_by != NULL && e->taken_by != e) return GWS_ERR_MIXED;
  *count = gws_take_output(e, (uint8_t *)out, capacity);
  if (*count > 0u) e->taken_by = e;
  return GWS_OK;
}

gws_status gws_finish(gws *e) {
  if (e == NULL) return GWS_ERR_NULL;
  if (!gws_is_encoder(e)) return GWS_ERR_STATE;
  if (e->row != e->params.height) return GWS_ERR_ROWS;
  return e->waits > 0u ? GWS_PULL : GWS_OK;
}

gws_status gws_get_stats(const gws *e, gws_stats *stats) {
  if (e == NULL || stats == NULL) return GWS_ERR_NULL;
  if (!gws_is_encoder(e)) return GWS_ERR_STATE;
  *stats = e->stats;
  return GWS_OK;
}

const char *gws_status_text(int status) {
  switch (status) {
    case GWS_OK:
      return "done";
    case GWS_PULL:
      return "bytes wait to be pulled first";
    case GWS_ERR_NULL:
      return "a null pointer";
    case GWS_ERR_PARAMS:
      return "a parameter out of range";
    case GWS_ERR_MEMORY:
      return "too little memory, or not aligned to 8 bytes";
    case GWS_ERR_STATE:
      return "no encoder in this memory";
    case GWS_ERR_ROWS:
      return "more rows than the picture has, or fewer";
    case GWS_ERR_STRIDE:
      return "a stride smaller than a row";
    case GWS_ERR_STRIP:
      return "rows that are no whole strips of eight";
    case GWS_ERR_STEP:
      return "built without the tables for this step";
    case GWS_ERR_PACKET:
      return "a buffer smaller than the packets";
    case GWS_ERR_MIXED:
      return "bytes and packets of the same picture";
    case GWS_ERR_INPUT:
      return "built without this input";
    default:
      return "unknown";
  }
}
