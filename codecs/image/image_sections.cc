#include "codecs/image/image_sections.h"

#include <algorithm>
#include <string_view>

#include "codecs/image/image_syntax.h"

namespace godwit {
namespace {

using swift::kLayers;

Status Corrupt(std::string message) { return Status(StatusCode::kCorrupt, std::move(message)); }

// Cells whose work is never worth refusing.
constexpr uint64_t kFreeCells = 256;

// One layer of so many tiles: the length of every tile's substream, then the substreams. Nothing is
// added to `out` if that fails.
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
  std::vector<std::span<const std::byte>> substreams(tiles);
  for (size_t t = 0; t < tiles; ++t) {
    GODWIT_ASSIGN_OR_RETURN(substreams[t], reader.Take(lengths[t]));
  }
  out.insert(out.end(), substreams.begin(), substreams.end());
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

// In the order of rows: the layers from `first` on of a row of tiles, which follow what is there.
Status ReadTileRow(ByteReader& reader, uint64_t row, int first, int count, bool gaps,
                   ImageStream& s) {
  const TileGrid grid(s.header);
  const size_t before = row * grid.across;
  const auto done = static_cast<size_t>(first);
  const bool next = first == 0 && (row == s.tile_rows || (gaps && row > s.tile_rows));
  const bool goes_on = row + 1 == s.tile_rows && done < s.layers.size() && done > 0 &&
                       s.layers[done].size() <= before && s.layers[done - 1].size() > before;
  if (row >= grid.down || !(next || goes_on))
    return Corrupt("layers of rows of tiles out of order");
  if (done + static_cast<size_t>(count) > s.layers.size()) {
    return Corrupt("more layers than the header speaks of");
  }
  for (size_t l = done; l < done + static_cast<size_t>(count); ++l) {
    if (gaps) s.layers[l].reserve(grid.count());  // no more than was held to the limits
    s.layers[l].resize(before);                   // what the rows above left out
    GODWIT_RETURN_IF_ERROR(ReadSubstreams(reader, grid.across, s.layers[l]));
    s.tile_rows = row + 1;
  }
  return {};
}

// Tiles that are missing take memory without a byte in the file.
Status CheckRoomForGaps(const ImageStream& s, const DecodeLimits& limits) {
  const TileGrid grid(s.header);
  const uint64_t bytes =
      grid.count() * s.layers.size() * sizeof(s.layers[0][0]) + grid.down * sizeof(ImageLoss);
  if (bytes <= limits.max_memory_bytes) return {};
  return Status(StatusCode::kOverLimit, "a list of " + std::to_string(grid.count()) +
                                            " tiles takes " + std::to_string(bytes) +
                                            " bytes of memory, the limit is " +
                                            std::to_string(limits.max_memory_bytes));
}

bool Has(const ImageStream& s, std::string_view name) {
  return std::any_of(s.sections.begin(), s.sections.end(),
                     [&](const ImageSectionInfo& info) { return info.name == name; });
}

}  // namespace

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
  h.order = (flags & kRowsFlag) != 0 ? ImageOrder::kRows : ImageOrder::kLayers;
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
    GODWIT_ASSIGN_OR_RETURN(const uint8_t tile, reader.U8());
    const int high = tile & 15, wide = tile < 16 ? high : (tile >> 4) + kTileWidthBias;
    // A square has one way to be written.
    if (high < kMinTileLog2 || high > kMaxTileLog2 || (tile >= 16 && wide == high))
      return Corrupt("picture header: tile size out of range");
    h.tile_width = uint32_t{1} << wide;
    h.tile_height = uint32_t{1} << high;
  }
  if ((flags & kFullFlag) != 0) {
    h.full = true;
    GODWIT_ASSIGN_OR_RETURN(h.entropy_id, reader.U32());
  }
  return h;
}

Status AsCorrupt(Status status) {
  return status.code() == StatusCode::kTruncated ? Corrupt(status.message()) : status;
}

Status ReadSection(const Section& section, const DecodeLimits& limits, bool gaps, ImageStream& s) {
  ByteReader reader(section.body);
  ImageSectionInfo info{"", section.offset, SectionSize(section.body.size()), 0, 0};
  switch (static_cast<SectionType>(section.type)) {
    case SectionType::kPicture: {
      int count = 0;
      GODWIT_ASSIGN_OR_RETURN(s.header, ReadHeader(reader, limits, &count));
      info.name = "picture";
      if (s.header.order == ImageOrder::kRows) {
        s.layers.resize(static_cast<size_t>(count));
        if (gaps) GODWIT_RETURN_IF_ERROR(CheckRoomForGaps(s, limits));
        break;
      }
      GODWIT_RETURN_IF_ERROR(ReadLayers(reader, count, TileGrid(s.header).count(), s));
      info.layers = count;
      break;
    }
    case SectionType::kLayers: {
      info.name = "layers";
      uint64_t row = 0;
      if (s.header.order == ImageOrder::kRows) {
        GODWIT_ASSIGN_OR_RETURN(row, reader.Varint());
      }
      GODWIT_ASSIGN_OR_RETURN(const uint8_t range, reader.U8());
      info.first_layer = range & 15;
      info.layers = (range >> 4) + 1;
      if (s.header.order == ImageOrder::kRows) {
        info.tile_row = static_cast<int64_t>(row);
        GODWIT_RETURN_IF_ERROR(ReadTileRow(reader, row, info.first_layer, info.layers, gaps, s));
        break;
      }
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
    case SectionType::kSound:
      return Status(StatusCode::kUnsupported, "a sound, not a picture");
    case SectionType::kSoundPart:
      return Corrupt("a part of a sound");
    case SectionType::kTags:
      return {};  // of sounds; nothing to a picture
  }
  if (info.layers == 0 && Has(s, info.name)) return Corrupt("a second section of " + info.name);
  if (reader.remaining() != 0)
    return Corrupt(std::to_string(reader.remaining()) + " bytes left over");
  s.sections.push_back(std::move(info));
  return {};
}

void SalvageLayers(std::span<const std::byte> rest, const DecodeLimits& limits, ImageStream& s) {
  ByteReader reader(rest);
  const Result<uint8_t> type = reader.U8();
  if (!type.ok() || !reader.Varint().ok()) return;
  int count = 0;
  if (s.header.order == ImageOrder::kRows) {
    if (*type != static_cast<uint8_t>(SectionType::kLayers)) return;
    const Result<uint64_t> row = reader.Varint();
    const Result<uint8_t> range = reader.U8();
    if (!row.ok() || !range.ok()) return;
    const int first = *range & 15;
    for (int l = first; l <= first + (*range >> 4); ++l) {
      if (!ReadTileRow(reader, *row, l, 1, /*gaps=*/false, s).ok()) return;
    }
    return;
  }
  if (*type == static_cast<uint8_t>(SectionType::kPicture) && s.layers.empty()) {
    const Result<ImageHeader> header = ReadHeader(reader, limits, &count);
    if (!header.ok() || header->order == ImageOrder::kRows) return;
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

}  // namespace godwit
