#include "codecs/image/image_header.h"

#include <algorithm>

#include "codecs/image/image_sections.h"
#include "codecs/image/image_syntax.h"
#include "io/container.h"

namespace godwit {

Result<ImageHeader> PeekImageHeader(std::span<const std::byte> prefix, const DecodeLimits& limits) {
  bool complete = false;
  GODWIT_ASSIGN_OR_RETURN(const SectionType medium, PeekMedium(prefix));
  if (medium != SectionType::kPicture) {
    return Status(StatusCode::kUnsupported, medium == SectionType::kSound
                                                ? "a sound, not a picture"
                                                : "an array, not a picture");
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
        AsCorrupt(ReadSection(section, limits, /*gaps=*/false, s))
            .WithPrefix("section at byte " + std::to_string(section.offset) + ": "));
  }
  const TileGrid grid(s.header);
  if (s.header.order == ImageOrder::kLayers) {
    s.tile_rows = s.layers.empty() ? 0 : grid.down;
  } else if (s.tile_rows > 0) {
    for (auto& layer : s.layers) layer.resize(s.tile_rows * grid.across);
    if (s.tile_rows < grid.down && !allow_truncated) {
      return Status(StatusCode::kTruncated, "ends after " + std::to_string(s.tile_rows) + " of " +
                                                std::to_string(grid.down) +
                                                " rows of tiles, at byte " +
                                                std::to_string(file.size()));
    }
    if (s.tile_rows < grid.down) s.truncated = true;
  }
  if (s.tile_rows == 0) {
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
