/* gws_mve_block.h: the channels of a band in one block, at once: differences between edges, means,
 * sums and decisions are vectors, and what is done one by one are the symbols that are not 0. */
#ifndef GWS_MVE_BLOCK_H
#define GWS_MVE_BLOCK_H

#include "gws_mve_blocks.h"
#include "gws_mve_list.h"

/* What all blocks of a row share. */
typedef struct {
  gws *e;
  const gws_band_rule *r;
  gws_mve_block *work;
  const uint8_t *weights; /* of the band, at GWS_MVE_MIDDLE */
  uint32_t band, lower;   /* bits of the two bands below */
  /* Of its first block: */
  const gws_place *place;
  const uint8_t *symbols, *length, *scale;
  const int16_t *dc;
  int8_t *edges;
  uint8_t *magnitude;
  const uint8_t *magnitude_above;
  const int8_t *above, *below; /* edges turned, or null */
  uint32_t above_size;
  uint32_t turn;              /* 8 less the band's channels */
  uint32_t lane;              /* the predicate of the last one */
  int32_t up;                 /* bytes from a block's DC to that of the one above */
  const gws_lane_sum *planes; /* or null */
} row_rule;
/* Weights are reached from here, in bytes. */
#define GWS_MVE_MIDDLE 76

static const uint8_t kSlot[36] = {0,  2,  3,  18, 19, 20, 34,  35,  36,  37,  50,  51,
                                  52, 53, 54, 66, 67, 68, 69,  70,  71,  82,  83,  84,
                                  85, 86, 87, 88, 98, 99, 100, 101, 102, 103, 104, 105};

/* Numbers that the compiler would keep on the stack. */
static inline uint8x16_t zeros(void) {
  uint8x16_t v;
  __asm__ volatile("vmov.i8 %q0, #0" : "=w"(v));
  return v;
}
#define GWS_MIN(v, limit) \
  __asm__("vmov.i16 q7, #" #limit "\n\tvmin.u16 %q0, %q0, q7" : "+w"(v) : : "q7")

/* The block's symbols: magnitudes of the two bands below, which are said to be there or not; this
 * band's values, of which a bit each is returned. */
static inline uint32_t read_block(const uint8_t *b, uint32_t length, const gws_band_rule *r,
                                  bool lower, gws_mve_block *work) {
  const uint8_t *const stop = b + length;
  const uint32_t from = r->from, to = r->to;
  uint32_t head = *b;
  vstrbq_u8((uint8_t *)work->value + 8, zeros());
  if (lower) {
    const uint32_t lowest = r->lowest;
    while (head < lowest) {
      b += (head & 2u) == 0u ? 1u : 2u + (head & 1u);
      head = *b;
    }
    vstrbq_u8(work->lower, zeros());
    vstrbq_u8(work->lower + 16, zeros());
    uint8_t *const at = work->lower + 32 - 16u * r->band;
    while (head < from) {
      uint32_t magnitude = 1, size = 1;
      if ((head & 2u) != 0u) {
        magnitude = gws_limit7((uint32_t)gws_abs((int8_t)b[1]));
        size = 2;
      }
      at[kSlot[head >> 2]] = (uint8_t)magnitude;
      b += size;
      head = *b;
    }
  } else {
    while (head < from) {
      b += (head & 2u) == 0u ? 1u : 2u + (head & 1u);
      head = *b;
    }
  }
  uint32_t set = 0;
  do {
    const uint32_t k = (head - from) >> 2;
    set |= 1u << k;
    int32_t value = 1 - 2 * (int32_t)(head & 1u);
    uint32_t size = 1;
    if ((head & 2u) != 0u) {
      value = (int8_t)b[1];
      size = 2;
    }
    work->value[8u + k] = work->value[16u + k] = (int8_t)value;
    b += size;
    if (b == stop) break;
    head = *b;
  } while (head < to);
  return set;
}

/* Sums of products of the four differences between edges that face each other, in even and odd
 * lanes. DC is in the edge of frequency 0: of the left and the right one the first lane, of the
 * others the band's last one, which `lane` is the predicate of. The block's own edges are turned
 * for these at `turned`; without a block below its difference is 0. By hand: the compiler moves
 * predicates and half of the vectors around. */
static inline void sum_means(const row_rule *at, uint32_t x, const int8_t *own, int32x4_t *even,
                             int32x4_t *odd) {
  int32_t dc, t;
  int32x4_t e, o;
  const int8_t *const turned = own + at->turn, *const above = at->above + x * at->above_size,
                      *const below = at->below != NULL ? at->below + x * GWS_MVE_EDGES : NULL;
#define GWS_FACING(theirs, ours, dc)                                    \
  "vldrb.s16 q2, " theirs "\n\tvldrb.s16 q3, " ours "\n\tldrsh %3, " dc \
  "\n\t"                                                                \
  "vsub.i16 q2, q2, q3\n\tsubs %3, %3, %2\n\tvpst\n\tvaddt.i16 q2, q2, %3\n\t"
#define GWS_ADD(weights)                                    \
  "vldrh.u16 q3, [%9, #" weights                            \
  "]\n\tvmullb.s16 q4, q2, q3\n\tvmullt.s16 q5, q2, q3\n\t" \
  "vadd.i32 %q0, %q0, q4\n\tvadd.i32 %q1, %q1, q5\n\t"
  __asm__ volatile(
      "mov %3, #3\n\tvmsr p0, %3\n\tldrsh %2, [%6]\n\t"
      GWS_FACING("[%4, #-24]", "[%4]", "[%6, #-2]")
      "vldrh.u16 q3, [%9, #-76]\n\tvmullb.s16 %q0, q2, q3\n\tvmullt.s16 %q1, q2, q3\n\t"
      GWS_FACING("[%4, #32]", "[%4, #8]", "[%6, #2]") GWS_ADD("-60")
      "vmsr p0, %10\n\t"
      GWS_FACING("[%7]", "[%5, #16]", "[%6, %11]") GWS_ADD("-44")
      "cbz %8, 1f\n\tsub %3, %6, %11\n\t"
      GWS_FACING("[%8]", "[%5, #24]", "[%3]") GWS_ADD("-28") "1:"
      : "=&w"(e), "=&w"(o), "=&r"(dc), "=&r"(t)
      : "l"(own), "l"(turned), "r"(at->dc + x), "l"(above), "l"(below), "r"(at->weights),
        "r"(at->lane),
        "r"(at->up)
      : "q2", "q3", "q4", "q5", GWS_PREDICATES, "memory");
#undef GWS_ADD
#undef GWS_FACING
  *even = e;
  *odd = o;
}

static inline uint16x8_t add_bytes(uint16x8_t sum, uint16x8_t a, const uint8_t *weight) {
  return vqaddq_u16(sum, vmulq_u16(a, vldrbq_u16(weight)));
}

/* Lists the sign and the magnitude of a value, and what stays of the zero decisions after lane k.
 * Returns where that begins. */
static inline uint16_t *put_value(const row_rule *at, uint32_t k, uint16_t *list) {
  const gws_mve_block *const work = at->work;
  const uint32_t pair = work->pair[k];
  if ((pair & GWS_MVE_LARGE) == 0u) {
    __builtin_memcpy(list, &pair, 4);
    list += 2;
  } else {
    gws *const e = at->e;
    e->decision_end = list;
    gws_nonzero_of(e, at->r->coder, &at->r->kind, work->value[8u + k], work->sum[k], work->t[k]);
    if (e->decision_end > e->decision + GWS_DECISIONS - 32) gws_code(e, at->r->coder);
    list = e->decision_end;
  }
  vstrhq_u16(list, vldrhq_u16(work->decision + k + 1u));
  return list;
}

/* Lists the decisions of a block whose sums are known. */
static inline void put_block(const row_rule *at, uint16x8_t sum, int16x8_t t, uint32_t set) {
  const gws_band_rule *const r = at->r;
  gws_mve_block *const work = at->work;
  gws *const e = at->e;
  vstrhq_u16(work->sum, sum);
  const uint16x8_t scale = gws_mve_classes(sum, 25);
  const int16x8_t value = vldrbq_s16(work->value + 8);
  const uint32_t first = (uint32_t)__builtin_ctz(set);
  const uint16x8_t zero = gws_mve_zeros(scale, value, vldrhq_u16(work->lane), first, r->zero);
  uint16_t *list = e->decision_end; /* where lane 0 would be */
  vstrhq_u16(list, zero);
  vstrhq_u16(work->decision, zero);
  gws_mve_pairs(scale, value, t, &r->kind, work->pair);
  vstrhq_s16(work->t, t);
  const uint32_t last = r->size - 1u;
  uint32_t k = first;
  if (first + 1u >= last) { /* where the last is not zero if the one before is */
    list[last - 1u] = (uint16_t)(list[last - 1u] + 2u);
    if (first == last) --list;
  }
  for (;;) {
    list = put_value(at, k, list + k + 1u) - (k + 1u);
    set &= set - 1u;
    if (set == 0u) break;
    k = (uint32_t)__builtin_ctz(set);
  }
  list += r->size;
  e->decision_end = list;
  if (list > e->decision + GWS_DECISIONS - 32) gws_code(e, r->coder);
}

/* K by u and by v of the edges of a band's channels, near and far. */
static const int8_t kAcross[7][16] = {{8, 6, 0, 0, 0, 0, 0, 0, -8, 6, 0, 0, 0, 0, 0, 0},
                                      {7, 8, 6, 0, 0, 0, 0, 0, 7, -8, 6, 0, 0, 0, 0, 0},
                                      {7, 7, 8, 6, 0, 0, 0, 0, -7, 7, -8, 6, 0, 0, 0, 0},
                                      {6, 7, 7, 8, 6, 0, 0, 0, 6, -7, 7, -8, 6, 0, 0, 0},
                                      {4, 6, 7, 7, 8, 6, 0, 0, -4, 6, -7, 7, -8, 6, 0, 0},
                                      {3, 4, 6, 7, 7, 8, 6, 0, 3, -4, 6, -7, 7, -8, 6, 0},
                                      {2, 3, 4, 6, 7, 7, 8, 6, -2, 3, -4, 6, -7, 7, -8, 6}};
static const int8_t kAlong[7][16] = {{0, 0, 0, 0, 0, 0, 6, 8, 0, 0, 0, 0, 0, 0, 6, -8},
                                     {0, 0, 0, 0, 0, 6, 8, 7, 0, 0, 0, 0, 0, 6, -8, 7},
                                     {0, 0, 0, 0, 6, 8, 7, 7, 0, 0, 0, 0, 6, -8, 7, -7},
                                     {0, 0, 0, 6, 8, 7, 7, 6, 0, 0, 0, 6, -8, 7, -7, 6},
                                     {0, 0, 6, 8, 7, 7, 6, 4, 0, 0, 6, -8, 7, -7, 6, -4},
                                     {0, 6, 8, 7, 7, 6, 4, 3, 0, 6, -8, 7, -7, 6, -4, 3},
                                     {6, 8, 7, 7, 6, 4, 3, 2, 6, -8, 7, -7, 6, -4, 3, -2}};

/* Adds a band's values to the block's edges. */
static inline void add_edges(const row_rule *at, int8_t *edges) {
  const gws_mve_block *const work = at->work;
  const uint32_t band = at->band;
  const int8x16_t across = vmulq_s8(vldrbq_s8(work->value + 8), vldrbq_s8(kAcross[band])),
                  along = vmulq_s8(vldrbq_s8(work->value + 8 - at->turn), vldrbq_s8(kAlong[band]));
  vstrbq_s8(edges, vaddq_s8(vldrbq_s8(edges), across));
  vstrbq_s8(edges + 16, vaddq_s8(vldrbq_s8(edges + 16), along));
}

GWS_APART static void code_block(const row_rule *at, uint32_t x) {
  gws_mve_block *const work = at->work;
  const gws_place *const place = at->place + x;
  const bool lower = (place->mask & at->lower) != 0u;
  const uint32_t set = read_block(at->symbols + place->offset, at->length[x], at->r, lower, work);
  int8_t *const own = at->edges + x * GWS_MVE_EDGES;
  int32x4_t even, odd;
  sum_means(at, x, own, &even, &odd);
  const uint8_t *const w = at->weights, *const weight =
                                            w + offsetof(gws_mve_lanes, weight) - GWS_MVE_MIDDLE;
  uint16x8_t sum = vldrhq_u16(
      (const uint16_t *)(const void *)(w + offsetof(gws_mve_lanes, bias) - GWS_MVE_MIDDLE));
  sum = vmlaq_n_u16(sum, vldrbq_u16(weight + 8 * GWS_W_SCALE), at->scale[x]);
  const gws_lane_sum *const planes = at->planes;
  if (planes != NULL) {
    static const uint32_t kEven[4] = {0, 16, 32, 48};
    static const uint16_t kAll[8] = {0, 8, 16, 24, 32, 40, 48, 56};
    const uint32x4_t offset = vldrwq_u32(kEven);
    even = vaddq_s32(even, vldrwq_gather_offset_s32(&planes[0].mean, offset));
    odd = vaddq_s32(odd, vldrwq_gather_offset_s32(&planes[1].mean, offset));
    sum = vqaddq_u16(sum, vldrhq_gather_offset_u16((const uint16_t *)(const void *)&planes[0].scale,
                                                   vldrhq_u16(kAll)));
  }
  const int16x8_t t = vrshrntq_n_s32(vrshrnbq_n_s32(vuninitializedq_s16(), even, 10), odd, 10);
  uint8_t *const magnitude = at->magnitude + 8u * x;
  const uint8_t *const up = at->magnitude_above + 8u * x;
  sum = add_bytes(sum, vldrbq_u16(magnitude - 8), weight + 8 * GWS_W_LEFT);
  sum = add_bytes(sum, vldrbq_u16(up), weight + 8 * GWS_W_UP);
  sum =
      add_bytes(sum, vaddq_u16(vldrbq_u16(up - 8), vldrbq_u16(up + 8)), weight + 8 * GWS_W_CORNER);
  if (lower) {
    const uint8_t *const low = work->lower;
    sum = add_bytes(sum, vldrbq_u16(low + 18), weight + 8 * GWS_W_LOWER0);
    sum = add_bytes(sum, vldrbq_u16(low + 17), weight + 8 * GWS_W_LOWER1);
    sum = add_bytes(sum, vldrbq_u16(low + 1), weight + 8 * GWS_W_LOWEST0);
    sum =
        add_bytes(sum, vaddq_u16(vldrbq_u16(low + 2), vldrbq_u16(low)), weight + 8 * GWS_W_LOWEST1);
  }
  uint16x8_t mean = vshrq_n_u16(vreinterpretq_u16_s16(vabsq_s16(t)), 2);
  GWS_MIN(mean, 127);
  sum = add_bytes(sum, mean, weight + 8 * GWS_W_MEAN);
  put_block(at, sum, t, set);
  vstrbq_u16(magnitude, vreinterpretq_u16_s16(vabsq_s16(vldrbq_s16(work->value + 8))));
  add_edges(at, own);
}

#endif
