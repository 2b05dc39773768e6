// Any bytes: a sound within the limits or an error. Read as a file; and, so that checksums do not
// keep the fuzzer out, as the header, tags and two parts of one: the first three bytes are the
// lengths of the header, of the tags and of the first part.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "codecs/audio/audio_decoder.h"
#include "io/container.h"

namespace {

void Decode(std::span<const std::byte> file) {
  using namespace godwit;
  AudioDecodeOptions options;
  options.limits = {.max_pixels = 1 << 16, .max_memory_bytes = 16 << 20};
  const auto sound = DecodeAudio(file, options);
  SectionFeed feed;
  feed.Push(file);
  bool bad = false;
  while (!bad) {
    const auto section = feed.Next();
    bad = !section.ok();
    if (!bad && !*section) break;
  }
  if (!sound.ok()) return;
  if (bad || !feed.Finish().ok()) std::abort();  // both readers read the same container
  if (sound->samples.size() != *sound->header.length * sound->header.channels) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace godwit;
  auto bytes = AsBytes({data, size});
  Decode(bytes);
  if (size < 3) return 0;
  bytes = bytes.subspan(3);
  const auto take = [&](size_t wanted) {
    const size_t count = std::min(wanted, bytes.size());
    const auto part = bytes.first(count);
    bytes = bytes.subspan(count);
    return part;
  };
  ContainerWriter writer;
  writer.Add(SectionType::kSound, take(data[0]));
  writer.Add(SectionType::kTags, take(data[1]));
  const auto first = take(data[2]);
  if (!first.empty()) writer.Add(SectionType::kSoundPart, first);
  writer.Add(SectionType::kSoundPart, bytes);
  Decode(writer.Release());
  return 0;
}
