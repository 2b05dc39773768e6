// io/row_codec.h: what each image format gives to image_file.cc and image_writer.cc. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/limits.h"
#include "base/status.h"
#include "io/byte_source.h"
#include "io/image_file.h"
#include "io/image_writer.h"
#include "io/output_file.h"

namespace godwit {

// A picture as stored: orientation not applied, EXIF untouched.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  const ImageInfo& info() const { return info_; }
  // Working memory beyond a few rows, already inside the limits.
  uint64_t memory_bytes() const { return memory_bytes_; }
  // The next width * channels samples. The last row's call also checks the end of the picture.
  // Called at most info().height times, and not after an error. Messages give the byte or chunk.
  virtual Status ReadRow(uint8_t* row) = 0;

 protected:
  ImageInfo info_;
  uint64_t memory_bytes_ = 0;
};

// Each starts at the first byte of the magic.
using OpenDecoder = Result<std::unique_ptr<RowDecoder>> (*)(ByteSource source,
                                                            const DecodeLimits& limits);
Result<std::unique_ptr<RowDecoder>> OpenPng(ByteSource source, const DecodeLimits& limits);
Result<std::unique_ptr<RowDecoder>> OpenJpeg(ByteSource source, const DecodeLimits& limits);
Result<std::unique_ptr<RowDecoder>> OpenPnm(ByteSource source, const DecodeLimits& limits);
Result<std::unique_ptr<RowDecoder>> OpenWebp(ByteSource source, const DecodeLimits& limits);

// kOverLimit beyond limits.max_pixels (kUnreadable for none), or where `memory_bytes` are beyond
// limits.max_memory_bytes.
Status CheckPixels(uint64_t width, uint64_t height, const DecodeLimits& limits);
Status CheckMemory(uint64_t memory_bytes, const DecodeLimits& limits);

// The most that one metadata blob of a file may unpack to.
inline constexpr uint64_t kMaxMetadataBytes = uint64_t{64} << 20;

class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  virtual Status WriteRow(const uint8_t* row) = 0;
  virtual Status Finish() = 0;  // after the last row; does not commit the file
};

// `file` must outlive the encoder.
using CreateEncoder = Result<std::unique_ptr<RowEncoder>> (*)(const ImageInfo& info,
                                                              const ImageWriteOptions& options,
                                                              const std::string& format,
                                                              AtomicOutputFile* file);
Result<std::unique_ptr<RowEncoder>> CreatePng(const ImageInfo& info, const ImageWriteOptions&,
                                              const std::string& format, AtomicOutputFile* file);
Result<std::unique_ptr<RowEncoder>> CreateJpeg(const ImageInfo& info, const ImageWriteOptions&,
                                               const std::string& format, AtomicOutputFile* file);
Result<std::unique_ptr<RowEncoder>> CreatePnm(const ImageInfo& info, const ImageWriteOptions&,
                                              const std::string& format, AtomicOutputFile* file);

}  // namespace godwit
