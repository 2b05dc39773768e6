// eval/ogg_pages.h: packets to Ogg pages and back, for codecs whose libraries leave that to others.
// Needs libogg.
#pragma once

#include <ogg/ogg.h>

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

class OggWriter {
 public:
  OggWriter() { ogg_stream_init(&stream_, 1); }
  ~OggWriter() { ogg_stream_clear(&stream_); }
  OggWriter(const OggWriter&) = delete;
  OggWriter& operator=(const OggWriter&) = delete;

  void Add(ogg_packet* packet) { ogg_stream_packetin(&stream_, packet); }
  // `granule`: of the last sample that ends with the packet.
  void Add(std::span<const unsigned char> packet, int64_t granule, bool last);
  // Pages that are full or, with `all`, what is left too: as after headers and at the end.
  void TakePages(bool all, Bytes* out);

 private:
  ogg_stream_state stream_;
  int64_t packets_ = 0;
};

struct OggPackets {
  std::vector<std::vector<unsigned char>> packets;
  int64_t granule = 0;  // of the last page
};
// All packets of a file with one stream. kCorrupt where it is no such file.
Result<OggPackets> ReadOggPackets(std::span<const std::byte> file);

}  // namespace godwit
