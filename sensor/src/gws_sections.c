/* What is around a row of tiles: the file's header, sections, CRC; and bytes out. */
#include "gws_internal.h"

/* CRC-32C by half bytes, its bits turned. */
GWS_FAST uint32_t gws_crc(uint32_t crc, const uint8_t *from, uint32_t size) {
  static const uint32_t kTable[16] = {0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u,
                                      0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
                                      0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
                                      0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u};
  for (uint32_t i = 0; i < size; ++i) {
    crc ^= from[i];
    crc = (crc >> 4) ^ kTable[crc & 15u];
    crc = (crc >> 4) ^ kTable[crc & 15u];
  }
  return crc;
}

uint8_t *gws_put_varint(uint8_t *to, uint32_t v) {
  for (; v >= 128u; v >>= 7) *to++ = (uint8_t)(v | 128u);
  *to++ = (uint8_t)v;
  return to;
}
uint32_t gws_varint_size(uint32_t v) {
  uint32_t n = 1;
  for (; v >= 128u; v >>= 7) ++n;
  return n;
}
uint8_t *gws_put_crc(uint8_t *to, uint32_t crc) {
  crc = ~crc;
  for (uint32_t i = 0; i < 4u; ++i, crc >>= 8) *to++ = (uint8_t)crc;
  return to;
}

/* What lies in `head` up to `end` is taken next. */
static void set_head(gws *e, const uint8_t *end) {
  e->head_at = 0;
  e->head_size = (uint8_t)(end - e->head);
}

GWS_SMALL void gws_queue_header(gws *e) {
  static const uint8_t kBegin[5] = {'G', 'D', 'W', 1, 0x81};
  const gws_params *const p = &e->params;
  const uint32_t wide = 32u - (uint32_t)__builtin_clz((p->width - 1u) | 16u), high = e->tile_bits;
  const bool tile = wide != 10u || high != 10u;
  const uint32_t rate = p->step_index | (uint32_t)(e->layers - 1) << 12;
  for (uint32_t i = 0; i < 5u; ++i) e->head[i] = kBegin[i];
  uint8_t *to = e->head + 6;
  *to++ = (uint8_t)((e->planes == 3 ? 1u : 0u) | (tile ? 4u : 0u) | 32u);
  to = gws_put_varint(to, p->width);
  to = gws_put_varint(to, p->height);
  for (uint32_t i = 0; i < 8u; ++i) *to++ = gws_model_id[i];
  *to++ = (uint8_t)rate;
  *to++ = (uint8_t)(rate >> 8);
  if (tile) *to++ = (uint8_t)(wide == high ? high : (wide - 4u) << 4 | high);
  e->head[5] = (uint8_t)(to - e->head - 6);
  to = gws_put_crc(to, gws_crc(0xffffffffu, e->head + 4, (uint32_t)(to - e->head - 4)));
  set_head(e, to);
  e->waits = e->head_size;
  e->out_left = 0;
}

/* The next layer's length, and then its bytes; after the last the section's CRC. */
GWS_SMALL static void begin_layer(gws *e) {
  if (e->out_layer == e->out_layers) {
    set_head(e, gws_put_crc(e->head, e->crc));
    return;
  }
  e->out_left = e->coder[e->out_layer++].size;
  e->out_at = 0;
  set_head(e, gws_put_varint(e->head, e->out_left));
  e->crc = gws_crc(e->crc, e->head, e->head_size);
}

GWS_SMALL void gws_finish_tile_output(gws *e) {
  gws_end_tile_output(e);
  uint32_t count = (uint32_t)e->layers;
  while (count > 1u && e->coder[count - 1u].size == 0u) --count;
  e->out_row = (e->row - 1u) >> e->tile_bits;
  uint32_t body = gws_varint_size(e->out_row) + 1u;
  for (uint32_t l = 0; l < count; ++l) body += gws_varint_size(e->coder[l].size) + e->coder[l].size;
  uint8_t *to = e->head;
  *to++ = 0x82;
  to = gws_put_varint(to, body);
  e->waits = (uint32_t)(to - e->head) + body + 4u;
  to = gws_put_varint(to, e->out_row);
  *to++ = (uint8_t)((count - 1u) << 4);
  set_head(e, to);
  e->crc = gws_crc(0xffffffffu, e->head, e->head_size);
  e->out_layers = (uint8_t)count;
  e->out_layer = 0;
  e->out_left = 0;
}

size_t gws_take_output(gws *e, uint8_t *out, size_t capacity) {
  const uint32_t all = capacity < e->waits ? (uint32_t)capacity : e->waits;
  uint32_t left = all;
  e->waits -= all;
  while (left > 0u) {
    const uint8_t *from = e->head + e->head_at;
    uint32_t size = (uint32_t)e->head_size - e->head_at;
    if (size > 0u) {
      if (size > left) size = left;
      e->head_at = (uint8_t)(e->head_at + size);
    } else if (e->out_left > 0u) {
      gws_coder *const c = &e->coder[e->out_layer - 1u];
      from = gws_chunk(e, c->first) + 2u + e->out_at;
      size = GWS_CHUNK_DATA - e->out_at;
      if (size > e->out_left) size = e->out_left;
      if (size > left) size = left;
      e->crc = gws_crc(e->crc, from, size);
      e->out_left -= size;
      e->out_at = (uint16_t)(e->out_at + size);
      if (e->out_at == GWS_CHUNK_DATA) {
        e->out_at = 0;
        c->first = gws_link_of(e, c->first);
      }
    } else {
      begin_layer(e);
    }
    left -= size;
    for (; size > 0u; --size) *out++ = *from++;
  }
  return all;
}
