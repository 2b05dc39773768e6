/* The range coder of entropy.md section 2, whose bytes wait in chunks until their row of tiles is
 * done, and the sections around them. */
#include "gws_classes.h"

const uint8_t gws_twice[64] = {0,  2,  4,  6,  8,  8,  10, 10, 12, 12, 12, 12, 14, 14, 14, 14,
                               16, 16, 16, 16, 16, 16, 16, 16, 18, 18, 18, 18, 18, 18, 18, 18,
                               20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
                               22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22};
uint32_t gws_large_class(uint32_t sum) {
  const uint32_t scale = gws_scale_class(sum);
  return 2u * (scale < 19u ? scale : 19u);
}

static uint8_t *chunk(const gws *e, uint32_t i) { return e->chunks + (size_t)i * GWS_CHUNK; }
static uint16_t link_of(const gws *e, uint32_t i) {
  const uint8_t *const c = chunk(e, i);
  return (uint16_t)(c[0] | c[1] << 8);
}
static void set_link(const gws *e, uint32_t i, uint32_t to) {
  uint8_t *const c = chunk(e, i);
  c[0] = (uint8_t)to;
  c[1] = (uint8_t)(to >> 8);
}

static void start_coder(gws_coder *c) {
  c->low = 0;
  c->range = 0xffffffffu;
  c->pending = 0;
  c->size = 0;
  c->first = c->last = GWS_NO_CHUNK;
  c->carry = c->cache = c->started = c->room = c->any = 0;
}

/* Puts a layer's chunks back. */
static void release(gws *e, gws_coder *c) {
  if (c->first != GWS_NO_CHUNK) {
    set_link(e, c->last, e->free_chunk);
    e->free_chunk = c->first;
  }
  c->first = c->last = GWS_NO_CHUNK;
  c->size = 0;
  c->room = 0;
}

GWS_SMALL void gws_start_tile_output(gws *e) {
  for (uint32_t i = 0; i < e->chunk_count; ++i)
    set_link(e, i, i + 1u < e->chunk_count ? i + 1u : GWS_NO_CHUNK);
  e->free_chunk = e->chunk_count > 0u ? 0u : GWS_NO_CHUNK;
  for (uint32_t l = 0; l < GWS_LAYERS; ++l) start_coder(&e->coder[l]);
  e->live_layers = e->layers;
  e->present = 0;
}

/* No chunk is left: the finest layers go. A layer's contexts never see finer ones. */
GWS_SMALL static bool make_room(gws *e, const gws_coder *wanted) {
  while (e->free_chunk == GWS_NO_CHUNK && e->live_layers > 0) {
    --e->live_layers;
    ++e->stats.dropped_layers;
    release(e, &e->coder[e->live_layers]);
    if (wanted == &e->coder[e->live_layers]) return false;
  }
  return e->free_chunk != GWS_NO_CHUNK;
}

static bool is_live(const gws *e, const gws_coder *c) { return c < e->coder + e->live_layers; }

/* Says false if the layer is left out. */
GWS_SMALL GWS_APART static bool next_chunk(gws *e, gws_coder *c) {
  if (!is_live(e, c)) return false;
  if (e->free_chunk == GWS_NO_CHUNK && !make_room(e, c)) return false;
  const uint16_t next = e->free_chunk;
  e->free_chunk = link_of(e, next);
  if (c->first == GWS_NO_CHUNK) {
    c->first = next;
  } else {
    set_link(e, c->last, next);
  }
  c->last = next;
  set_link(e, next, GWS_NO_CHUNK);
  c->room = GWS_CHUNK_DATA;
  return true;
}

static void put(gws *e, gws_coder *c, uint32_t byte) {
  if (c->room == 0u && !next_chunk(e, c)) return;
  *(chunk(e, c->last) + GWS_CHUNK - c->room) = (uint8_t)byte;
  c->any |= (uint8_t)byte;
  --c->room;
  ++c->size;
}

static void shift_out(gws *e, gws_coder *c) {
  if (c->low < 0xff000000u || c->carry != 0u) {
    if (c->started != 0u) put(e, c, (uint32_t)c->cache + c->carry);
    for (; c->pending > 0u; --c->pending) put(e, c, 0xffu + c->carry);
    c->cache = (uint8_t)(c->low >> 24);
    c->started = 1;
    c->carry = 0;
  } else {
    ++c->pending;
  }
  c->low <<= 8;
}

/* Apart, as most bits need none of this. */
GWS_APART static void renormalise(gws *e, gws_coder *c) {
  do {
    c->range <<= 8;
    shift_out(e, c);
  } while (c->range < (1u << 24));
}

/* Codes decisions from `at` on, up to the first after which the range is below 2^24. */
#if defined(__thumb2__) && !defined(GWS_PORTABLE)
/* By hand, for the bit that leaves a register as carry, and the carry of a sum. */
static inline const uint16_t *code_some(const uint16_t *at, const uint16_t *end, uint16_t *contexts,
                                        gws_coder *c) {
  uint32_t low = c->low, range = c->range, carry = c->carry, i, p1, bound, t;
  __asm__ volatile(
      "1: ldrh %4, [%0], #2\n\tlsrs %4, %4, #1\n\tldrh %5, [%8, %4, lsl #1]\n\t"
      "sub %6, %9, %5, lsl #16\n\tumull %7, %6, %2, %6\n\tbcs 2f\n\t"
      "mov %2, %6\n\trsb %7, %5, #32\n\tadd %5, %5, %7, asr #6\n\t"
      "strh %5, [%8, %4, lsl #1]\n\tcmp %2, #0x1000000\n\tbcc 3f\n\t"
      "cmp %0, %10\n\tbcc 1b\n\tb 3f\n"
      "2: adds %1, %1, %6\n\tadc %3, %3, #0\n\tsub %2, %2, %6\n\t"
      "sub %7, %11, %5\n\tadd %5, %5, %7, lsr #6\n\t"
      "strh %5, [%8, %4, lsl #1]\n\tcmp %2, #0x1000000\n\tbcc 3f\n\t"
      "cmp %0, %10\n\tbcc 1b\n3:"
      : "+&r"(at), "+&r"(low), "+&r"(range), "+&r"(carry), "=&r"(i), "=&r"(p1), "=&r"(bound),
        "=&r"(t)
      : "r"(contexts), "r"(0), "r"(end), "r"(65536 + 32)
      : "cc", "memory");
  c->low = low;
  c->range = range;
  c->carry = (uint8_t)carry;
  return at;
}
#else
static inline const uint16_t *code_some(const uint16_t *at, const uint16_t *end, uint16_t *contexts,
                                        gws_coder *c) {
  uint32_t low = c->low, range = c->range;
  do {
    const uint32_t decision = *at++;
    uint16_t *const context = contexts + (decision >> 1);
    uint32_t p1 = *context;
    const uint32_t bound = (uint32_t)(((uint64_t)range * (0u - (p1 << 16))) >> 32);
    if ((decision & 1u) != 0u) {
      low += bound;
      if (low < bound) c->carry = 1;
      range -= bound;
      p1 += (65536u + 32u - p1) >> 6;
    } else {
      range = bound;
      p1 += (uint32_t)((32 - (int32_t)p1) >> 6);
    }
    *context = (uint16_t)p1;
  } while (range >= (1u << 24) && at < end);
  c->low = low;
  c->range = range;
  return at;
}
#endif

void gws_code(gws *e, gws_coder *c) {
  const uint16_t *at = e->decision, *const end = e->decision_end;
  while (at < end) {
    at = code_some(at, end, e->context, c);
    if (c->range < (1u << 24)) renormalise(e, c);
  }
  e->decision_end = e->decision;
}

void gws_raw(gws *e, gws_coder *c, uint32_t value, uint32_t count) {
  gws_code(e, c);
  const uint32_t unit = c->range >> count;
  c->low += unit * value;
  if (c->low < unit * value) c->carry = 1;
  c->range = unit;
  if (c->range < (1u << 24)) renormalise(e, c);
}

/* The unary part that is not over after 14, and low bits: both seldom. */
GWS_SMALL GWS_APART static void code_large(gws *e, gws_coder *c, uint32_t rest, uint32_t low_bits) {
  const uint32_t high = rest >> low_bits;
  if (high >= 14u) {
    const uint32_t escape = high - 13u, width = 31u - (uint32_t)__builtin_clz(escape);
    for (uint32_t w = 0; w < width; ++w) gws_raw(e, c, 1, 1);
    if (width < 15u) gws_raw(e, c, 0, 1);
    gws_raw(e, c, escape - (1u << width), width);
  }
  if (low_bits > 0u) gws_raw(e, c, rest & ((1u << low_bits) - 1u), low_bits);
}

const uint8_t gws_level[24] = {0, 2, 2, 4, 4, 4, 6, 6, 6, 6, 6, 6,
                               8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8};

/* entropy.md section 4.2. */
void gws_nonzero(gws *e, gws_coder *c, const gws_kind *kind, int32_t value, uint32_t scale,
                 int32_t t) {
  if (e->decision_end > e->decision + GWS_DECISIONS - 32)
    gws_code(e, c); /* these 16, and 15 more until the next */
  uint16_t *list = e->decision_end;
  *list++ = gws_sign(kind, value, t);
  const uint32_t low_bits = scale > 17u ? scale / 2u - 8u : 0u;
  uint32_t base = kind->magnitude + (scale > 6u ? 12u * (scale - 6u) : 0u);
  const uint32_t rest = (uint32_t)gws_abs(value) - 1u, high = rest >> low_bits;
  for (uint32_t unary = 0; unary < high && unary < 14u; ++unary) {
    *list++ = (uint16_t)(base + 1u);
    if (unary < 5u) base += 2u;
  }
  if (high < 14u) *list++ = (uint16_t)base;
  e->decision_end = list;
  if (high >= 14u || low_bits > 0u) code_large(e, c, rest, low_bits);
}

/* Ends on the value of [low, low + range) with most zero bytes at its end. */
GWS_SMALL static void flush(gws *e, gws_coder *c) {
  const uint64_t low = (uint64_t)c->carry << 32 | c->low, limit = low + c->range;
  const uint64_t whole = (low + 0xffffffffu) >> 32 << 32;
  const bool once = whole < limit;
  const uint64_t last = once ? whole : (low + 0x00ffffffu) >> 24 << 24;
  c->carry = (uint8_t)(last >> 32);
  c->low = (uint32_t)last;
  shift_out(e, c);
  if (!once) shift_out(e, c);
  if (c->any == 0u) release(e, c);
}

/* ------------------------------------------------------------------------ sections */

/* CRC-32C by half bytes. */
uint32_t gws_crc_byte(uint32_t crc, uint32_t byte) {
  static const uint32_t kTable[16] = {0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u,
                                      0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
                                      0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
                                      0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u};
  const uint32_t low = crc ^ byte, high = (low >> 4) ^ kTable[low & 15u];
  return (high >> 4) ^ kTable[high & 15u];
}

static void head_u8(gws *e, uint32_t v) { e->head[e->head_size++] = (uint8_t)v; }
static void head_varint(gws *e, uint32_t v) {
  for (; v >= 128u; v >>= 7) head_u8(e, v | 128u);
  head_u8(e, v);
}
uint32_t gws_varint_size(uint32_t v) {
  uint32_t n = 1;
  for (; v >= 128u; v >>= 7) ++n;
  return n;
}

static uint32_t bit_length(uint32_t v) { return v == 0u ? 0u : 32u - (uint32_t)__builtin_clz(v); }

/* Log2 of the width of tiles: the picture's, rounded up. */
static uint32_t tile_width_bits(uint32_t width) {
  return width <= 32u ? 5u : bit_length(width - 1u);
}

GWS_SMALL void gws_queue_header(gws *e) {
  static const uint8_t kMagic[4] = {'G', 'D', 'W', 1};
  const gws_params *const p = &e->params;
  const uint32_t wide = tile_width_bits(p->width), high = e->tile_bits;
  const bool tile = wide != 10u || high != 10u;
  const uint32_t body =
      1u + gws_varint_size(p->width) + gws_varint_size(p->height) + 8u + 2u + (tile ? 1u : 0u);
  e->head_size = e->head_at = 0;
  for (uint32_t i = 0; i < 4u; ++i) head_u8(e, kMagic[i]);
  head_u8(e, 0x81);
  head_u8(e, body);
  head_u8(e, (e->planes == 3 ? 1u : 0u) | (tile ? 4u : 0u) | 32u);
  head_varint(e, p->width);
  head_varint(e, p->height);
  for (uint32_t i = 0; i < 8u; ++i) head_u8(e, gws_model_id[i]);
  const uint32_t rate = p->step_index | (uint32_t)(e->layers - 1) << 12;
  head_u8(e, rate & 255u);
  head_u8(e, rate >> 8);
  if (tile) head_u8(e, wide == high ? high : (wide - 4u) << 4 | high);
  uint32_t crc = 0xffffffffu;
  for (uint32_t i = 4; i < e->head_size; ++i) crc = gws_crc_byte(crc, e->head[i]);
  crc = ~crc;
  for (uint32_t i = 0; i < 4u; ++i) head_u8(e, crc >> (8u * i) & 255u);
  e->out_layers = e->out_layer = 0;
  e->out_left = 0;
  e->out_tail = 0;
}

/* The next layer's length, and then its bytes. */
GWS_SMALL static void begin_layer(gws *e) {
  const uint32_t size = e->coder[e->out_layer].size;
  e->head_size = e->head_at = 0;
  head_varint(e, size);
  for (uint32_t i = 0; i < e->head_size; ++i) e->crc = gws_crc_byte(e->crc, e->head[i]);
  e->out_at = 0;
  e->out_left = size;
  ++e->out_layer;
}

GWS_SMALL void gws_finish_tile_output(gws *e) {
  for (int32_t l = 0; l < e->layers; ++l) {
    gws_coder *const c = &e->coder[l];
    if (l < e->live_layers && (e->present >> l & 1u) != 0u) {
      flush(e, c);
    } else {
      release(e, c);
    }
  }
  for (int32_t l = e->live_layers; l < e->layers; ++l) release(e, &e->coder[l]);
  uint32_t count = (uint32_t)e->layers;
  while (count > 1u && e->coder[count - 1u].size == 0u) --count;
  const uint32_t tile_row = (e->row - 1u) >> e->tile_bits;
  uint32_t body = gws_varint_size(tile_row) + 1u;
  for (uint32_t l = 0; l < count; ++l) body += gws_varint_size(e->coder[l].size) + e->coder[l].size;
  e->head_size = e->head_at = 0;
  head_u8(e, 0x82);
  head_varint(e, body);
  head_varint(e, tile_row);
  head_u8(e, (count - 1u) << 4);
  e->crc = 0xffffffffu;
  for (uint32_t i = 0; i < e->head_size; ++i) e->crc = gws_crc_byte(e->crc, e->head[i]);
  e->out_layers = (uint8_t)count;
  e->out_layer = 0;
  e->out_left = 0;
  e->out_tail = 4;
}

bool gws_output_waits(const gws *e) {
  return e->head_at < e->head_size || e->out_layer < e->out_layers || e->out_left > 0u ||
         e->out_tail > 0u;
}

size_t gws_take_output(gws *e, uint8_t *out, size_t capacity) {
  size_t n = 0;
  while (n < capacity) {
    if (e->head_at < e->head_size) {
      out[n++] = e->head[e->head_at++];
    } else if (e->out_left > 0u) {
      gws_coder *const c = &e->coder[e->out_layer - 1u];
      const uint8_t *const from = chunk(e, c->first) + 2u;
      uint32_t size = GWS_CHUNK_DATA - e->out_at, crc = e->crc;
      if (size > e->out_left) size = e->out_left;
      if (size > capacity - n) size = (uint32_t)(capacity - n);
      for (uint32_t i = 0; i < size; ++i) {
        const uint8_t byte = from[e->out_at + i];
        crc = gws_crc_byte(crc, byte);
        out[n + i] = byte;
      }
      e->crc = crc;
      n += size;
      e->out_left -= size;
      e->out_at = (uint16_t)(e->out_at + size);
      if (e->out_at == GWS_CHUNK_DATA) {
        e->out_at = 0;
        c->first = link_of(e, c->first);
      }
    } else if (e->out_layer < e->out_layers) {
      begin_layer(e);
    } else if (e->out_tail > 0u) {
      out[n++] = (uint8_t)(~e->crc >> (8u * (4u - e->out_tail)));
      --e->out_tail;
    } else {
      break;
    }
  }
  return n;
}
