// tests/codecs/stream_bytes.h: picture files put together by hand, valid and not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "io/container.h"

namespace godwit {

// The picture section's fields as they are in the file.
struct HandMadePicture {
  uint8_t flags = 0;
  uint64_t width = 1, height = 1;
  uint64_t model_id = 0;
  uint16_t rate = 0;                // step index, and layers - 1 from bit 12 on
  std::vector<uint8_t> rest = {0};  // tile size if there is one, then layers: lengths, substreams

  Bytes Body() const {
    ByteWriter body;
    body.U8(flags);
    body.Varint(width);
    body.Varint(height);
    body.U64(model_id);
    body.U16(rate);
    body.Append(AsBytes(rest));
    return body.Release();
  }
};

struct HandMadeSection {
  uint8_t type;
  std::vector<uint8_t> body;
};

// Sets the CRC of every section that lies in the file whole.
inline void FixCrcs(std::span<std::byte> file) {
  for (size_t at = kFileHeaderSize; at < file.size();) {
    ByteReader reader(file.subspan(at));
    if (!reader.U8().ok()) return;
    const Result<uint64_t> size = reader.Varint();
    if (!size.ok() || *size > reader.remaining() || reader.remaining() - *size < 4) return;
    const size_t covered = reader.offset() + static_cast<size_t>(*size);
    const uint32_t crc = Crc32c(file.subspan(at, covered));
    for (size_t i = 0; i < 4; ++i) file[at + covered + i] = static_cast<std::byte>(crc >> (8 * i));
    at += covered + 4;
  }
}

// Without ContainerWriter's asserts: any types in any order.
inline Bytes HandMadeFile(const HandMadePicture& picture,
                          const std::vector<HandMadeSection>& sections = {}) {
  ByteWriter file;
  for (const char c : {'G', 'D', 'W'}) file.U8(static_cast<uint8_t>(c));
  file.U8(kContainerVersion);
  const auto add = [&](uint8_t type, std::span<const std::byte> body) {
    file.U8(type);
    file.Varint(body.size());
    file.Append(body);
    file.U32(0);
  };
  add(static_cast<uint8_t>(SectionType::kPicture), picture.Body());
  for (const HandMadeSection& s : sections) add(s.type, AsBytes(s.body));
  Bytes bytes = file.Release();
  FixCrcs(bytes);
  return bytes;
}

}  // namespace godwit
