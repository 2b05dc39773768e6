/* godwit_packets.h: a picture of godwit_sensor.h cut into packets, so that a lost one costs lines
 * and not the picture. docs/format/transport.md is the law; `godwit decode` reads what arrives.
 *
 *   gwp packets;
 *   gwp_init(&packets, &(gwp_params){.packet_bytes = 244, .picture = 1});
 *   after every gws_push_rows(), instead of gws_pull():
 *     while (gwp_pull(&packets, encoder, packet, sizeof packet, &n), n > 0) send(packet, n);
 *
 * Every call makes one packet at most. It needs no memory but `gwp` and the packet. */
#ifndef GODWIT_PACKETS_H
#define GODWIT_PACKETS_H

#include "godwit_sensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GWP_MIN_PACKET 64u

typedef struct {
  uint16_t packet_bytes; /* most that a packet has: 64..65535 */
  uint16_t picture;      /* number of the first picture; each has the next, 0 after 65535 */
  uint16_t head_every;   /* the picture's head, 15 to 21 bytes, goes with the first of so many rows
                            of tiles and with the last; 0 is 2 */
} gwp_params;

/* Of one sequence of pictures. Its fields are the library's. */
typedef struct {
  uint32_t magic;
  gwp_params params;
  const gws *encoder; /* of the picture that is under way */
  uint32_t sequence;  /* of the next packet */
  uint32_t row;       /* of tiles, that is under way */
  uint32_t offset;    /* of its next byte */
  uint32_t left;      /* of its bytes; 0: none is under way */
  uint8_t started;
  uint8_t head_size;
  uint8_t head[24];
} gwp;

gws_status gwp_init(gwp *packets, const gwp_params *params);

/* The next packet of the picture that `encoder` has under way, to `packet`, which must hold
 * packet_bytes; `*count` is its size. 0: none is ready. After gws_reset() the next picture begins.
 * GWS_ERR_MIXED where gws_pull() or another gwp has taken bytes of this picture. */
gws_status gwp_pull(gwp *packets, gws *encoder, void *packet, size_t capacity, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
