/* Memory, parameters, lines in and bytes out. */
#include "gws_internal.h"

#define DEFAULT_TILE_HEIGHT 64u

typedef struct {
  uint32_t planes, cells, blocks, row_bytes, chunks, symbol_room;
  size_t context, lines, block, coarse, residual, dc, gradient, activity, count, length, symbols,
      output, size;
} layout;

static uint32_t bytes_of_row(const gws_params *p) {
  switch (p->input) {
    case GWS_RGB888:
      return 3u * p->width;
    case GWS_GREY:
      return p->width;
    case GWS_RGB565:
    case GWS_RGB565_BE:
    case GWS_YUYV:
      return 2u * p->width;
    default:
      return 0;
  }
}

GWS_SMALL static bool valid(const gws_params *p) {
  const uint32_t tile = p->tile_height == 0u ? DEFAULT_TILE_HEIGHT : p->tile_height;
  return p->width >= 1u && p->width <= 16384u && p->height >= 1u && p->height <= 0x80000000u &&
         bytes_of_row(p) != 0u && (p->input != GWS_YUYV || p->width % 2u == 0u) &&
         p->step_index <= 351u && tile >= 32u && tile <= 4096u && (tile & (tile - 1u)) == 0u &&
         p->layers <= 8u && p->whole_strips <= 1u && p->symbol_bytes <= 60000u &&
         p->output_bytes <= 1000000u;
}

static size_t align8(size_t n) { return (n + 7u) & ~(size_t)7u; }

/* Where everything lies, from the start of the memory. */
GWS_SMALL static layout plan(const gws_params *p) {
  layout l;
  const uint32_t tile = p->tile_height == 0u ? DEFAULT_TILE_HEIGHT : p->tile_height;
  l.planes = p->input == GWS_GREY ? 1u : 3u;
  l.cells = (p->width + 31u) / 32u;
  l.blocks = 4u * l.cells;
  l.row_bytes = bytes_of_row(p);
  const uint32_t symbols = p->symbol_bytes != 0u ? p->symbol_bytes : 112u * l.cells;
  l.symbol_room = symbols < 60000u ? symbols : 60000u;
  uint64_t output = p->output_bytes;
  if (output == 0u)
    output = (uint64_t)l.cells * tile * 3u / 2u + 64u; /* three eighths of a bit a pixel */
  l.chunks = (uint32_t)((output + GWS_CHUNK_DATA - 1u) / GWS_CHUNK_DATA);
  if (l.chunks > 65000u) l.chunks = 65000u;
  size_t at = align8(sizeof(gws));
  const size_t cells = (size_t)l.planes * l.cells, blocks = (size_t)l.planes * l.blocks;
  l.context = at;
  at = align8(at + 2u * GWS_CONTEXTS);
  l.lines = at;
  const size_t lines = p->whole_strips != 0u ? 0u : 7u * (size_t)l.row_bytes;
  /* Analysis works beside the lines, coding over them. */
  const size_t scratch = gws_scratch_size(l.blocks, l.planes),
               with_lines = lines + 2u * GWS_BLOCK_SCRATCH;
  l.block = align8(lines);
  at = align8(at + 8u + (with_lines > scratch ? with_lines : scratch));
  l.coarse = at;
  at = align8(at + 2u * 2u * 16u * cells);
  l.dc = at;
  at = align8(at + 2u * blocks);
  l.residual = at;
  at = align8(at + 2u * cells);
  l.gradient = at;
  at = align8(at + blocks);
  l.activity = at;
  at = align8(at + cells);
  l.count = at;
  at = align8(at + 9u * cells);
  l.length = at;
  at = align8(at + 5u * blocks);
  l.symbols = at;
  at = align8(at + l.symbol_room);
  l.output = at;
  l.size = align8(at + (size_t)l.chunks * GWS_CHUNK);
  return l;
}

size_t gws_mem_size(const gws_params *params) {
  return params == NULL || !valid(params) ? 0u : plan(params).size;
}

GWS_SMALL static void zero(void *memory, size_t size) {
  uint8_t *const to = (uint8_t *)memory;
  size_t i = 0;
  if (((uintptr_t)memory & 3u) == 0u) {
    for (; i + 4u <= size; i += 4u) *(gws_word32 *)(void *)(to + i) = 0;
  }
  for (; i < size; ++i) to[i] = 0;
}

static uint32_t step_range(uint32_t step_index) {
  return step_index < 128u ? 0u : step_index < 202u ? 1u : 2u;
}

/* Nothing lies above. */
static void start_tile(gws *e) {
  const uint16_t *const start = gws_start[step_range(e->params.step_index)];
  const size_t planes = (size_t)e->planes, cells = (size_t)e->cells, blocks = (size_t)e->blocks;
  gws_word32 *const to = (gws_word32 *)(void *)e->context;
  const gws_word32 *const from = (const gws_word32 *)(const void *)start;
  for (uint32_t i = 0; i < GWS_CONTEXTS / 2u; ++i) to[i] = from[i];
  zero(e->coarse_above, 2u * 16u * planes * cells);
  zero(e->dc_residual_above, planes * cells);
  zero(e->gradient_above, planes * blocks);
  zero(e->count, 9u * planes * cells);
  zero(e->length, planes * blocks);
  e->symbol_end = 0;
  e->first = true;
}

GWS_SMALL gws *gws_init(void *memory, size_t size, const gws_params *params, gws_status *status) {
  gws_status ignored = GWS_OK;
  gws_status *const result = status != NULL ? status : &ignored;
  if (memory == NULL || params == NULL) {
    *result = GWS_ERR_NULL;
    return NULL;
  }
  if (!valid(params)) {
    *result = GWS_ERR_PARAMS;
    return NULL;
  }
  const layout l = plan(params);
  if (size < l.size || ((uintptr_t)memory & 7u) != 0u) {
    *result = GWS_ERR_MEMORY;
    return NULL;
  }
  if (gws_start[step_range(params->step_index)] == NULL) {
    *result = GWS_ERR_STEP;
    return NULL;
  }
  uint8_t *const base = (uint8_t *)memory;
  zero(memory, sizeof(gws));
  gws *const e = (gws *)memory;
  e->params = *params;
  e->planes = (int32_t)l.planes;
  e->cells = (int32_t)l.cells;
  e->blocks = (int32_t)l.blocks;
  e->row_bytes = l.row_bytes;
  e->layers = params->layers == 0u ? 8 : params->layers;
  const uint32_t tile = params->tile_height == 0u ? DEFAULT_TILE_HEIGHT : params->tile_height;
  e->tile_bits = 5;
  while (1u << e->tile_bits < tile) ++e->tile_bits;
  for (uint32_t p = 0; p < 3u; ++p) {
    e->positions[p] = 1;
    for (uint32_t b = 0; b < 9u && (int32_t)gws_layer_of(p, b) < e->layers; ++b)
      e->positions[p] = gws_band_first[b + 1u];
  }
  const size_t cells = (size_t)l.planes * l.cells;
  e->context = (uint16_t *)(void *)(base + l.context);
  e->lines = base + l.lines;
  e->scratch = base + l.lines;
  e->block = (int16_t *)(void *)(base + l.lines + l.block);
  e->coarse = (int16_t *)(void *)(base + l.coarse);
  e->coarse_above = e->coarse + 16u * cells;
  e->dc_residual = (int8_t *)(base + l.residual);
  e->dc_residual_above = e->dc_residual + cells;
  e->dc_above = (int16_t *)(void *)(base + l.dc);
  e->gradient_above = base + l.gradient;
  e->activity = base + l.activity;
  e->count = base + l.count;
  e->length = base + l.length;
  e->symbols = base + l.symbols;
  e->symbol_room = l.symbol_room;
  e->chunks = base + l.output;
  e->chunk_count = (uint16_t)l.chunks;
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
  const size_t line = (size_t)e->planes * (size_t)e->blocks;
  int16_t *const coarse = e->coarse_above;
  e->coarse_above = e->coarse;
  e->coarse = coarse;
  int8_t *const residual = e->dc_residual_above;
  e->dc_residual_above = e->dc_residual;
  e->dc_residual = residual;
  /* The symbols of the last row of blocks, and where they begin. */
  size_t begin = 0, size = 0;
  for (size_t i = 0; i < 4u * line; ++i) begin += e->length[i];
  for (size_t i = 0; i < line; ++i) {
    e->length[i] = e->length[4u * line + i];
    size += e->length[i];
  }
  for (size_t i = 0; i < size; ++i) e->symbols[i] = e->symbols[begin + i];
  e->symbol_end = (uint32_t)size;
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
  const uint8_t *line = (const uint8_t *)rows;
  while (*taken < count) {
    const uint32_t at = e->row & 7u, left = count - *taken;
    const uint32_t to_end = e->params.height - e->row;
    const uint32_t wanted = 8u - at < to_end ? 8u - at : to_end; /* lines to the end of the strip */
    if (left < wanted) { /* copied: the strip is not whole yet */
      uint8_t *const to = e->lines + (size_t)at * e->row_bytes;
      for (uint32_t i = 0; i < e->row_bytes; ++i) to[i] = line[i];
      line += stride;
      ++*taken;
      ++e->row;
      continue;
    }
    /* What waits lies where the next row of cells would be coded. */
    const bool codes = e->block_row == 3u || wanted == to_end;
    if (codes && gws_output_waits(e)) return GWS_PULL;
    const uint8_t *pointer[8];
    for (uint32_t i = 0; i < 8u; ++i) {
      const uint32_t here = i < at ? i : i - at < wanted ? i - at : wanted - 1u;
      pointer[i] = i < at ? e->lines + (size_t)here * e->row_bytes : line + here * stride;
    }
    line += wanted * stride;
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
  return gws_output_waits(e) ? GWS_PULL : GWS_OK;
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
    default:
      return "unknown";
  }
}
