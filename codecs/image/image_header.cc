#include "codecs/image/image_header.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "codecs/image/image_syntax.h"
#include "io/container.h"

namespace godwit {
namespace {

using swift::kLayers;

Status Corrupt(std::string message) { return Status(StatusCode::kCorrupt, std::move(message)); }

// Cells whose work is never worth refusing.
constexpr uint64_t kFreeCells = 256;

// The fixed part of the picture section's body. `first_layers` is how many layers follow it.
Result<ImageHeader> ReadHeader(ByteReader& reader, const DecodeLimits& limits, int* first_layers) {
  ImageHeader h;
  GODWIT_ASSIGN_OR_RETURN(const uint8_t flags, reader.U8());
  if ((flags & kReservedFlags) != 0) {
    return Status(StatusCode::kUnsupported,
                  "picture header: flags " + std::to_string(flags) + " are from a later version");
  }
  h.planes = (flags & kColourFlag) != 0 ? 3 : 1;
  h.has_alpha = (flags & kAlphaFlag) != 0;
  h.from_16_bit = (flags & kFrom16BitFlag) != 0;
  GODWIT_ASSIGN_OR_RETURN(const uint64_t width, reader.Varint());
  GODWIT_ASSIGN_OR_RETURN(const uint64_t height, reader.Varint());
  if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide) {
    return Corrupt("picture header: size " + std::to_string(width) + "x" + std::to_string(height) +
                   " is outside 1.." + std::to_string(kMaxSide));
  }
  h.width = static_cast<uint32_t>(width);
  h.height = static_cast<uint32_t>(height);
  if (width * height > limits.max_pixels) {
    return Status(StatusCode::kOverLimit, "picture of " + std::to_string(width) + "x" +
                                              std::to_string(height) + " pixels, the limit is " +
                                              std::to_string(limits.max_pixels) + " pixels");
  }
  // The work is on whole cells: 32 times its pixels for a picture of one column.
  const uint64_t cells =
      ((width + swift::kCell - 1) / swift::kCell) * ((height + swift::kCell - 1) / swift::kCell);
  if (cells / 4 > limits.max_pixels / (swift::kCell * swift::kCell) + kFreeCells) {
    return Status(StatusCode::kOverLimit, "picture of " + std::to_string(width) + "x" +
                                              std::to_string(height) +
                                              " pixels takes the work of four times the limit of " +
                                              std::to_string(limits.max_pixels) + " pixels");
  }
  GODWIT_ASSIGN_OR_RETURN(h.model_id, reader.U64());
  GODWIT_ASSIGN_OR_RETURN(const uint16_t rate, reader.U16());
  h.step_index = rate & 0x1ff;
  *first_layers = (rate >> 12) + 1;
  if (h.step_index > swift::kMaxStepIndex || (rate & 0x0e00) != 0 || *first_layers > kLayers) {
    return Corrupt("picture header: step or layer count out of range");
  }
  if ((flags & kTileFlag) != 0) {
    GODWIT_ASSIGN_OR_RETURN(const uint8_t log2, reader.U8());
    if (log2 < kMinTileLog2 || log2 > kMaxTileLog2)
      return Corrupt("picture header: tile size out of range");
    h.tile = uint32_t{1} << log2;
  }
  return h;
}

// One layer: the length of every tile's substream, then the substreams.
Status ReadSubstreams(ByteReader& reader, uint64_t tiles,
                      std::vector<std::span<const std::byte>>& out) {
  if (tiles > reader.remaining()) {  // each length takes a byte: nothing is allocated for tiles
                                     // that cannot be there
    return Status(StatusCode::kTruncated,
                  "ends before the lengths of " + std::to_string(tiles) + " tiles");
  }
  std::vector<uint64_t> lengths(tiles);
  for (uint64_t& n : lengths) {
    GODWIT_ASSIGN_OR_RETURN(n, reader.Varint());
  }
  out.resize(tiles);
  for (size_t t = 0; t < tiles; ++t) {
    GODWIT_ASSIGN_OR_RETURN(out[t], reader.Take(lengths[t]));
  }
  return {};
}

Status ReadLayers(ByteReader& reader, int count, uint64_t tiles, ImageStream& s) {
  for (int i = 0; i < count; ++i) {
    std::vector<std::span<const std::byte>> layer;
    GODWIT_RETURN_IF_ERROR(ReadSubstreams(reader, tiles, layer));
    s.layers.push_back(std::move(layer));
  }
  return {};
}

// A section that is whole: what it lacks or has too much of is corruption, not truncation.
Status AsCorrupt(Status status) {
  return status.code() == StatusCode::kTruncated ? Corrupt(status.message()) : status;
}

bool Has(const ImageStream& s, std::string_view name) {
  return std::any_of(s.sections.begin(), s.sections.end(),
                     [&](const ImageSectionInfo& info) { return info.name == name; });
}

Status ReadSection(const Section& section, const DecodeLimits& limits, ImageStream& s) {
  ByteReader reader(section.body);
  ImageSectionInfo info{"", section.offset, SectionSize(section.body.size()), 0, 0};
  switch (static_cast<SectionType>(section.type)) {
    case SectionType::kPicture: {
      int count = 0;
      GODWIT_ASSIGN_OR_RETURN(s.header, ReadHeader(reader, limits, &count));
      GODWIT_RETURN_IF_ERROR(ReadLayers(reader, count, TileGrid(s.header).count(), s));
      info.name = "picture";
      info.layers = count;
      break;
    }
    case SectionType::kLayers: {
      GODWIT_ASSIGN_OR_RETURN(const uint8_t range, reader.U8());
      info.name = "layers";
      info.first_layer = range & 15;
      info.layers = (range >> 4) + 1;
      if (static_cast<size_t>(info.first_layer) != s.layers.size() ||
          info.first_layer + info.layers > kLayers) {
        return Corrupt("layers out of order");
      }
      GODWIT_RETURN_IF_ERROR(ReadLayers(reader, info.layers, TileGrid(s.header).count(), s));
      break;
    }
    case SectionType::kAlpha:
      info.name = "alpha";
      if (!s.header.has_alpha) return Corrupt("alpha that the header does not speak of");
      GODWIT_RETURN_IF_ERROR(ReadSubstreams(reader, TileGrid(s.header).count(), s.alpha));
      break;
    case SectionType::kIcc:
      info.name = "icc";
      s.icc = section.body;
      reader = ByteReader({});
      break;
    case SectionType::kExif:
      info.name = "exif";
      s.exif = section.body;
      reader = ByteReader({});
      break;
    case SectionType::kXmp:
      info.name = "xmp";
      s.xmp = section.body;
      reader = ByteReader({});
      break;
    case SectionType::kArray:
      return Status(StatusCode::kUnsupported, "an array, not a picture");
    case SectionType::kArrayTile:
      return Corrupt("a tile of an array");
  }
  if (info.layers == 0 && Has(s, info.name)) return Corrupt("a second section of " + info.name);
  if (reader.remaining() != 0)
    return Corrupt(std::to_string(reader.remaining()) + " bytes left over");
  s.sections.push_back(std::move(info));
  return {};
}

// What a cut-off section still holds in whole layers; its CRC went with its end.
void SalvageLayers(std::span<const std::byte> rest, const DecodeLimits& limits, ImageStream& s) {
  ByteReader reader(rest);
  const Result<uint8_t> type = reader.U8();
  if (!type.ok() || !reader.Varint().ok()) return;
  int count = 0;
  if (*type == static_cast<uint8_t>(SectionType::kPicture) && s.layers.empty()) {
    const Result<ImageHeader> header = ReadHeader(reader, limits, &count);
    if (!header.ok()) return;
    s.header = *header;
  } else if (*type == static_cast<uint8_t>(SectionType::kLayers) && !s.layers.empty()) {
    const Result<uint8_t> range = reader.U8();
    if (!range.ok() || (*range & 15u) != s.layers.size()) return;
    count = std::min((*range >> 4) + 1, kLayers - (*range & 15));
  }
  for (int i = 0; i < count; ++i) {
    if (!ReadLayers(reader, 1, TileGrid(s.header).count(), s).ok()) return;
  }
}

}  // namespace

Result<ImageHeader> PeekImageHeader(std::span<const std::byte> prefix, const DecodeLimits& limits) {
  bool complete = false;
  GODWIT_ASSIGN_OR_RETURN(const SectionType medium, PeekMedium(prefix));
  if (medium != SectionType::kPicture) {
    return Status(StatusCode::kUnsupported, "an array, not a picture");
  }
  GODWIT_ASSIGN_OR_RETURN(const auto body, PeekFirstBody(prefix, &complete));
  ByteReader reader(body);
  int count = 0;
  Result<ImageHeader> header = ReadHeader(reader, limits, &count);
  if (!header.ok() && complete) return AsCorrupt(header.status());  // more bytes would not help
  return header;
}

Result<ImageStream> ParseImageStream(std::span<const std::byte> file, const DecodeLimits& limits,
                                     bool allow_truncated) {
  GODWIT_ASSIGN_OR_RETURN(ContainerReader container, ContainerReader::Open(file));
  ImageStream s;
  while (true) {
    const Result<std::optional<Section>> next = container.Next();
    if (!next.ok()) {
      if (!allow_truncated || next.status().code() != StatusCode::kTruncated) {
        // A hostile header in a short file is over the limit before it is cut short.
        if (s.sections.empty() && next.status().code() == StatusCode::kTruncated) {
          const Result<ImageHeader> header = PeekImageHeader(file, limits);
          if (!header.ok() && header.status().code() == StatusCode::kOverLimit)
            return header.status();
        }
        return next.status();
      }
      SalvageLayers(file.subspan(std::min<uint64_t>(container.failed_offset(), file.size())),
                    limits, s);
      s.truncated = true;
      break;
    }
    if (!next->has_value()) break;
    const Section& section = **next;
    GODWIT_RETURN_IF_ERROR(
        AsCorrupt(ReadSection(section, limits, s))
            .WithPrefix("section at byte " + std::to_string(section.offset) + ": "));
  }
  if (s.layers.empty()) {
    return Status(StatusCode::kTruncated,
                  "ends before the first layer, at byte " + std::to_string(file.size()));
  }
  if (s.header.has_alpha && s.alpha.empty()) {
    if (!allow_truncated) {
      return Status(StatusCode::kTruncated,
                    "ends before its alpha, at byte " + std::to_string(file.size()));
    }
    s.truncated = true;
  }
  return s;
}

}  // namespace godwit
