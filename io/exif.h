// io/exif.h: the orientation in an EXIF blob (a TIFF structure, "II*" or "MM*"), and nothing else.
#pragma once

#include <cstddef>
#include <span>

namespace godwit {

// 1..8 as tag 0x0112 of the first directory says; 1 where there is none or it cannot be read,
// since a damaged blob is no reason to refuse the picture.
int ExifOrientation(std::span<const std::byte> exif);

// Writes 1 over the orientation, for pixels that have been turned upright.
void ResetExifOrientation(std::span<std::byte> exif);

}  // namespace godwit
