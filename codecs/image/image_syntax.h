// codecs/image/image_syntax.h: constants of the picture sections that encoder and decoder share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "codecs/image/image_header.h"
#include "codecs/image/swift_layout.h"

namespace godwit {

// Flags of the picture section.
inline constexpr uint8_t kColourFlag = 1;     // three planes
inline constexpr uint8_t kFrom16BitFlag = 2;  // information only
inline constexpr uint8_t kTileFlag = 4;   // a tile size follows; without it tiles have 1024 pixels
inline constexpr uint8_t kAlphaFlag = 8;  // an alpha section follows
inline constexpr uint8_t kReservedFlags = 0xf0;  // bit 4: `full` entropy coding, to come

inline constexpr uint64_t kMaxSide = uint64_t{1} << 31;
inline constexpr int kMinTileLog2 = 5, kMaxTileLog2 = 12;

// The tiles of a picture, in raster order; those at the right and bottom may be smaller.
struct TileGrid {
  explicit TileGrid(const ImageHeader& h)
      : tile(h.tile),
        width(h.width),
        height(h.height),
        across((uint64_t{h.width} + h.tile - 1) / h.tile),
        down((uint64_t{h.height} + h.tile - 1) / h.tile) {}
  uint64_t count() const { return across * down; }
  int64_t TileWidth(uint64_t tx) const {
    return static_cast<int64_t>(std::min(tile, width - tx * tile));
  }
  int64_t TileHeight(uint64_t ty) const {
    return static_cast<int64_t>(std::min(tile, height - ty * tile));
  }

  uint64_t tile, width, height, across, down;
};

}  // namespace godwit
