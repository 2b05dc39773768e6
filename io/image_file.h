// io/image_file.h: pictures from PNG, JPEG, WebP and PNM/PAM files, a few rows at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tensor/tensor.h"

namespace godwit {

struct ImageInfo {
  uint32_t width = 0, height = 0;  // pixels, upright: the orientation has been applied
  uint8_t channels = 0;            // 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA; alpha not premultiplied
  uint8_t bit_depth = 8;           // of the file's samples, 1..16 (a palette's are 8); rows are
                                   // always 8-bit: (v * 255 + max / 2) / max of a sample <= max
  std::string format;              // png, jpeg, webp, pbm, pgm, ppm or pam
  Bytes icc;                       // each empty where the file has none, else untouched ...
  Bytes exif;                      // ... but for its orientation, now 1; a TIFF blob, no "Exif\0\0"
  Bytes xmp;
};

// Reads top to bottom. One per thread. Messages name the file, and the row or byte.
class ImageReader {
 public:
  virtual ~ImageReader() = default;
  // Known in full when opened, except what a PNG in a pipe puts behind its pixels: that is there
  // once the last row is read.
  virtual const ImageInfo& info() const = 0;
  // Fills `rows` (info().width and .channels) with the next rows.height rows. Reading the last row
  // also checks the end of the file. After an error `rows` is unspecified, and each later call
  // gives the same error: kTruncated where the file ends early, kUnreadable where it is garbled,
  // kUnsupported, kOverLimit; kInvalidArgument for a wrong shape or rows past the last.
  virtual Status ReadRows(TensorView<uint8_t> rows) = 0;
};

// Opens by content, never by suffix; "-" is standard input. Nothing larger than a few rows is held
// for PNG, JPEG and PNM, but interlaced PNG, progressive JPEG, WebP and pictures to be turned
// upright are held whole, inside limits.max_memory_bytes. Refused as kUnsupported: CMYK, animation,
// 12-bit and lossless JPEG. What follows a PNG's, JPEG's or WebP's own end (a phone's video) is
// not looked at; after a PNM it is an error.
Result<std::unique_ptr<ImageReader>> OpenImage(const std::string& path,
                                               const DecodeLimits& limits = {});
// Borrows `bytes` until the reader is gone.
Result<std::unique_ptr<ImageReader>> OpenImageBytes(std::span<const std::byte> bytes,
                                                    const DecodeLimits& limits = {});

}  // namespace godwit
