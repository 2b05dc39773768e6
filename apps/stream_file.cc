#include "apps/stream_file.h"

#include "codecs/image/image_packets.h"
#include "io/input_file.h"
#include "io/transport.h"

namespace godwit {

namespace {

Result<StreamFile> Parse(Bytes bytes, const StreamFileOptions& options) {
  StreamFile file;
  std::vector<ImageLoss> losses;
  if (HoldsPackets(bytes)) {
    GODWIT_ASSIGN_OR_RETURN(GatheredImage image,
                            GatherImagePackets(bytes, options.picture, options.limits));
    if (!image.losses.empty() && !options.conceal) {
      return Status(StatusCode::kCorrupt,
                    "picture " + std::to_string(image.picture) + ": " + image.first_loss);
    }
    bytes = std::move(image.file);
    losses = std::move(image.losses);
    file.packets = true;
    file.missing_packets = image.missing;
  }
  file.bytes = std::make_unique<Bytes>(std::move(bytes));
  GODWIT_ASSIGN_OR_RETURN(
      file.stream, options.conceal
                       ? ParseDamagedImage(*file.bytes, options.limits)
                       : ParseImageStream(*file.bytes, options.limits, options.allow_truncated));
  if (options.picture && !file.packets)  // what is no picture has been said before
    return Status(StatusCode::kInvalidArgument, "not packets, of which --picture chooses");
  if (file.packets) file.stream.losses = std::move(losses);
  return file;
}

}  // namespace

Result<StreamFile> ParseStreamFile(const std::string& path, Bytes bytes,
                                   const StreamFileOptions& options) {
  Result<StreamFile> file = Parse(std::move(bytes), options);
  if (!file.ok()) return file.status().WithPrefix(InputName(path) + ": ");
  return file;
}

std::string ChannelsName(const ImageStream& stream) {
  return std::string(stream.header.planes == 1 ? "grey" : "RGB") +
         (stream.alpha.empty() ? "" : " and alpha");
}

double BitsPerPixel(const StreamFile& file) {
  const ImageHeader& header = file.stream.header;
  return 8.0 * static_cast<double>(file.bytes->size()) /
         (static_cast<double>(header.width) * header.height);
}

}  // namespace godwit
