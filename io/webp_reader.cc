#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "io/row_codec.h"

namespace godwit {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kRiffHeaderBytes = 8;  // "RIFF" and the size of what follows

struct DeleteDemuxer {
  void operator()(WebPDemuxer* d) const { WebPDemuxDelete(d); }
};

const uint8_t* Data(const Bytes& bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

// libwebp decodes the whole picture with its first row.
class WebpDecoder final : public RowDecoder {
 public:
  explicit WebpDecoder(ByteSource source) : source_(std::move(source)) {}
  Status Open(const DecodeLimits& limits);
  Status ReadRow(uint8_t* row) override;

 private:
  Status ReadFileBytes(const DecodeLimits& limits);
  Status TakeMetadata();
  Status Decode();
  Status Failure(VP8StatusCode code) const;

  ByteSource source_;
  Bytes file_;  // freed once decoded
  std::vector<uint8_t> pixels_;
  uint32_t next_row_ = 0;
};

Status WebpDecoder::Failure(VP8StatusCode code) const {
  const std::string size = std::to_string(file_.size());
  switch (code) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return Status(StatusCode::kTruncated, "WebP: a chunk ends early, by byte " + size);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Status(StatusCode::kUnsupported, "WebP: a feature that libwebp lacks");
    case VP8_STATUS_OUT_OF_MEMORY:
      return Status(StatusCode::kInternal, "WebP: out of memory");
    default:
      return Status(StatusCode::kUnreadable, "WebP: garbled within bytes 0.." + size);
  }
}

// As many bytes as the RIFF header says, never more than arrived.
Status WebpDecoder::ReadFileBytes(const DecodeLimits& limits) {
  const std::span<const std::byte> head = source_.Peek(kRiffHeaderBytes);
  ByteReader reader(head.subspan(4));
  GODWIT_ASSIGN_OR_RETURN(const uint32_t riff_bytes, reader.U32());
  const uint64_t size = kRiffHeaderBytes + riff_bytes + riff_bytes % 2;
  GODWIT_RETURN_IF_ERROR(CheckMemory(size, limits));
  constexpr uint64_t kStep = uint64_t{1} << 20;
  while (file_.size() < size) {
    const size_t old = file_.size();
    file_.resize(std::min(size, old + kStep));
    const size_t got = source_.Read(std::span(file_).subspan(old));
    if (old + got == file_.size()) continue;
    GODWIT_RETURN_IF_ERROR(source_.status());
    return Status(StatusCode::kTruncated,
                  "WebP ends at byte " + std::to_string(old + got) + " of " + std::to_string(size));
  }
  return {};
}

Status WebpDecoder::Open(const DecodeLimits& limits) {
  GODWIT_RETURN_IF_ERROR(ReadFileBytes(limits));
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(Data(file_), file_.size(), &features);
  if (code != VP8_STATUS_OK) return Failure(code);
  if (features.has_animation) return Status(StatusCode::kUnsupported, "WebP: animated");
  info_.width = static_cast<uint32_t>(features.width);
  info_.height = static_cast<uint32_t>(features.height);
  info_.channels = features.has_alpha ? 4 : 3;
  info_.format = "webp";
  GODWIT_RETURN_IF_ERROR(CheckPixels(info_.width, info_.height, limits));
  // Our pixels, and libwebp's own copy of a lossless picture or of an alpha plane.
  memory_bytes_ = file_.size() + uint64_t{info_.width} * info_.height * (info_.channels + 4u);
  GODWIT_RETURN_IF_ERROR(CheckMemory(memory_bytes_, limits));
  return TakeMetadata();
}

Status WebpDecoder::TakeMetadata() {
  const WebPData data{Data(file_), file_.size()};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  if (demuxer == nullptr) return Failure(VP8_STATUS_BITSTREAM_ERROR);
  const auto take = [&](const char* chunk_name, std::string_view prefix, Bytes* out) {
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer.get(), chunk_name, 1, &chunk)) return;
    auto bytes = std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!prefix.empty() && text.starts_with(prefix)) bytes = bytes.subspan(prefix.size());
    out->assign(bytes.begin(), bytes.end());
    WebPDemuxReleaseChunkIterator(&chunk);
  };
  take("ICCP", "", &info_.icc);
  take("EXIF", "Exif\0\0"sv, &info_.exif);  // some writers keep JPEG's prefix
  take("XMP ", "", &info_.xmp);
  return {};
}

Status WebpDecoder::Decode() {
  const size_t row_bytes = size_t{info_.width} * info_.channels;
  pixels_.resize(row_bytes * info_.height);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    return Status(StatusCode::kInternal, "libwebp is of another version");
  }
  config.output.colorspace = info_.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels_.data(), static_cast<int>(row_bytes), pixels_.size()};
  const VP8StatusCode code = WebPDecode(Data(file_), file_.size(), &config);
  if (code != VP8_STATUS_OK) return Failure(code);
  file_ = Bytes();
  return {};
}

Status WebpDecoder::ReadRow(uint8_t* row) {
  if (next_row_ == 0) GODWIT_RETURN_IF_ERROR(Decode());
  const size_t row_bytes = size_t{info_.width} * info_.channels;
  std::memcpy(row, pixels_.data() + next_row_ * row_bytes, row_bytes);
  ++next_row_;
  return {};
}

}  // namespace

Result<std::unique_ptr<RowDecoder>> OpenWebp(ByteSource source, const DecodeLimits& limits) {
  auto decoder = std::make_unique<WebpDecoder>(std::move(source));
  GODWIT_RETURN_IF_ERROR(decoder->Open(limits));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

}  // namespace godwit
