#include "eval/ogg_pages.h"

#include <cstring>

namespace godwit {
namespace {

Status NoOgg() { return Status(StatusCode::kCorrupt, "no Ogg file of one stream"); }

// Frees what libogg has allocated.
struct OggReader {
  ogg_sync_state sync;
  ogg_stream_state stream;
  bool has_stream = false;
  OggReader() { ogg_sync_init(&sync); }
  ~OggReader() {
    if (has_stream) ogg_stream_clear(&stream);
    ogg_sync_clear(&sync);
  }
};

}  // namespace

void OggWriter::Add(std::span<const unsigned char> packet, int64_t granule, bool last) {
  ogg_packet p{};
  p.packet = const_cast<unsigned char*>(packet.data());
  p.bytes = static_cast<long>(packet.size());
  p.b_o_s = packets_ == 0;
  p.e_o_s = last;
  p.granulepos = granule;
  p.packetno = packets_++;
  Add(&p);
}

void OggWriter::TakePages(bool all, Bytes* out) {
  ogg_page page;
  while ((all ? ogg_stream_flush(&stream_, &page) : ogg_stream_pageout(&stream_, &page)) != 0) {
    for (const auto& [data, size] :
         {std::pair{page.header, page.header_len}, {page.body, page.body_len}}) {
      const std::byte* const bytes = reinterpret_cast<const std::byte*>(data);
      out->insert(out->end(), bytes, bytes + size);
    }
  }
}

Result<OggPackets> ReadOggPackets(std::span<const std::byte> file) {
  if (file.empty()) return NoOgg();
  OggReader reader;
  char* const room = ogg_sync_buffer(&reader.sync, static_cast<long>(file.size()));
  if (room == nullptr) return NoOgg();
  std::memcpy(room, file.data(), file.size());
  ogg_sync_wrote(&reader.sync, static_cast<long>(file.size()));
  OggPackets found;
  ogg_page page;
  bool ended = false;
  while (true) {
    const int got = ogg_sync_pageout(&reader.sync, &page);
    if (got == 0) break;
    if (got < 0 || ended) return NoOgg();  // bytes between pages, or after the end
    if (!reader.has_stream) {
      ogg_stream_init(&reader.stream, ogg_page_serialno(&page));
      reader.has_stream = true;
    }
    if (ogg_stream_pagein(&reader.stream, &page) != 0) return NoOgg();
    if (ogg_page_granulepos(&page) >= 0) found.granule = ogg_page_granulepos(&page);
    ended = ogg_page_eos(&page) != 0;
    ogg_packet packet;
    int taken;
    while ((taken = ogg_stream_packetout(&reader.stream, &packet)) != 0) {
      if (taken < 0) return NoOgg();  // a page is missing
      found.packets.emplace_back(packet.packet, packet.packet + packet.bytes);
    }
  }
  if (!ended) return NoOgg();
  return found;
}

}  // namespace godwit
