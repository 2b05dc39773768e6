// io/image_writer.h: pictures into PNG, JPEG and PNM/PAM files, a few rows at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "io/image_file.h"
#include "tensor/tensor.h"

namespace godwit {

struct ImageWriteOptions {
  bool overwrite = false;
  int jpeg_quality = 95;  // 1..100; colour is kept at full resolution from 90 on, 4:2:0 below
  std::string format{};   // png, jpg, jpeg, ppm, pgm, pnm or pam; empty: by the path's suffix
};

// Writes top to bottom. The file appears at Finish(), whole; destroyed before, it leaves nothing.
class ImageWriter {
 public:
  virtual ~ImageWriter() = default;
  // The next rows.height rows; width and channels as in the ImageInfo. An error is remembered.
  virtual Status WriteRows(TensorView<const uint8_t> rows) = 0;
  // Call once, after the last row.
  virtual Status Finish() = 0;
};

// "-" is standard output and needs options.format. Takes size, channels and metadata from `info`;
// samples are written with 8 bits. PNG and JPEG carry ICC, EXIF and XMP, the others cannot.
// kUnsupported says what to do about channels that the format lacks; kNotWritable: output_file.h.
Result<std::unique_ptr<ImageWriter>> CreateImage(const std::string& path, const ImageInfo& info,
                                                 const ImageWriteOptions& options = {});

}  // namespace godwit
