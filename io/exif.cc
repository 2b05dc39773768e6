#include "io/exif.h"

#include <cstdint>
#include <optional>

namespace godwit {
namespace {

constexpr uint32_t kOrientationTag = 0x0112, kShortType = 3;
constexpr size_t kEntryBytes = 12;

// Numbers of the blob's own byte order; nullopt beyond its end.
struct Tiff {
  std::span<const std::byte> bytes;
  bool big_endian;

  std::optional<uint32_t> Number(uint64_t at, size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) return std::nullopt;
    uint32_t v = 0;
    for (size_t i = 0; i < size; ++i) {
      const uint64_t from = at + (big_endian ? i : size - 1 - i);
      v = v << 8 | std::to_integer<uint32_t>(bytes[from]);
    }
    return v;
  }
};

std::optional<Tiff> ParseHeader(std::span<const std::byte> exif) {
  if (exif.size() < 8 || exif[0] != exif[1]) return std::nullopt;
  const char order = std::to_integer<char>(exif[0]);
  if (order != 'I' && order != 'M') return std::nullopt;
  const Tiff tiff{exif, order == 'M'};
  if (tiff.Number(2, 2) != 42) return std::nullopt;
  return tiff;
}

// Where the next readable orientation value lies, from directory entry `*entry` on, which it
// moves past; a blob may hold the tag twice.
std::optional<uint64_t> NextOrientation(const Tiff& tiff, uint32_t* entry) {
  const auto directory = tiff.Number(4, 4);
  const auto count = directory ? tiff.Number(*directory, 2) : std::nullopt;
  if (!count) return std::nullopt;
  for (; *entry < *count; ++*entry) {
    const uint64_t at = uint64_t{*directory} + 2 + uint64_t{*entry} * kEntryBytes;
    const auto value = tiff.Number(at + 8, 2);
    if (!value) return std::nullopt;
    if (tiff.Number(at, 2) == kOrientationTag && tiff.Number(at + 2, 2) == kShortType &&
        tiff.Number(at + 4, 4) == 1u && *value >= 1 && *value <= 8) {
      ++*entry;
      return at + 8;
    }
  }
  return std::nullopt;
}

}  // namespace

int ExifOrientation(std::span<const std::byte> exif) {
  const std::optional<Tiff> tiff = ParseHeader(exif);
  if (!tiff) return 1;
  uint32_t entry = 0;
  const std::optional<uint64_t> at = NextOrientation(*tiff, &entry);
  return at ? static_cast<int>(*tiff->Number(*at, 2)) : 1;
}

void ResetExifOrientation(std::span<std::byte> exif) {
  const std::optional<Tiff> tiff = ParseHeader(exif);
  if (!tiff) return;
  uint32_t entry = 0;
  while (const std::optional<uint64_t> at = NextOrientation(*tiff, &entry)) {
    exif[*at + (tiff->big_endian ? 0 : 1)] = std::byte{0};
    exif[*at + (tiff->big_endian ? 1 : 0)] = std::byte{1};
  }
}

}  // namespace godwit
