#include "codecs/image/image_parts.h"

#include <bit>

#include "codecs/image/image_syntax.h"
#include "io/container.h"

namespace godwit {
namespace {

constexpr size_t kMinSectionPayload = 512;  // bytes: layers share a section until it has this many

// Of tiles [first, end).
void WriteSubstreams(std::span<const Bytes> tiles, ByteWriter& writer) {
  for (const Bytes& t : tiles) writer.Varint(t.size());
  for (const Bytes& t : tiles) writer.Append(t);
}

size_t PayloadSize(std::span<const Bytes> tiles) {
  size_t size = 0;
  for (const Bytes& t : tiles) size += t.size();
  return size;
}

// Layers share a section until it has this many bytes: first layer and end of each.
std::vector<std::array<size_t, 2>> PackLayers(std::span<const std::vector<Bytes>> layers) {
  std::vector<std::array<size_t, 2>> packs;
  for (size_t first = 0; first < layers.size();) {
    size_t end = first, bytes = 0;
    while (end < layers.size() && (end == first || bytes < kMinSectionPayload))
      bytes += PayloadSize(layers[end++]);
    packs.push_back({first, end});
    first = end;
  }
  return packs;
}

}  // namespace

void ImageParts::DropEmptyLayers() {
  while (count > 1 && PayloadSize(layers[static_cast<size_t>(count - 1)]) == 0) --count;
}

Bytes WriteImage(const ImageParts& parts, std::span<const std::byte> icc,
                 std::span<const std::byte> exif, std::span<const std::byte> xmp) {
  const ImageHeader& header = parts.header;
  const auto& layers = parts.layers;
  const bool by_rows = header.order == ImageOrder::kRows;
  const auto count = static_cast<size_t>(parts.count);
  const auto used = std::span(layers).first(count);
  std::vector<std::array<size_t, 2>> packs;
  if (!by_rows) packs = PackLayers(used);
  ContainerWriter container;
  ByteWriter body;
  const bool explicit_tile =
      header.tile_width != kDefaultTile || header.tile_height != kDefaultTile;
  body.U8(static_cast<uint8_t>(
      (header.planes == 3 ? kColourFlag : 0) | (parts.alpha.empty() ? 0 : kAlphaFlag) |
      (header.from_16_bit ? kFrom16BitFlag : 0) | (explicit_tile ? kTileFlag : 0) |
      (by_rows ? kRowsFlag : 0) | (header.full ? kFullFlag : 0)));
  body.Varint(header.width);
  body.Varint(header.height);
  body.U64(header.model_id);
  const size_t stated = by_rows ? count : packs[0][1];
  body.U16(static_cast<uint16_t>(header.step_index | (stated - 1) << 12));
  if (explicit_tile) body.U8(TileByte(header));
  if (header.full) body.U32(header.entropy_id);
  if (!by_rows) {
    for (const auto& layer : used.first(stated)) WriteSubstreams(layer, body);
  }
  container.Add(SectionType::kPicture, body.bytes());
  if (!icc.empty()) container.Add(SectionType::kIcc, icc);
  if (!exif.empty()) container.Add(SectionType::kExif, exif);
  if (!xmp.empty()) container.Add(SectionType::kXmp, xmp);
  if (!parts.alpha.empty()) {
    ByteWriter writer;
    WriteSubstreams(parts.alpha, writer);
    container.Add(SectionType::kAlpha, writer.bytes());
  }
  for (size_t i = 1; i < packs.size(); ++i) {
    ByteWriter writer;
    writer.U8(static_cast<uint8_t>(packs[i][0] | (packs[i][1] - packs[i][0] - 1) << 4));
    for (size_t l = packs[i][0]; l < packs[i][1]; ++l) WriteSubstreams(layers[l], writer);
    container.Add(SectionType::kLayers, writer.bytes());
  }
  const TileGrid grid(header);
  for (size_t row = 0; by_rows && row < grid.down; ++row) {
    const auto tiles = [&](size_t l) {
      return std::span(layers[l]).subspan(row * grid.across, grid.across);
    };
    size_t end = count;
    while (end > 1 && PayloadSize(tiles(end - 1)) == 0) --end;
    ByteWriter writer;
    writer.Varint(row);
    writer.U8(static_cast<uint8_t>((end - 1) << 4));
    for (size_t l = 0; l < end; ++l) WriteSubstreams(tiles(l), writer);
    container.Add(SectionType::kLayers, writer.bytes());
  }
  return container.Release();
}

}  // namespace godwit
