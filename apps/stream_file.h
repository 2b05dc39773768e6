// apps/stream_file.h: a .gdw file in memory, and what a decoder of it needs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/image/image_header.h"

namespace godwit {

struct StreamFile {
  std::unique_ptr<Bytes> bytes;  // that `stream` borrows; of packets, the file that they make
  ImageStream stream;
  bool packets = false;          // it came in packets,
  uint64_t missing_packets = 0;  // of which so many are known to be lost
};

struct StreamFileOptions {
  DecodeLimits limits{};
  bool allow_truncated = false;       // the whole layers of a file that ends early will do,
  bool conceal = false;               // or whatever is whole of a damaged one
  std::optional<uint16_t> picture{};  // of packets: its number
};

// Checks what was read from `path`, a file or its packets, without decoding. Messages name the
// file.
Result<StreamFile> ParseStreamFile(const std::string& path, Bytes file,
                                   const StreamFileOptions& options);

// "grey", "grey and alpha", "RGB" or "RGB and alpha".
std::string ChannelsName(const ImageStream& stream);

// Of the whole file.
double BitsPerPixel(const StreamFile& file);

}  // namespace godwit
