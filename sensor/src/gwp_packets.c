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

/* What the receiver knows or can make is passed over: magic, version, type and CRC of the head, and
 * the same of a row of tiles. */
static void take_head(gwp *p, gws *e) {
  p->head_size = e->head[5];
  for (uint32_t i = 0; i < p->head_size; ++i) p->head[i] = e->head[6u + i];
  e->head_at = e->head_size;
  e->waits = 0;
}

static void take_row_begin(gwp *p, gws *e) {
  const uint32_t size = (uint32_t)e->head_size - 1u;
  p->row = e->out_row;
  p->offset = 0;
  e->head_at = (uint8_t)size;
  e->waits -= size;
  p->left = e->waits - GWP_CRC;
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
  to = gws_put_varint(to, p->sequence);
  to = gws_put_varint(to, p->row);
  to = gws_put_varint(to, p->offset);
  to = gws_put_varint(to, piece);
  if (head) {
    *to++ = p->head_size;
    for (uint32_t i = 0; i < p->head_size; ++i) *to++ = p->head[i];
  }
  to += gws_take_output(e, to, piece);
  to = gws_put_crc(to, gws_crc(0xffffffffu, packet, (uint32_t)(to - packet)));
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
  if (e->taken_by == NULL) next_picture(p, e);
  if (e->taken_by != p || p->encoder != e) return GWS_ERR_MIXED;
  if (e->waits == 0u) return GWS_OK;
  if (p->left == 0u) take_row_begin(p, e);
  *count = write_packet(p, e, (uint8_t *)packet);
  if (p->left == 0u) e->waits = 0; /* but for the section's CRC */
  return GWS_OK;
}
