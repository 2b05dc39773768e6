// codecs/image/image_syntax.h: constants of the picture sections that encoder and decoder share.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "codecs/image/image_header.h"
#include "codecs/image/swift_layout.h"

namespace godwit {

// Flags of the picture section.
inline constexpr uint8_t kColourFlag = 1;     // three planes
inline constexpr uint8_t kFrom16BitFlag = 2;  // information only
inline constexpr uint8_t kTileFlag = 4;   // a tile size follows; without it tiles have 1024 pixels
inline constexpr uint8_t kAlphaFlag = 8;  // an alpha section follows
inline constexpr uint8_t kFullFlag = 16;  // by an entropy model: its id follows
inline constexpr uint8_t kRowsFlag = 32;  // layers come by rows of tiles
inline constexpr uint8_t kReservedFlags = 0xc0;

inline constexpr uint32_t kDefaultTile = 1024;
inline constexpr uint64_t kMaxSide = uint64_t{1} << 31;
inline constexpr int kMinTileLog2 = 5, kMaxTileLog2 = 12, kMaxTileWidthLog2 = 19;
// The tile byte: bits 0..3 log2 of the height, bits 4..7 that of the width less this, or 0: as
// high.
inline constexpr int kTileWidthBias = 4;
inline uint8_t TileByte(const ImageHeader& h) {
  const int wide = std::bit_width(h.tile_width) - 1, high = std::bit_width(h.tile_height) - 1;
  return static_cast<uint8_t>(wide == high ? high : (wide - kTileWidthBias) << 4 | high);
}

// The tiles of a picture, in raster order; those at the right and bottom may be smaller.
struct TileGrid {
  explicit TileGrid(const ImageHeader& h)
      : tile_width(h.tile_width),
        tile_height(h.tile_height),
        width(h.width),
        height(h.height),
        across((width + tile_width - 1) / tile_width),
        down((height + tile_height - 1) / tile_height) {}
  uint64_t count() const { return across * down; }
  int64_t TileWidth(uint64_t tx) const {
    return static_cast<int64_t>(std::min(tile_width, width - tx * tile_width));
  }
  int64_t TileHeight(uint64_t ty) const {
    return static_cast<int64_t>(std::min(tile_height, height - ty * tile_height));
  }

  uint64_t tile_width, tile_height, width, height, across, down;
};

}  // namespace godwit
