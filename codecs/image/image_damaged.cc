// ParseDamagedImage(): what is whole in a file that is not; docs/format/image.md section 7.
#include "codecs/image/image_header.h"
#include "codecs/image/image_sections.h"
#include "codecs/image/image_syntax.h"
#include "io/container.h"

namespace godwit {
namespace {

// Whether layers can be used, or build on some that are lost.
bool BuildsOnLost(const Section& section, const ImageStream& s) {
  if (section.type != static_cast<uint8_t>(SectionType::kLayers)) return false;
  ByteReader reader(section.body);
  if (s.header.order == ImageOrder::kLayers) {
    const Result<uint8_t> range = reader.U8();
    return range.ok() && (*range & 15u) > s.layers.size();
  }
  const Result<uint64_t> row = reader.Varint();
  const Result<uint8_t> range = reader.U8();
  if (!row.ok() || !range.ok() || (*range & 15) == 0) return false;
  const ImageSectionInfo& last = s.sections.back();
  return last.tile_row != static_cast<int64_t>(*row) ||
         last.first_layer + last.layers < (*range & 15);
}

std::string ByteRange(uint64_t begin, uint64_t end) {
  return "bytes " + std::to_string(begin) + " to " + std::to_string(end - 1);
}

}  // namespace

Result<ImageStream> ParseDamagedImage(std::span<const std::byte> file, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(SectionFinder finder, SectionFinder::Open(file));
  ImageStream s;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, finder.Next());
    if (!section) break;
    const uint64_t offset = section->offset;
    if (!s.sections.empty() && BuildsOnLost(*section, s)) {
      s.damage.push_back("layers at byte " + std::to_string(offset) + " build on lost ones");
      s.truncated = true;
      continue;
    }
    GODWIT_RETURN_IF_ERROR(AsCorrupt(ReadSection(*section, limits, /*gaps=*/true, s))
                               .WithPrefix("section at byte " + std::to_string(offset) + ": "));
  }
  for (const SectionFinder::Gap& gap : finder.gaps()) {
    s.damage.push_back(ByteRange(gap.begin, gap.end) + " are damaged");
  }
  const TileGrid grid(s.header);
  if (s.header.order == ImageOrder::kLayers) {
    s.tile_rows = s.layers.empty() ? 0 : grid.down;
    s.truncated = s.truncated || !finder.gaps().empty();
  } else if (s.tile_rows > 0) {
    for (auto& layer : s.layers) layer.resize(grid.count());
    s.tile_rows = grid.down;
    uint64_t next = 0;
    const auto lose = [&](uint64_t end) {
      for (; next < end; ++next) s.losses.push_back({.tile_row = next});
    };
    for (const ImageSectionInfo& info : s.sections) {
      if (info.tile_row < 0) continue;
      lose(static_cast<uint64_t>(info.tile_row));
      next = static_cast<uint64_t>(info.tile_row) + 1;
    }
    lose(grid.down);
  }
  if (s.tile_rows == 0) return Status(StatusCode::kTruncated, "no row of tiles is whole");
  if (s.header.has_alpha && s.alpha.empty()) s.truncated = true;
  return s;
}

}  // namespace godwit
