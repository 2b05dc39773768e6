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
  int count = 0;  // layers, those included that are empty; by rows, as many as a row may have
  std::array<std::vector<Bytes>, swift::kLayers> layers;  // [layer][tile]
  std::vector<Bytes> alpha;                               // [tile]; empty: no alpha

  // Leaves out the empty layers at the end. Networks are told how many layers there are, so whoever
  // repacks must not.
  void DropEmptyLayers();
};

// Layers are packed into sections of a useful size; of rows, empty layers at the end are left out.
// Equal parts give equal bytes.
Bytes WriteImage(const ImageParts& parts, std::span<const std::byte> icc,
                 std::span<const std::byte> exif, std::span<const std::byte> xmp);

}  // namespace godwit
