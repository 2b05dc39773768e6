/* Rows of tiles cut into packets; docs/format/transport.md. Bytes go from the encoder's chunks
 * straight to the caller's packet: what a section of the file has beside its body is taken and left
 * out, since a receiver can write it again. */
#include "godwit_packets.h"
#include "gws_internal.h"

#define GWP_MAGIC 0x50574747u
#define GWP_VERSION 1u
#define GWP_HEAD_FLAG 16u
#define GWP_LAST_FLAG 32u
#define GWP_CRC 4u

gws_status gwp_init(gwp *p, const gwp_params *params) {
  if (p == NULL || params == NULL) return GWS_ERR_NULL;
  if (params->packet_bytes < GWP_MIN_PACKET) return GWS_ERR_PARAMS;
  p->params = *params;
  if (p->params.head_every == 0u) p->params.head_every = 2;
  p->encoder = NULL;
  p->sequence = p->row = p->offset = p->left = 0;
  p->started = p->head_size = 0;
  p->magic = GWP_MAGIC;
  return GWS_OK;
}

static uint32_t take_byte(gws *e) {
  uint8_t byte = 0;
  (void)gws_take_output(e, &byte, 1);
  return byte;
}

static uint32_t take_varint(gws *e, uint32_t *size) {
  uint32_t value = 0, byte = 128;
  for (*size = 0; byte >= 128u && *size < 5u; ++*size) {
    byte = take_byte(e);
    value |= (byte & 127u) << (7u * *size);
  }
  return value;
}

/* Magic, version, type and CRC say nothing that the receiver does not know. */
static void take_head(gwp *p, gws *e) {
  uint8_t rest[5];
  (void)gws_take_output(e, rest, 5);
  p->head_size = (uint8_t)take_byte(e);
  (void)gws_take_output(e, p->head, p->head_size);
  (void)gws_take_output(e, rest, GWP_CRC);
}

static void take_row_begin(gwp *p, gws *e) {
  uint32_t size = 0;
  (void)take_byte(e);
  const uint32_t body = take_varint(e, &size);
  p->row = take_varint(e, &size);
  p->left = body - size;
  p->offset = 0;
}

static void next_picture(gwp *p, gws *e) {
  if (p->started != 0u) ++p->params.picture;
  p->started = 1;
  p->encoder = e;
  p->sequence = 0;
  p->left = 0;
  e->taken_by = p;
  take_head(p, e);
}

static uint8_t *put_varint(uint8_t *to, uint32_t v) {
  for (; v >= 128u; v >>= 7) *to++ = (uint8_t)(v | 128u);
  *to++ = (uint8_t)v;
  return to;
}

static bool head_goes_along(const gwp *p, const gws *e) {
  const uint32_t last = (e->params.height - 1u) >> e->tile_bits;
  return p->offset == 0u && (p->row == last || p->row % p->params.head_every == 0u);
}

static size_t write_packet(gwp *p, gws *e, uint8_t *packet) {
  const bool head = head_goes_along(p, e);
  const uint32_t around = 5u + gws_varint_size(p->sequence) + gws_varint_size(p->row) +
                          gws_varint_size(p->offset) + (head ? 1u + p->head_size : 0u) + GWP_CRC;
  /* The piece and its length, which takes more bytes where it is longer. */
  const uint32_t room = p->params.packet_bytes - around;
  uint32_t piece = room - 1u;
  if (piece > 127u) piece = room - 2u > 127u ? room - 2u : 127u;
  if (piece > 16383u) piece = room - 3u > 16383u ? room - 3u : 16383u;
  if (piece > p->left) piece = p->left;
  const bool last = piece == p->left;

  uint8_t *to = packet;
  *to++ = 'G';
  *to++ = 'P';
  *to++ = (uint8_t)(GWP_VERSION | (head ? GWP_HEAD_FLAG : 0u) | (last ? GWP_LAST_FLAG : 0u));
  *to++ = (uint8_t)p->params.picture;
  *to++ = (uint8_t)(p->params.picture >> 8);
  to = put_varint(to, p->sequence);
  to = put_varint(to, p->row);
  to = put_varint(to, p->offset);
  to = put_varint(to, piece);
  if (head) {
    *to++ = p->head_size;
    for (uint32_t i = 0; i < p->head_size; ++i) *to++ = p->head[i];
  }
  to += gws_take_output(e, to, piece);
  uint32_t crc = 0xffffffffu;
  for (const uint8_t *at = packet; at < to; ++at) crc = gws_crc_byte(crc, *at);
  crc = ~crc;
  for (uint32_t i = 0; i < GWP_CRC; ++i) *to++ = (uint8_t)(crc >> (8u * i));
  p->offset += piece;
  p->left -= piece;
  ++p->sequence;
  return (size_t)(to - packet);
}

gws_status gwp_pull(gwp *p, gws *e, void *packet, size_t capacity, size_t *count) {
  if (count != NULL) *count = 0;
  if (p == NULL || e == NULL || packet == NULL || count == NULL) return GWS_ERR_NULL;
  if (p->magic != GWP_MAGIC || !gws_is_encoder(e)) return GWS_ERR_STATE;
  if (capacity < p->params.packet_bytes) return GWS_ERR_PACKET;
  if (e->taken_by == NULL) {
    next_picture(p, e);
  }
  if (e->taken_by != p || p->encoder != e) return GWS_ERR_MIXED;
  if (!gws_output_waits(e)) return GWS_OK;
  if (p->left == 0u) take_row_begin(p, e);
  *count = write_packet(p, e, (uint8_t *)packet);
  if (p->left == 0u) { /* the section's CRC */
    uint8_t crc[GWP_CRC];
    (void)gws_take_output(e, crc, GWP_CRC);
  }
  return GWS_OK;
}
