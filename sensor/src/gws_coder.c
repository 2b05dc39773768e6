/* The range coder of entropy.md section 2, whose bytes wait in chunks until their row of tiles is
 * done. */
#include "gws_classes.h"

const uint8_t gws_twice[64] = {0,  2,  4,  6,  8,  8,  10, 10, 12, 12, 12, 12, 14, 14, 14, 14,
                               16, 16, 16, 16, 16, 16, 16, 16, 18, 18, 18, 18, 18, 18, 18, 18,
                               20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20,
                               22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22};
uint32_t gws_large_class(uint32_t sum) {
  const uint32_t scale = gws_scale_class(sum);
  return 2u * (scale < 19u ? scale : 19u);
}

static void set_link(const gws *e, uint32_t i, uint32_t to) {
  uint8_t *const c = gws_chunk(e, i);
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
  e->free_chunk = gws_link_of(e, next);
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

GWS_FAST static void shift_out(gws *e, gws_coder *c) {
  const uint32_t low = c->low;
  c->low = low << 8;
  if (low >= 0xff000000u && c->carry == 0u) {
    ++c->pending;
    return;
  }
  const uint32_t next = 0xffu + c->carry;
  uint32_t byte = c->started != 0u ? (uint32_t)c->cache + c->carry : next,
           count = c->pending + c->started;
  c->cache = (uint8_t)(low >> 24);
  c->carry = 0;
  c->pending = 0;
  c->started = 1;
  for (; count > 0u; --count, byte = next) {
    if (c->room == 0u && !next_chunk(e, c)) continue;
    *(gws_chunk(e, c->last) + GWS_CHUNK - c->room) = (uint8_t)byte;
    c->any |= (uint8_t)byte;
    --c->room;
    ++c->size;
  }
}

#if GWS_MVE
/* A byte where nothing is pending and its chunk has room; and the rest. */
static void renormalise(gws *e, gws_coder *c) {
  uint32_t low = c->low, range = c->range;
  do {
    if (c->pending != 0u || c->started == 0u || c->room == 0u ||
        (low >= 0xff000000u && c->carry == 0u)) {
      c->low = low;
      shift_out(e, c);
    } else {
      const uint32_t byte = ((uint32_t)c->cache + c->carry) & 255u, room = c->room;
      *(gws_chunk(e, c->last) + GWS_CHUNK - room) = (uint8_t)byte;
      c->room = (uint8_t)(room - 1u);
      c->any |= (uint8_t)byte;
      ++c->size;
      c->cache = (uint8_t)(low >> 24);
      c->carry = 0;
    }
    low <<= 8;
    range <<= 8;
  } while (range < (1u << 24));
  c->low = low;
  c->range = range;
}
#else
/* Apart, as most bits need none of this. */
GWS_APART static void renormalise(gws *e, gws_coder *c) {
  do {
    c->range <<= 8;
    shift_out(e, c);
  } while (c->range < (1u << 24));
}
#endif

/* Codes decisions from `at` on, up to the first after which the range is below 2^24. */
#if GWS_MVE
#include "gws_mve_coder.h"
#elif defined(__thumb2__) && !defined(GWS_PORTABLE)
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

/* entropy.md section 4.2. Most values are of magnitude 1 and have few low bits. */
GWS_FAST void gws_nonzero_of(gws *e, gws_coder *c, const gws_kind *kind, int32_t value,
                             uint32_t sum, int32_t t) {
  if (e->decision_end > e->decision + GWS_DECISIONS - 32)
    gws_code(e, c); /* these 16, and 15 more until the next */
  uint16_t *list = e->decision_end;
  *list++ = gws_sign(kind, value, t);
  const uint32_t scale = gws_scale_class(sum), low_bits = scale > 17u ? scale / 2u - 8u : 0u;
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
  const uint32_t low = c->low, end = low + c->range;
  const bool carries = end != 0u && end < low, once = low == 0u || carries;
  c->carry = (uint8_t)(c->carry + (carries ? 1u : 0u));
  c->low = once ? 0u : (low + 0x00ffffffu) & 0xff000000u; /* range is 2^24 or more */
  shift_out(e, c);
  if (!once) shift_out(e, c);
  if (c->any == 0u) release(e, c);
}

GWS_SMALL void gws_end_tile_output(gws *e) {
  for (int32_t l = 0; l < e->layers; ++l) {
    gws_coder *const c = &e->coder[l];
    if (l < e->live_layers && (e->present >> l & 1u) != 0u) {
      flush(e, c);
    } else {
      release(e, c);
    }
  }
}
