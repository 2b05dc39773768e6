// codecs/image/image_sections.h: the sections of a picture file, one by one; docs/format/image.md
// section 1.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"
#include "io/container.h"

namespace godwit {

// The fixed part of the picture section's body. `first_layers` is how many layers follow it, or in
// the order of rows how many there may be.
Result<ImageHeader> ReadHeader(ByteReader& reader, const DecodeLimits& limits, int* first_layers);

// A section that is whole: what it lacks or has too much of is corruption, not truncation.
Status AsCorrupt(Status status);

// Adds what the section holds to `s`. `gaps`: rows of tiles may be missing before this one.
Status ReadSection(const Section& section, const DecodeLimits& limits, bool gaps, ImageStream& s);

// What a cut-off section still holds in whole layers; its CRC went with its end.
void SalvageLayers(std::span<const std::byte> rest, const DecodeLimits& limits, ImageStream& s);

}  // namespace godwit
