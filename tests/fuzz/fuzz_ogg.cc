// Any bytes, with the checksums of their pages mended, as an Ogg file: refused, or packets that
// come back when they are written again. And as a file of Opus: refused, or a sound of the length
// that was asked for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "eval/codec_table.h"
#include "eval/ogg_pages.h"

namespace {

// A page whose checksum is wrong is passed over: a fuzzer would never come further.
void MendChecksums(std::vector<unsigned char>& file) {
  constexpr size_t kHead = 27;
  for (size_t at = 0; at + kHead <= file.size() && std::memcmp(&file[at], "OggS", 4) == 0;) {
    const size_t head = kHead + file[at + 26];
    if (at + head > file.size()) return;
    size_t body = 0;
    for (size_t i = kHead; i < head; ++i) body += file[at + i];
    if (at + head + body > file.size()) return;
    ogg_page page{&file[at], static_cast<long>(head), file.data() + at + head,
                  static_cast<long>(body)};
    ogg_page_checksum_set(&page);
    at += head + body;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  std::vector<unsigned char> mended(data, data + size);
  MendChecksums(mended);
  const auto file = std::as_bytes(std::span(mended));
  if (const auto read = ReadOggPackets(file); read.ok() && !read->packets.empty()) {
    OggWriter writer;
    Bytes again;
    for (size_t i = 0; i < read->packets.size(); ++i) {
      const bool last = i + 1 == read->packets.size();
      writer.Add(read->packets[i], last ? read->granule : 0, last);
      writer.TakePages(last, &again);
    }
    const auto second = ReadOggPackets(again);
    if (!second.ok() || second->packets != read->packets) std::abort();
  }
  static const auto opus = FindCodec("opus", {});
  if (!opus.ok()) return 0;
  Sound sound{48000, 1, 16, std::vector<float>(960)};
  const auto codec = opus->create(1);
  if (codec.ok() && (*codec)->Decode(file, &sound).ok() && sound.samples.size() != 960) {
    std::abort();
  }
  return 0;
}
