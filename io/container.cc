#include "io/container.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "base/crc32c.h"

namespace godwit {
namespace {

constexpr std::array<std::byte, 3> kMagic = {std::byte{0x47}, std::byte{0x44}, std::byte{0x57}};

bool IsKnown(uint8_t type) {
  switch (static_cast<SectionType>(type)) {
    case SectionType::kIcc:
    case SectionType::kExif:
    case SectionType::kXmp:
    case SectionType::kTags:
    case SectionType::kPicture:
    case SectionType::kLayers:
    case SectionType::kAlpha:
    case SectionType::kArray:
    case SectionType::kArrayTile:
    case SectionType::kSound:
    case SectionType::kSoundPart:
      return true;
  }
  return false;
}

std::string Hex(uint8_t v) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[v >> 4], kDigits[v & 15]};
}

std::string Place(uint8_t type, uint64_t offset) {
  return "section type " + Hex(type) + " at byte " + std::to_string(offset) + ": ";
}

Status CheckHeader(std::span<const std::byte> file) {
  const size_t have = std::min(file.size(), kMagic.size());
  if (!std::equal(file.begin(), file.begin() + static_cast<ptrdiff_t>(have), kMagic.begin())) {
    return Status(StatusCode::kUnreadable, "not a .gdw file: wrong magic");
  }
  if (file.size() >= kFileHeaderSize) {
    const auto version = std::to_integer<uint8_t>(file[kMagic.size()]);
    if (version != kContainerVersion) {
      return Status(StatusCode::kUnsupported, ".gdw version " + std::to_string(version) +
                                                  ", this program reads " +
                                                  std::to_string(kContainerVersion));
    }
  }
  if (file.size() <= kFileHeaderSize) {
    return Status(StatusCode::kTruncated,
                  "ends at byte " + std::to_string(file.size()) + ", before any section");
  }
  return {};
}

bool IsMedium(uint8_t type) {
  return type == static_cast<uint8_t>(SectionType::kPicture) ||
         type == static_cast<uint8_t>(SectionType::kArray) ||
         type == static_cast<uint8_t>(SectionType::kSound);
}

// What the type byte alone, at `offset`, says about the file.
Status CheckType(uint8_t type, uint64_t offset) {
  if ((type & kCriticalBit) != 0 && !IsKnown(type)) {
    return Status(StatusCode::kUnsupported, Place(type, offset) + "unknown and critical");
  }
  const bool is_first = offset == kFileHeaderSize;
  if (is_first != IsMedium(type)) {
    return Status(
        StatusCode::kCorrupt,
        Place(type, offset) + (is_first ? "the first section must be a picture, array or sound"
                                        : "a second picture, array or sound"));
  }
  return {};
}

}  // namespace

ContainerReader::ContainerReader(std::span<const std::byte> file) : file_(file), reader_(file) {
  (void)reader_.Take(kFileHeaderSize);  // Open() has looked at it
}

Result<ContainerReader> ContainerReader::Open(std::span<const std::byte> file) {
  GODWIT_RETURN_IF_ERROR(CheckHeader(file));
  return ContainerReader(file);
}

Result<Section> ContainerReader::ReadSection() {
  Section section;
  section.offset = reader_.offset();
  GODWIT_ASSIGN_OR_RETURN(section.type, reader_.U8());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t size, reader_.Varint());
  GODWIT_ASSIGN_OR_RETURN(section.body, reader_.Take(size));
  const auto start = static_cast<size_t>(section.offset);
  const uint32_t computed = Crc32c(file_.subspan(start, reader_.offset() - start));
  GODWIT_ASSIGN_OR_RETURN(const uint32_t stored, reader_.U32());
  if (computed != stored) return Status(StatusCode::kCorrupt, "wrong CRC-32C");
  return section;
}

Result<Section> ContainerReader::ReadCheckedSection(uint8_t type) {
  const uint64_t offset = reader_.offset();
  Result<Section> section = ReadSection();
  // After the CRC, so that a damaged type is called damaged and not unknown. Of a section that is
  // cut short only the first one's type is known to be wrong, whatever follows.
  const bool cut_first =
      section.status().code() == StatusCode::kTruncated && offset == kFileHeaderSize;
  if (section.ok() || cut_first) GODWIT_RETURN_IF_ERROR(CheckType(type, offset));
  if (!section.ok()) return section.status().WithPrefix(Place(type, offset));
  return section;
}

Result<std::optional<Section>> ContainerReader::Next() {
  while (reader_.remaining() > 0) {
    const uint64_t offset = reader_.offset();
    const auto type = std::to_integer<uint8_t>(file_[reader_.offset()]);
    const Result<Section> section = ReadCheckedSection(type);
    if (!section.ok()) {
      failed_offset_ = offset;
      return section.status();
    }
    if (IsKnown(type)) return std::optional<Section>(*section);
  }
  return std::optional<Section>();
}

// A hostile file could else have its CRC taken from every byte on.
constexpr uint64_t kSearchFactor = 16, kFreeSearch = 1 << 20;

SectionFinder::SectionFinder(std::span<const std::byte> file) : file_(file) {
  const uint64_t budget = kSearchFactor * file.size() + kFreeSearch;
  budget_ = {.in_order = budget, .likely = budget, .unlikely = budget};
}

Result<SectionFinder> SectionFinder::Open(std::span<const std::byte> file) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  GODWIT_RETURN_IF_ERROR(reader.Next().status());
  return SectionFinder(file);
}

// The section at `offset`, if its CRC is right. A wrong one is paid for from `budget`, whose last
// bytes may be overdrawn: one that is right must not go unread.
std::optional<Section> SectionFinder::ReadAt(uint64_t offset, uint64_t& budget) const {
  const auto rest = file_.subspan(static_cast<size_t>(offset));
  ByteReader reader(rest);
  const Result<uint8_t> type = reader.U8();
  const Result<uint64_t> size = reader.Varint();
  if (!type.ok() || !size.ok()) return std::nullopt;
  const auto body = reader.Take(*size);
  const size_t covered = reader.offset();
  const Result<uint32_t> crc = reader.U32();
  if (!body.ok() || !crc.ok() || budget == 0) return std::nullopt;
  if (Crc32c(rest.first(covered)) == *crc) return Section{*type, offset, *body};
  budget -= std::min<uint64_t>(budget, covered);
  return std::nullopt;
}

// Behind what may be a section at `offset` by its type and length; 0 where none can be.
uint64_t SectionFinder::EndOf(uint64_t offset) const {
  ByteReader reader(file_.subspan(static_cast<size_t>(offset)));
  const Result<uint8_t> type = reader.U8();
  if (!type.ok() || !IsKnown(*type) || IsMedium(*type)) return 0;
  const Result<uint64_t> size = reader.Varint();
  constexpr size_t kCrcSize = 4;
  if (!size.ok() || reader.remaining() < kCrcSize || *size > reader.remaining() - kCrcSize)
    return 0;
  return offset + reader.offset() + *size + kCrcSize;
}

// A place behind which another section may begin, or the file ends, is far likelier to hold one;
// others, as in front of one that is damaged or cut short, are paid for apart.
bool SectionFinder::IsFoundAt(uint64_t offset) {
  const uint64_t end = EndOf(offset);
  if (end == 0) return false;
  const bool likely = end == file_.size() || EndOf(end) != 0;
  return ReadAt(offset, likely ? budget_.likely : budget_.unlikely).has_value();
}

// Where a section begins after the damaged one at `offset`: behind it, or behind damaged neighbours
// of it, if their lengths are right, else at the first place where one is whole.
uint64_t SectionFinder::FindFrom(uint64_t offset) {
  ByteReader reader(file_.subspan(static_cast<size_t>(offset) + 1));
  const Result<uint64_t> size = reader.Varint();
  constexpr size_t kCrcSize = 4;
  if (size.ok() && *size < file_.size()) {
    uint64_t next = offset + 1 + reader.offset() + *size + kCrcSize;
    constexpr int kMaxHops = 64;  // a hostile file could have all walks end in one
    for (int hop = 0; hop <= kMaxHops && next != 0 && next <= file_.size(); ++hop) {
      if (next == file_.size()) return next;
      const uint64_t end = EndOf(next);
      if (end != 0 && ReadAt(next, budget_.in_order)) return next;
      next = end;
    }
  }
  for (++offset; offset < file_.size() && !IsFoundAt(offset);) ++offset;
  return offset;
}

Result<std::optional<Section>> SectionFinder::Next() {
  while (offset_ < file_.size()) {
    std::optional<Section> section = ReadAt(offset_, budget_.in_order);
    if (!section || (offset_ > kFileHeaderSize && IsMedium(section->type))) {
      const uint64_t next = FindFrom(offset_);
      gaps_.push_back({offset_, next});
      offset_ = next;
      continue;
    }
    GODWIT_RETURN_IF_ERROR(CheckType(section->type, offset_));
    offset_ += SectionSize(section->body.size());
    if (IsKnown(section->type)) return section;
  }
  return std::optional<Section>();
}

void SectionFeed::Push(std::span<const std::byte> bytes) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(used_));
  offset_ += used_;
  used_ = 0;
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Section>> SectionFeed::Next() {
  constexpr auto kNothing = std::nullopt;
  if (offset_ + used_ == 0) {
    if (bytes_.size() <= kFileHeaderSize) return std::optional<Section>(kNothing);
    GODWIT_RETURN_IF_ERROR(CheckHeader(bytes_));
    used_ = kFileHeaderSize;
  }
  for (;;) {
    const std::span<const std::byte> rest = std::span<const std::byte>(bytes_).subspan(used_);
    if (rest.empty()) return std::optional<Section>(kNothing);
    const auto type = std::to_integer<uint8_t>(rest[0]);
    const uint64_t offset = offset_ + used_;
    if (offset == kFileHeaderSize) GODWIT_RETURN_IF_ERROR(CheckType(type, offset));
    ByteReader reader(rest.subspan(1));
    const Result<uint64_t> size = reader.Varint();
    if (!size.ok() && size.status().code() == StatusCode::kTruncated) {
      return std::optional<Section>(kNothing);
    }
    if (!size.ok()) return size.status().WithPrefix(Place(type, offset));
    const size_t head = 1 + reader.offset();
    constexpr size_t kCrcSize = 4;
    if (*size > rest.size() - head || rest.size() - head - *size < kCrcSize) {
      return std::optional<Section>(kNothing);
    }
    const auto whole = static_cast<size_t>(head + *size);
    used_ += whole + kCrcSize;
    ByteReader crc(rest.subspan(whole));
    if (Crc32c(rest.first(whole)) != *crc.U32()) {
      return Status(StatusCode::kCorrupt, Place(type, offset) + "wrong CRC-32C");
    }
    GODWIT_RETURN_IF_ERROR(CheckType(type, offset));
    if (!IsKnown(type)) continue;
    return std::optional<Section>(Section{type, offset, rest.subspan(head, whole - head)});
  }
}

Status SectionFeed::Finish() const {
  if (offset_ + used_ == 0) GODWIT_RETURN_IF_ERROR(CheckHeader(bytes_));
  if (used_ == bytes_.size()) return {};
  return Status(StatusCode::kTruncated,
                Place(std::to_integer<uint8_t>(bytes_[used_]), offset_ + used_) + "cut short");
}

void AppendSection(SectionType type, std::span<const std::byte> body, Bytes* out) {
  ByteWriter writer;
  writer.U8(static_cast<uint8_t>(type));
  writer.Varint(body.size());
  const uint32_t crc = Crc32c(body, Crc32c(writer.bytes()));
  out->insert(out->end(), writer.bytes().begin(), writer.bytes().end());
  out->insert(out->end(), body.begin(), body.end());
  ByteWriter end;
  end.U32(crc);
  out->insert(out->end(), end.bytes().begin(), end.bytes().end());
}

ContainerWriter::ContainerWriter() {
  writer_.Append(kMagic);
  writer_.U8(kContainerVersion);
}

void ContainerWriter::Add(uint8_t type, std::span<const std::byte> body) {
  assert((writer_.size() == kFileHeaderSize) == IsMedium(type));
  const size_t start = writer_.size();
  writer_.U8(type);
  writer_.Varint(body.size());
  writer_.Append(body);
  writer_.U32(Crc32c(std::span(writer_.bytes()).subspan(start)));
}

Result<SectionType> PeekMedium(std::span<const std::byte> prefix) {
  GODWIT_RETURN_IF_ERROR(CheckHeader(prefix));
  const auto type = std::to_integer<uint8_t>(prefix[kFileHeaderSize]);
  GODWIT_RETURN_IF_ERROR(CheckType(type, kFileHeaderSize));
  return static_cast<SectionType>(type);
}

Result<std::span<const std::byte>> PeekFirstBody(std::span<const std::byte> prefix,
                                                 bool* complete) {
  GODWIT_RETURN_IF_ERROR(CheckHeader(prefix));
  const auto type = std::to_integer<uint8_t>(prefix[kFileHeaderSize]);
  GODWIT_RETURN_IF_ERROR(CheckType(type, kFileHeaderSize));
  ByteReader reader(prefix.subspan(kFileHeaderSize + 1));
  const Result<uint64_t> size = reader.Varint();
  if (!size.ok()) return size.status().WithPrefix(Place(type, kFileHeaderSize));
  const auto rest = prefix.subspan(kFileHeaderSize + 1 + reader.offset());
  if (complete != nullptr) *complete = *size <= rest.size();
  return rest.first(static_cast<size_t>(std::min<uint64_t>(*size, rest.size())));
}

}  // namespace godwit
