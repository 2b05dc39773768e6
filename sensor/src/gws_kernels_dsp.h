/* gws_kernels_dsp.h: the packed 16-bit arithmetic of Cortex-M4, M7 and M33. Columns of a block lie
 * in pairs 0 2, 1 3, 4 6, 5 7, eight words each: rows 0 7, 1 6, 2 5, 3 4, as the transform folds
 * them. */
#ifndef GWS_KERNELS_DSP_H
#define GWS_KERNELS_DSP_H

#include "gws_internal.h"

/* Instructions that the compiler does not find on its own, or (those of arm_acle.h) only with flags
 * that nobody reads, which keeps it from ordering them. */
#define GWS_ASM2(name, text)                            \
  static inline uint32_t name(uint32_t a, uint32_t b) { \
    uint32_t r;                                         \
    __asm__(text : "=r"(r) : "r"(a), "r"(b));           \
    return r;                                           \
  }
GWS_ASM2(gws_tops, "pkhtb %0, %2, %1, asr #16") /* top of a, top of b */
GWS_ASM2(gws_add16, "sadd16 %0, %1, %2")
GWS_ASM2(gws_sub16, "ssub16 %0, %1, %2")
GWS_ASM2(gws_half16, "shadd16 %0, %1, %2")
GWS_ASM2(gws_mul2, "smuad %0, %1, %2")
#undef GWS_ASM2
#define GWS_MAC(name, text)                                               \
  static inline int32_t name(uint32_t a, uint32_t b, int32_t sum) {       \
    int32_t r;                                                            \
    __asm__(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(sum)); \
    return r;                                                             \
  }
GWS_MAC(gws_mac2, "smlad")
#undef GWS_MAC

/* Two to a word: so are tops of sums, f=20, rounded to f=4. */
#define GWS_ONES 0x00010001u

static inline uint32_t gws_turned(uint32_t v) { return v >> 16 | v << 16; }

/* A block of 8x8 pixels, its rows at `rows`, `offset` bytes on, to three planes; f=6. The matrix is
 * a a a, b 0 -b, c d c; `matrix` has a a, b -b, c c, d in halves. Red and blue, and then green
 * (beside what does not matter), are taken less 128 and times 256, so that sums of products lie in
 * the upper half of a word. Nothing beyond the last pixel is read. All by hand: it needs every
 * register, and spilling costs 4 instructions a pixel. */
#define GWS_LOAD(pixel, green, from)                        \
  "ldr " pixel ", [r0, #" from "]\n\teor " pixel ", " pixel \
  ", #0x80808080\n\t"                                       \
  "and " green ", " pixel ", #0xff00ff00\n\tand " pixel ", r8, " pixel ", lsl #8\n\t"
#define GWS_LOAD_LAST(pixel, green, from)                   \
  "ldr " pixel ", [r0, #" from "]\n\teor " pixel ", " pixel \
  ", #0x80808080\n\t"                                       \
  "and " green ", r8, " pixel ", lsr #8\n\tand " pixel ", " pixel ", #0xff00ff00\n\t"
#define GWS_TWO(second, from, from2, to, to2, to3) \
  GWS_LOAD("r9", "ip", from)                       \
  "smlabb r10, ip, r3, r7\n\tsmlad r10, r9, r3, r10\n\tsmlad r11, r9, r4, r7\n\t"           \
  "smlabb ip, ip, r6, r7\n\tsmlad r9, r9, r5, ip\n\t" second("ip", "lr", from2)             \
  "smlabb r1, lr, r3, r7\n\tsmlad r1, ip, r3, r1\n\tpkhtb r10, r1, r10, asr #16\n\t"        \
  "smlad r1, ip, r4, r7\n\tpkhtb r11, r1, r11, asr #16\n\tsmlabb lr, lr, r6, r7\n\t"        \
  "smlad ip, ip, r5, lr\n\tpkhtb r9, ip, r9, asr #16\n\t"                                   \
  "str r10, [r2, #" to "]\n\tstr r11, [r2, #" to2 "]\n\tstr r9, [r2, #" to3 "]\n\t"
#define GWS_FOURS                                   \
  GWS_TWO(GWS_LOAD, "0", "6", "0", "128", "256")    \
  GWS_TWO(GWS_LOAD, "3", "9", "32", "160", "288")   \
  GWS_TWO(GWS_LOAD, "12", "18", "64", "192", "320") \
  GWS_TWO(GWS_LOAD_LAST, "15", "20", "96", "224", "352")
GWS_APART __attribute__((naked)) static void gws_colour_rows(
    __attribute__((unused)) const uint8_t *const rows[8], __attribute__((unused)) uint32_t offset,
    __attribute__((unused)) int16_t *to, __attribute__((unused)) const uint32_t matrix[4]) {
  __asm__(
      "push {r4-r11, lr}\n\t"
      "ldm r0, {r4-r11}\n\t" /* as they are folded, the last first, then null */
      "add r4, r4, r1\n\tadd r5, r5, r1\n\tadd r6, r6, r1\n\tadd r7, r7, r1\n\t"
      "add r8, r8, r1\n\tadd r9, r9, r1\n\tadd r10, r10, r1\n\tadd r11, r11, r1\n\t"
      "mov r12, #0\n\tpush {r7, r8, r12}\n\tpush {r6, r9}\n\tpush {r5, r10}\n\tpush {r4, r11}\n\t"
      "ldm r3, {r3-r6}\n\tmov r7, #0x8000\n\tmov r8, #0xff00ff00\n\tpop {r0}\n"
      "1:\n\t" GWS_FOURS
      "add r2, r2, #4\n\tpop {r0}\n\tcmp r0, #0\n\tbne 1b\n\t"
      "pop {r4-r11, pc}");
}
#undef GWS_FOURS
#undef GWS_TWO
#undef GWS_LOAD_LAST
#undef GWS_LOAD

static inline void gws_colour_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  gws_colour_rows(rows, offset, to, gws_colour_halves);
}

static inline void gws_grey_block(const uint8_t *const rows[8], uint32_t offset, int16_t *to) {
  static const uint8_t kColumn[8] = {0, 2, 1, 3, 4, 6, 5, 7};
  const int32_t m = gws_colour[0] + gws_colour[1] + gws_colour[2];
  for (uint32_t y = 0; y < 8u; ++y) {
    const uint8_t *const grey = rows[y] + offset;
    int16_t *const line = to + (y < 4u ? 4u * y : 30u - 4u * y);
    for (uint32_t x = 0; x < 8u; ++x)
      line[16u * (x / 2u) + x % 2u] = (int16_t)((m * (grey[kColumn[x]] - 128) + 128) >> 8);
  }
}

/* Of each pair of columns: row 0 of h, f=4, to `w`; the sums of rows y and 7 - y to `out`: 0 1 of
 * the left column, of the right one, 2 3 of the left one, of the right one. And squares added up,
 * of samples and of sums times row 0's entry, which `f` has twice. By hand, as it needs every
 * register; `to` is aligned to 16, which ends the loop. */
typedef struct {
  uint32_t w[4];
  uint32_t samples, samples_high, sums, sums_high; /* not 64 bits, which the compiler moves */
} gws_folded;
#define GWS_HALF(multiply, left, right)                                                       \
  "ldm r0!, {r4-r7}\n\tsmlald r10, r11, r4, r4\n\tsmlald r10, r11, r5, r5\n\t"                \
  "smlald r10, r11, r6, r6\n\tsmlald r10, r11, r7, r7\n\tsadd16 r4, r4, r5\n\t"               \
  "sadd16 r6, r6, r7\n\tpkhbt r5, r4, r6, lsl #16\n\tpkhtb r7, r6, r4, asr #16\n\t"           \
  "strd r5, r7, [r1], #8\n\t" multiply " r8, r5, r2" left "\n\t" multiply " r9, r7, r2" right \
  "\n\t"
GWS_APART __attribute__((naked)) static void gws_fold(__attribute__((unused))
                                                      const int16_t *samples,
                                                      __attribute__((unused)) uint32_t *out,
                                                      __attribute__((unused)) uint32_t f,
                                                      __attribute__((unused)) gws_folded *to) {
  __asm__(
      "push {r4-r11, lr}\n\tmov r10, #0\n\tmov r11, #0\n\tmov r12, #0\n\tmov lr, #0\n"
      "1:\n\t" GWS_HALF("smuad", "", "") GWS_HALF("smlad", ", r8", ", r9")
      "smlal r12, lr, r8, r8\n\tsmlal r12, lr, r9, r9\n\tpkhtb r8, r9, r8, asr #16\n\t"
      "mov r4, #0x00010001\n\tshadd16 r8, r8, r4\n\tstr r8, [r3], #4\n\ttst r3, #15\n\t"
      "bne 1b\n\tstm r3, {r10, r11, r12, lr}\n\tpop {r4-r11, pc}");
}
#undef GWS_HALF

/* Differences of rows y and 7 - y, as gws_fold() puts sums. */
static inline void gws_subtract(const int16_t *in, uint32_t *out, const uint32_t *end) {
#define GWS_HALF                                                            \
  "ldm %0!, {r4, r5, r6, r8}\n\tssub16 r4, r4, r5\n\tssub16 r6, r6, r8\n\t" \
  "pkhbt r5, r4, r6, lsl #16\n\tpkhtb r8, r6, r4, asr #16\n\tstrd r5, r8, [%1], #8\n\t"
  __asm__ volatile("1:\n\t" GWS_HALF GWS_HALF "cmp %1, %2\n\tbne 1b"
                   : "+&r"(in), "+&r"(out)
                   : "r"(end)
                   : "r4", "r5", "r6", "r8", "cc", "memory");
#undef GWS_HALF
}

/* A row of h, f=5 and rounded down, of what the two left, and the sum of its squares. `m` is at the
 * row's first four entries, and then at the next row's. */
static inline uint32_t gws_half_row(const uint32_t *folded, const gws_word32 **m, uint32_t w[4]) {
  uint32_t k0, k1;
  register uint32_t energy __asm__("r4");
#define GWS_PAIR(to)                                                                   \
  "ldm %4!, {r4, r5, r6, r8}\n\tsmuad " to ", r4, %5\n\tsmuad r5, r5, %5\n\tsmlad " to \
  ", r6, %6, " to "\n\tsmlad r5, r8, %6, r5\n\tpkhtb " to ", r5, " to ", asr #16\n\t"
  __asm__ volatile("ldrd %5, %6, [%7], #16\n\t" GWS_PAIR("%0") GWS_PAIR("%1") GWS_PAIR("%2")
                       GWS_PAIR("%3") "smuad r4, %0, %0\n\tsmlad r4, %1, %1, r4\n\t"
                                      "smlad r4, %2, %2, r4\n\tsmlad r4, %3, %3, r4"
                   : "=&r"(w[0]), "=&r"(w[1]), "=&r"(w[2]), "=&r"(w[3]), "+&r"(folded), "=&r"(k0),
                     "=&r"(k1), "+&r"(*m), "=&r"(energy)
                   :
                   : "r5", "r6", "r8", "memory");
#undef GWS_PAIR
  return energy;
}

static inline uint32_t gws_energy(const uint32_t w[4]) {
  return (uint32_t)gws_mac2(
      w[3], w[3], gws_mac2(w[2], w[2], gws_mac2(w[1], w[1], (int32_t)gws_mul2(w[0], w[0]))));
}

/* Row v of h, w: h0 h2, h1 h3, h4 h6, h5 h7: keeps those of its coefficients that are not zeros
 * when quantised. */
GWS_APART static void gws_keep_row(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3,
                                   gws_found *found, uint32_t v) {
  const gws_quantiser *const q = found->q;
  const uint32_t half = 1u << 14; /* added after, as registers are few */
  const uint32_t *m = gws_forward_turned;
  const uint32_t reach = q->reach + half, span = q->span;
  const uint32_t back3 = gws_turned(w3), back2 = gws_turned(w2);
  const uint32_t s0 = gws_add16(w0, back3), s1 = gws_add16(w1, back2);
  const uint32_t d0 = gws_sub16(w0, back3), d1 = gws_sub16(w1, back2);
  int32_t row[8], *to = row;
  uint32_t set = 0;
#define GWS_TEST(sum, bit) \
  "add r5, " sum ", %7\n\tcmp r5, %8\n\tit hi\n\torrhi %2, %2, #" bit "\n\t"
#define GWS_OUTPUTS(even, odd)                                                                 \
  "ldm %0!, {r4, r5, r6, r8}\n\tsmuad r4, %3, r4\n\tsmlad r4, %4, r5, r4\n\t"                  \
  "smuad r6, %5, r6\n\tsmlad r6, %6, r8, r6\n\tstrd r4, r6, [%1], #8\n\t" GWS_TEST("r4", even) \
      GWS_TEST("r6", odd)
#ifdef __OPTIMIZE_SIZE__ /* a bit leaves `set` after four turns */
#define GWS_ALL "1:\n\t" GWS_OUTPUTS("256", "512") "lsrs %2, %2, #2\n\tbcc 1b"
  set = 128;
#else
#define GWS_ALL \
  GWS_OUTPUTS("1", "2") GWS_OUTPUTS("4", "8") GWS_OUTPUTS("16", "32") GWS_OUTPUTS("64", "128")
#endif
  __asm__ volatile(GWS_ALL
                   : "+&r"(m), "+&r"(to), "+&r"(set)
                   : "r"(s0), "r"(s1), "r"(d0), "r"(d1), "r"(reach), "r"(span)
                   : "r4", "r5", "r6", "r8", "cc", "memory");
#undef GWS_ALL
#undef GWS_OUTPUTS
#undef GWS_TEST
  if (v == 0u) set &= ~1u;
  for (; set != 0u; set &= set - 1u) {
    const uint32_t u = (uint32_t)__builtin_ctz(set);
    gws_keep(found, v, u, row[u] + (int32_t)half);
  }
}

/* A block's DC, and its coefficients that are not zeros when quantised. */
GWS_FAST GWS_APART static void gws_forward_block(const int16_t *samples, gws_found *found) {
  const gws_quantiser *const q = found->q;
  const uint32_t f = gws_forward_turned[0], ones = gws_kept(GWS_ONES);
  uint32_t folded[32]; /* sums, then differences */
  gws_folded all __attribute__((aligned(16)));
  uint32_t *const w = all.w;
  gws_fold(samples, folded, f, &all);
  found->dc =
      (int16_t)(gws_mac2(gws_add16(w[0], w[1]), f, gws_mac2(gws_add16(w[2], w[3]), f, 1 << 14)) >>
                15);
  /* What is the same all over gives nothing else. */
  const uint32_t one = w[1] << 16 | (w[1] & 0xffffu);
  const uint32_t a[4] = {gws_sub16(w[0], one), gws_sub16(w[1], one), gws_sub16(w[2], one),
                         gws_sub16(w[3], one)};
  if (gws_energy(a) > q->quiet) gws_keep_row(w[0], w[1], w[2], w[3], found, 0);
  /* Of samples less their column's mean; 8 f * f is less than 2^30, by 2^-14.6 of it. */
  const uint32_t high = all.sums_high;
  const uint64_t variance =
      ((uint64_t)all.samples_high << 32 | all.samples) - ((uint64_t)high << 2) - (high >> 13);
  if (variance <= q->flat) return;
  int32_t rest = variance >> 32 != 0u ? GWS_REST_UNKNOWN : gws_rest_of((uint32_t)variance);
  gws_subtract(samples, folded + 16, folded + 32);
  const gws_word32 *m = (const gws_word32 *)(const void *)gws_forward + 4;
  rest -= q->rest;
  const uint32_t quiet = q->quiet_twice;
  for (uint32_t v = 1; v < 8u && rest > 0; ++v) {
    uint32_t h[4];
    const uint32_t energy = gws_half_row(folded + 16u * (v & 1u), &m, h);
    rest = gws_rest_after(rest, energy >> 2);
    if (energy <= quiet) continue;
    gws_keep_row(gws_half16(h[0], ones), gws_half16(h[1], ones), gws_half16(h[2], ones),
                 gws_half16(h[3], ones), found, v);
  }
}

#endif
