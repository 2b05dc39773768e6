/* gws_kernels_blocks.h: arithmetic on edges, in plain C or with packed 16-bit instructions. */
#ifndef GWS_KERNELS_BLOCKS_H
#define GWS_KERNELS_BLOCKS_H

#include "gws_internal.h"

static inline void clear(gws_edges *g) {
  GWS_PRAGMA(GCC unroll 16)
  for (uint32_t k = 0; k < 16u; ++k) g->pair[k] = 0;
}

/* Of `count` channels, up to whole fours. */
static inline void clear_sums(gws_lane_sum *sum, uint32_t count) {
  const gws_lane_sum none = {0, GWS_HALF};
  for (uint32_t k = 0; k < count; k += 4u) {
    sum[k] = none;
    sum[k + 1u] = none;
    sum[k + 2u] = none;
    sum[k + 3u] = none;
  }
}

#if defined(__ARM_FEATURE_DSP) && !defined(GWS_PORTABLE)
#include <arm_acle.h>

static inline uint32_t difference(uint32_t outer, uint32_t inner) { return __qsub16(outer, inner); }
/* What faces a block less its own edge, which is DC less what was subtracted so far. */
static inline void set_outer(gws_edges *g, uint32_t i, const int16_t *dc, uint32_t step,
                             uint32_t inner[2]) {
  uint32_t own, outer;
  __asm__("pkhbt %0, %1, %1, lsl #16" : "=r"(own) : "r"((int32_t)dc[0]));
  __asm__("pkhbt %0, %1, %2, lsl #16"
          : "=r"(outer)
          : "r"((int32_t) * (dc - step)), "r"((int32_t)dc[step]));
  inner[i] = __ssub16(own, g->pair[8u * i]);
  g->pair[8u * i] = outer;
}
static inline void subtract_own(gws_edges *g, uint32_t i, uint32_t frequency, int32_t value) {
  static const int16_t kPair[8][2] = {{6, 6}, {8, -8}, {7, 7}, {7, -7},
                                      {6, 6}, {4, -4}, {3, 3}, {2, -2}};
  uint32_t k, near, far;
  __builtin_memcpy(&k, kPair[frequency], 4);
  __asm__("smulbb %0, %1, %2" : "=r"(near) : "r"(k), "r"(value));
  __asm__("smultb %0, %1, %2" : "=r"(far) : "r"(k), "r"(value));
  __asm__("pkhbt %0, %0, %1, lsl #16" : "+r"(near) : "r"(far));
  g->pair[i] = __ssub16(g->pair[i], near);
}
/* The predicted mean of the channel at `w`, its scale, and on to the next. What was expected is the
 * low half. By hand, as the compiler
 * knows no loads that move on by so much. */
static inline uint32_t weigh(const gws_lane **w, const gws_lane_sum **sum, const uint32_t **across,
                             const uint32_t **along, uint32_t expected, int32_t *t) {
  uint32_t scale, a, b, c;
  int32_t mean;
  __asm__(
      "ldrd %4, %5, [%1], #8\n\tldr %6, [%2], #4\n\tldrd %7, %8, [%0]\n\t"
      "smlad %5, %6, %7, %5\n\tldr %6, [%3], #-4\n\tldrh %7, [%0, #8]\n\tadd %4, %4, %7\n\t"
      "smlad %5, %6, %8, %5\n\tldrb %7, [%0, #17]\n\tldrb %8, [%0, #18]\n\t"
      "asr %5, %5, #10\n\teor %6, %5, %5, asr #31\n\tsmlabb %4, %7, %9, %4\n\t"
      "sub %6, %6, %5, asr #31\n\tusat %6, #7, %6, asr #2\n\tmla %4, %6, %8, %4\n\t"
      "add %0, %0, #20"
      : "+&r"(*w), "+&r"(*sum), "+&r"(*across), "+&r"(*along), "=&r"(scale), "=&r"(mean), "=&r"(a),
        "=&r"(b), "=&r"(c)
      : "r"(expected)
      : "memory");
  *t = mean;
  return scale;
}
#else
static inline int32_t limit16(int32_t v) { return gws_clamp(v, -32768, 32767); }
static inline void set_outer(gws_edges *g, uint32_t i, const int16_t *dc, uint32_t step,
                             uint32_t inner[2]) {
  gws_edges e;
  for (uint32_t k = 0; k < 2u; ++k) e.at[0][k] = (int16_t)(dc[0] - g->at[8u * i][k]);
  inner[i] = e.pair[0];
  g->at[8u * i][0] = *(dc - step);
  g->at[8u * i][1] = dc[step];
}
static inline void subtract_own(gws_edges *g, uint32_t i, uint32_t frequency, int32_t value) {
  g->at[i][0] = (int16_t)(g->at[i][0] - kEdge[frequency] * value);
  g->at[i][1] = (int16_t)(g->at[i][1] - kFarEdge[frequency] * value);
}
static inline uint32_t difference(uint32_t outer, uint32_t inner) {
  gws_edges o, i;
  o.pair[0] = outer;
  i.pair[0] = inner;
  for (uint32_t k = 0; k < 2u; ++k) o.at[0][k] = (int16_t)limit16(o.at[0][k] - i.at[0][k]);
  return o.pair[0];
}
static inline uint32_t weigh(const gws_lane **w, const gws_lane_sum **sum, const uint32_t **across,
                             const uint32_t **along, uint32_t expected, int32_t *t) {
  const gws_lane *const lane = (*w)++;
  const gws_lane_sum *const own = (*sum)++;
  gws_edges g;
  g.pair[0] = *(*across)++;
  g.pair[1] = *(*along)--;
  *t = (own->mean + lane->mean[0] * g.at[0][0] + lane->mean[1] * g.at[0][1] +
        lane->mean[2] * g.at[1][0] + lane->mean[3] * g.at[1][1]) >>
       10;
  return (uint32_t)own->scale + lane->bias + lane->weight[GWS_W_SCALE] * (expected & 0xffffu) +
         lane->weight[GWS_W_MEAN] * gws_limit7((uint32_t)gws_abs(*t) >> 2);
}
#endif

#if defined(__ARM_FEATURE_MVE) && !defined(GWS_PORTABLE) && !defined(__OPTIMIZE_SIZE__)
#include <arm_mve.h>
#define GWS_WEIGHS_FOUR

/* Channels k to k + 3 of a diagonal, v ascending from k on. */
static inline void weigh_four(gws_weighed *to, uint32_t k, const gws_band_rule *r,
                              const gws_edges *g, uint32_t expected, const gws_lane_sum *sum) {
  static const uint32_t kLanes[4] = {0, 20, 40, 60}, kSums[4] = {0, 8, 16, 24};
  const uint8_t *const lane = (const uint8_t *)(r->lanes + k);
  const uint32x4_t lanes = vldrwq_u32(kLanes), sums = vldrwq_u32(kSums);
  const uint32x4_t down = vddupq_n_u32(12, 4); /* 12, 8, 4, 0 */
  const int32_t *const mean_of = &sum[k].mean, *const scale_of = &sum[k].scale;
  const int16x8_t across = vreinterpretq_s16_u32(vldrwq_u32(g->pair + k)),
                  along = vreinterpretq_s16_u32(
                      vldrwq_gather_offset_u32(g->pair + 4u + r->run - k, down)),
                  w0 = vreinterpretq_s16_u32(
                      vldrwq_gather_offset_u32((const uint32_t *)(const void *)lane, lanes)),
                  w1 = vreinterpretq_s16_u32(
                      vldrwq_gather_offset_u32((const uint32_t *)(const void *)(lane + 4), lanes));
  int32x4_t mean = vaddq_s32(vldrwq_gather_offset_s32(mean_of, sums), vmullbq_int_s16(across, w0));
  mean = vaddq_s32(mean, vmulltq_int_s16(across, w0));
  mean = vaddq_s32(mean, vmullbq_int_s16(along, w1));
  mean = vshrq_n_s32(vaddq_s32(mean, vmulltq_int_s16(along, w1)), 10);
  vstrwq_s32(to->t + k, mean);
  const uint32x4_t size =
      vminq_u32(vshrq_n_u32(vreinterpretq_u32_s32(vabsq_s32(mean)), 2), vdupq_n_u32(127));
  uint32x4_t all =
      vaddq_u32(vreinterpretq_u32_s32(vldrwq_gather_offset_s32(scale_of, sums)),
                vldrhq_gather_offset_u32((const uint16_t *)(const void *)(lane + 8), lanes));
  all = vmlaq_n_u32(all, vldrbq_gather_offset_u32(lane + 17, lanes), expected);
  all = vaddq_u32(all, vmulq_u32(size, vldrbq_gather_offset_u32(lane + 18, lanes)));
  vstrwq_u32(to->scale + k, all);
  vstrhq_u32(to->decision + k, vmulq_n_u32(gws_classes_of(all), 6));
}
/* Apart, so that no vectors wait on the stack while a block is coded. */
GWS_APART static void weigh_all(gws_block_work *work, const gws_band_rule *r, uint32_t expected) {
  for (uint32_t k = 0; k < r->size; k += 4u)
    weigh_four(&work->lanes.diagonal.weighed, k, r, &work->edges, expected,
               work->lanes.diagonal.sum);
}
#endif

#endif
