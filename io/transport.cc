#include "io/transport.h"

#include <algorithm>
#include <array>

#include "base/crc32c.h"

namespace godwit {
namespace {

constexpr std::array<std::byte, 2> kMark = {std::byte{0x47}, std::byte{0x50}};
constexpr std::array<std::byte, 3> kFileMagic = {std::byte{0x47}, std::byte{0x44}, std::byte{0x57}};
constexpr uint8_t kVersion = 1, kHeadFlag = 16, kLastFlag = 32, kReservedFlags = 0xc0;
constexpr size_t kCrcSize = 4;
// What looks like packets and is none may cost so many times the bytes there are, and no more: a
// hostile file could else have a mark every three bytes, each with a length of 65535.
constexpr uint64_t kSearchFactor = 16, kFreeSearch = 1 << 20;

// Everything between the mark and the piece, and then the piece.
Result<TransportPacket> ReadBody(ByteReader& reader) {
  TransportPacket p;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t flags, reader.U8());
  if ((flags & 15) != kVersion || (flags & kReservedFlags) != 0) {
    return Status(StatusCode::kUnsupported, "a packet of a later version");
  }
  p.last = (flags & kLastFlag) != 0;
  GODWIT_ASSIGN_OR_RETURN(p.picture, reader.U16());
  GODWIT_ASSIGN_OR_RETURN(p.sequence, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(p.row, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(p.offset, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t length, reader.Varint());
  if (std::max({p.sequence, p.row, p.offset}) > UINT32_MAX || length > kMaxPacketSize) {
    return Status(StatusCode::kCorrupt, "numbers out of range");
  }
  if ((flags & kHeadFlag) != 0) {
    GODWIT_ASSIGN_OR_RETURN(const uint8_t size, reader.U8());
    if (size == 0) return Status(StatusCode::kCorrupt, "a head of no bytes");
    GODWIT_ASSIGN_OR_RETURN(p.head, reader.Take(size));
  }
  GODWIT_ASSIGN_OR_RETURN(p.piece, reader.Take(length));
  return p;
}

}  // namespace

TransportReader::TransportReader(std::span<const std::byte> bytes)
    : bytes_(bytes), budget_(kSearchFactor * bytes.size() + kFreeSearch) {}

std::optional<TransportPacket> TransportReader::ReadAt(size_t offset, size_t* size) {
  const auto rest = bytes_.subspan(offset);
  ByteReader reader(rest.subspan(kMark.size()));
  const Result<TransportPacket> packet = ReadBody(reader);
  if (!packet.ok()) return std::nullopt;
  const size_t covered = kMark.size() + reader.offset();
  const Result<uint32_t> crc = reader.U32();
  *size = covered + kCrcSize;
  if (!crc.ok() || *size > kMaxPacketSize || budget_ == 0) return std::nullopt;
  if (Crc32c(rest.first(covered)) == *crc) return *packet;
  budget_ -= std::min<uint64_t>(budget_, covered);
  return std::nullopt;
}

std::optional<TransportPacket> TransportReader::Next() {
  while (true) {
    const auto rest = bytes_.subspan(offset_);
    const auto found = std::search(rest.begin(), rest.end(), kMark.begin(), kMark.end());
    const auto garbage = static_cast<size_t>(found - rest.begin());
    passed_over_ += garbage;
    offset_ += garbage;
    if (found == rest.end()) return std::nullopt;
    size_t size = 0;
    const std::optional<TransportPacket> packet = ReadAt(offset_, &size);
    if (packet) {
      offset_ += size;
      return packet;
    }
    ++passed_over_;
    ++offset_;
  }
}

bool HoldsPackets(std::span<const std::byte> bytes) {
  const size_t have = std::min(bytes.size(), kFileMagic.size());
  if (std::equal(kFileMagic.begin(), kFileMagic.begin() + static_cast<ptrdiff_t>(have),
                 bytes.begin())) {
    return false;
  }
  return TransportReader(bytes).Next().has_value();
}

size_t PacketBytesAround(const TransportPacket& p) {
  return kMark.size() + 3 + VarintSize(p.sequence) + VarintSize(p.row) + VarintSize(p.offset) +
         (p.head.empty() ? 0 : 1 + p.head.size()) + kCrcSize;
}

Status AppendPacket(const TransportPacket& p, Bytes* out) {
  if (p.head.size() > 255 || std::max({p.sequence, p.row, p.offset}) > UINT32_MAX ||
      PacketBytesAround(p) + VarintSize(p.piece.size()) + p.piece.size() > kMaxPacketSize) {
    return Status(StatusCode::kInvalidArgument, "a packet larger than 65535 bytes");
  }
  ByteWriter w;
  w.Append(kMark);
  w.U8(
      static_cast<uint8_t>(kVersion | (p.head.empty() ? 0 : kHeadFlag) | (p.last ? kLastFlag : 0)));
  w.U16(p.picture);
  w.Varint(p.sequence);
  w.Varint(p.row);
  w.Varint(p.offset);
  w.Varint(p.piece.size());
  if (!p.head.empty()) {
    w.U8(static_cast<uint8_t>(p.head.size()));
    w.Append(p.head);
  }
  w.Append(p.piece);
  w.U32(Crc32c(w.bytes()));
  out->insert(out->end(), w.bytes().begin(), w.bytes().end());
  return {};
}

}  // namespace godwit
