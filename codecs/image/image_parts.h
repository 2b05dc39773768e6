// codecs/image/image_parts.h: substreams to a picture file; docs/format/image.md section 1.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.h"
#include "codecs/image/image_header.h"
#include "codecs/image/swift_layout.h"

namespace godwit {

// What a file is made of. Substreams are by tile, in raster order.
struct ImageParts {
  ImageHeader header;
  int count = 0;                                          // layers there may be
  std::array<std::vector<Bytes>, swift::kLayers> layers;  // [layer][tile]
  std::vector<Bytes> alpha;                               // [tile]; empty: no alpha
};

// Empty layers at the end are left out; layers are packed into sections of a useful size. Equal
// parts give equal bytes.
Bytes WriteImage(const ImageParts& parts, std::span<const std::byte> icc,
                 std::span<const std::byte> exif, std::span<const std::byte> xmp);

}  // namespace godwit
