#include "apps/stream_file.h"

#include "io/input_file.h"

namespace godwit {

Result<StreamFile> ParseStreamFile(const std::string& path, Bytes bytes, const DecodeLimits& limits,
                                   bool allow_truncated) {
  StreamFile file;
  file.bytes = std::make_unique<Bytes>(std::move(bytes));
  Result<ImageStream> stream = ParseImageStream(*file.bytes, limits, allow_truncated);
  if (!stream.ok()) return stream.status().WithPrefix(InputName(path) + ": ");
  file.stream = *std::move(stream);
  return file;
}

std::string ChannelsName(const ImageStream& stream) {
  return std::string(stream.header.planes == 1 ? "grey" : "RGB") +
         (stream.alpha.empty() ? "" : " and alpha");
}

std::string EntropyName(const ImageHeader& header) { return header.full ? "full" : "lite"; }

double BitsPerPixel(const StreamFile& file) {
  const ImageHeader& header = file.stream.header;
  return 8.0 * static_cast<double>(file.bytes->size()) /
         (static_cast<double>(header.width) * header.height);
}

}  // namespace godwit
