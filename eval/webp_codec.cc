// libwebp as a rival: lossy, the defaults of cwebp.
#include <webp/decode.h>
#include <webp/encode.h>

#include "eval/codec_table.h"
#include "fmt/core.h"

namespace godwit {
namespace {

class WebpCodec final : public Codec {
 public:
  WebpCodec(int method, bool threads) : method_(method), threads_(threads) {
    WebPMemoryWriterInit(&writer_);
  }
  ~WebpCodec() override { WebPMemoryWriterClear(&writer_); }

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    WebPConfig config;
    WebPPicture picture;
    if (!WebPConfigInit(&config) || !WebPPictureInit(&picture)) {
      return Status(StatusCode::kInternal, "webp: header and library do not match");
    }
    config.quality = static_cast<float>(setting);
    config.method = method_;
    config.thread_level = threads_ ? 1 : 0;
    if (rgb.width > WEBP_MAX_DIMENSION || rgb.height > WEBP_MAX_DIMENSION) {
      return Status(StatusCode::kUnsupported, "webp: at most 16383 pixels a side");
    }
    picture.width = static_cast<int>(rgb.width);
    picture.height = static_cast<int>(rgb.height);
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer_;
    writer_.size = 0;  // and keeps its memory
    const bool done = WebPPictureImportRGB(&picture, rgb.data, static_cast<int>(rgb.row_stride)) &&
                      WebPEncode(&config, &picture);
    const int error = picture.error_code;
    WebPPictureFree(&picture);
    if (!done) return Status(StatusCode::kInternal, fmt::format("webp: error {}", error));
    return std::as_bytes(std::span<const uint8_t>(writer_.mem, writer_.size));
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) {
      return Status(StatusCode::kInternal, "webp: header and library do not match");
    }
    const uint8_t* const data = reinterpret_cast<const uint8_t*>(stream.data());
    if (WebPGetFeatures(data, stream.size(), &config.input) != VP8_STATUS_OK ||
        config.input.width != rgb.width || config.input.height != rgb.height) {
      return Status(StatusCode::kInvalidArgument, "webp: a stream of another size");
    }
    config.options.use_threads = threads_ ? 1 : 0;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = rgb.data;
    config.output.u.RGBA.stride = static_cast<int>(rgb.row_stride);
    config.output.u.RGBA.size = static_cast<size_t>(rgb.row_stride * rgb.height);
    const VP8StatusCode code = WebPDecode(data, stream.size(), &config);
    if (code == VP8_STATUS_OK) return {};
    return Status(StatusCode::kInternal, fmt::format("webp: decoding gives error {}", int{code}));
  }

 private:
  int method_;
  bool threads_;
  WebPMemoryWriter writer_;
};

}  // namespace

Result<CodecEntry> MakeWebpCodec(std::span<const std::string> options, const CodecContext&) {
  GODWIT_ASSIGN_OR_RETURN(const int method, OneNumberOption("webp", options, 4, 0, 6));
  const int version = WebPGetEncoderVersion();
  CodecEntry entry;
  entry.version =
      fmt::format("libwebp {}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff);
  entry.setting_name = "quality";
  entry.ladder = {0, 5, 10, 20, 30, 50, 70, 80, 90, 95};
  entry.create = [method](int threads) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<WebpCodec>(method, threads > 1));
  };
  return entry;
}

}  // namespace godwit
