// apps/stream_file.h: a .gdw file in memory, and what a decoder of it needs.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"

namespace godwit {

struct StreamFile {
  std::unique_ptr<Bytes> bytes;  // that `stream` borrows
  ImageStream stream;
};

// Checks what was read from `path`, without decoding. Messages name the file.
Result<StreamFile> ParseStreamFile(const std::string& path, Bytes file, const DecodeLimits& limits,
                                   bool allow_truncated);

// "grey", "grey and alpha", "RGB" or "RGB and alpha".
std::string ChannelsName(const ImageStream& stream);

// "lite" or "full".
std::string EntropyName(const ImageHeader& header);

// Of the whole file.
double BitsPerPixel(const StreamFile& file);

}  // namespace godwit
