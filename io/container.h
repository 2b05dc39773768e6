// io/container.h: the .gdw file: magic, version, then sections. docs/format/container.md is the
// law.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

inline constexpr uint8_t kContainerVersion = 1;
inline constexpr size_t kFileHeaderSize = 4;  // bytes: magic and version
// Bytes of a section beside its body and the varint of the body's length: type and CRC.
inline constexpr size_t kSectionOverhead = 5;

// The whole type byte. Bit 7: a reader that does not know the type must refuse the file.
inline constexpr uint8_t kCriticalBit = 0x80;
enum class SectionType : uint8_t {
  kIcc = 0x10,
  kExif = 0x11,
  kXmp = 0x12,
  kTags = 0x13,     // of a sound
  kPicture = 0x81,  // head and first layers; comes first, once
  kLayers = 0x82,   // further layers
  kAlpha = 0x83,
  kArray = 0x84,      // head; comes first, once
  kArrayTile = 0x85,  // the tiles, in order
  kSound = 0x86,      // head; comes first, once
  kSoundPart = 0x87,  // frames, in order
};

struct Section {
  uint8_t type = 0;                 // one of SectionType
  uint64_t offset = 0;              // of the type byte in the file
  std::span<const std::byte> body;  // borrowed from the file
};

// Bytes that a section with `body_size` bytes of body takes in a file.
inline uint64_t SectionSize(uint64_t body_size) {
  return kSectionOverhead + VarintSize(body_size) + body_size;
}

// Reads a whole file in memory, which must outlive the reader and its sections.
class ContainerReader {
 public:
  // kTruncated: shorter than its header and one section's first byte; kUnreadable: not a .gdw file;
  // kUnsupported: another version.
  static Result<ContainerReader> Open(std::span<const std::byte> file);

  // The next section of a known type, its CRC checked; nullopt at the end of the file. Sections of
  // unknown optional types are checked and passed over. kTruncated: the file ends inside a section;
  // kCorrupt: a CRC, a length or the order of sections is wrong; kUnsupported: unknown critical
  // type. Messages name type and byte offset. After an error, call no more.
  Result<std::optional<Section>> Next();
  // Where the section starts that Next() failed at; only after an error of Next().
  uint64_t failed_offset() const { return failed_offset_; }

 private:
  explicit ContainerReader(std::span<const std::byte> file);
  Result<Section> ReadSection();
  Result<Section> ReadCheckedSection(uint8_t type);

  std::span<const std::byte> file_;
  ByteReader reader_;
  uint64_t failed_offset_ = 0;
};

// The same for a file that may be damaged: the sections that are whole, wherever they begin.
class SectionFinder {
 public:
  struct Gap {
    uint64_t begin = 0, end = 0;  // bytes of the file in no whole section
  };
  static Result<SectionFinder> Open(std::span<const std::byte> file);
  // The next whole section of a known type; nullopt at the end. Errors as ContainerReader's for the
  // first section, without which nothing can be done, and for unknown critical ones.
  Result<std::optional<Section>> Next();
  const std::vector<Gap>& gaps() const { return gaps_; }

 private:
  explicit SectionFinder(std::span<const std::byte> file);
  std::optional<Section> ReadAt(uint64_t offset, uint64_t& budget) const;
  uint64_t EndOf(uint64_t offset) const;
  bool IsFoundAt(uint64_t offset);
  uint64_t FindFrom(uint64_t offset);

  std::span<const std::byte> file_;
  uint64_t offset_ = kFileHeaderSize;
  struct {
    uint64_t in_order, likely, unlikely;
  } budget_;  // bytes whose CRC may still be taken in vain, by the kind of place
  std::vector<Gap> gaps_;
};

// The same for a file that is still coming, as from a pipe: holds what has not made a section yet.
class SectionFeed {
 public:
  void Push(std::span<const std::byte> bytes);
  // The next section of a known type, its CRC checked; nullopt where more bytes are needed. Its
  // body is good until the next call of either kind. Errors as ContainerReader; after one of
  // kCorrupt for a CRC, the next call goes on behind that section, whose length is believed.
  Result<std::optional<Section>> Next();
  // The end of the file: kTruncated in the middle of a section.
  Status Finish() const;
  uint64_t offset() const { return offset_ + used_; }       // of what comes next
  size_t pending() const { return bytes_.size() - used_; }  // bytes held for it

 private:
  Bytes bytes_;
  size_t used_ = 0;      // of bytes_
  uint64_t offset_ = 0;  // of bytes_ in the file
};

// Builds a file in memory. The first section must be kPicture, kArray or kSound.
class ContainerWriter {
 public:
  ContainerWriter();
  void Add(SectionType type, std::span<const std::byte> body) {
    Add(static_cast<uint8_t>(type), body);
  }
  void Add(uint8_t type, std::span<const std::byte> body);
  Bytes Release() { return writer_.Release(); }  // call once, last

 private:
  ByteWriter writer_;
};

// Appends one section, as for a file that is written while it is made.
void AppendSection(SectionType type, std::span<const std::byte> body, Bytes* out);

// The type of the first section, kPicture, kArray or kSound: what kind of file `prefix` begins.
// Errors as PeekFirstBody().
Result<SectionType> PeekMedium(std::span<const std::byte> prefix);

// What `prefix`, the first bytes of a file, holds of the first section's body, for reading
// headers early: nothing vouches for it, least of all the CRC. May be empty. kTruncated: not even
// the section's length is there; other errors as Open() and Next(). `complete`, where given, says
// whether the body is there to its end: what it lacks then is corruption and not a short prefix.
Result<std::span<const std::byte>> PeekFirstBody(std::span<const std::byte> prefix,
                                                 bool* complete = nullptr);

}  // namespace godwit
