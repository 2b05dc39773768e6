// libavif with libaom as a rival: one quantiser; else as avifenc does.
#include <avif/avif.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "eval/codec_table.h"

namespace godwit {
namespace {

struct AvifOptions {
  int speed = 6;
  avifPixelFormat format = AVIF_PIXEL_FORMAT_YUV444;
  std::string tune;  // empty: what libavif chooses, which for 0.11 is ssim
  avifCodecChoice decoder = AVIF_CODEC_CHOICE_AUTO;
};

struct FreeAvif {
  void operator()(avifImage* p) const { avifImageDestroy(p); }
  void operator()(avifEncoder* p) const { avifEncoderDestroy(p); }
  void operator()(avifDecoder* p) const { avifDecoderDestroy(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeAvif>;

Status Check(avifResult result) {
  if (result == AVIF_RESULT_OK) return {};
  return Status(StatusCode::kInternal, std::string("avif: ") + avifResultToString(result));
}

avifRGBImage Pixels(const avifImage* image, const uint8_t* data, int64_t row_stride) {
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, image);
  rgb.format = AVIF_RGB_FORMAT_RGB;
  rgb.depth = 8;
  rgb.rowBytes = static_cast<uint32_t>(row_stride);
  rgb.pixels = const_cast<uint8_t*>(data);
  return rgb;
}

// "aom v3.6.0" out of avifCodecVersions(): "dav1d [dec]:1.0.0, aom [enc/dec]:v3.6.0".
std::string VersionOf(std::string_view name, std::string_view all) {
  for (size_t start = 0; start < all.size();) {
    const size_t end = std::min(all.find(", ", start), all.size());
    const std::string_view one = all.substr(start, end - start);
    const size_t colon = one.find("]:");
    if (one.starts_with(name) && one.substr(name.size()).starts_with(" [") && colon != one.npos) {
      return std::string(name) + " " + std::string(one.substr(colon + 2));
    }
    start = end + 2;
  }
  return std::string(name);
}

class AvifCodec final : public Codec {
 public:
  AvifCodec(const AvifOptions& options, int threads) : options_(options), threads_(threads) {}
  ~AvifCodec() override { avifRWDataFree(&data_); }

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    const Owned<avifImage> image(avifImageCreate(
        static_cast<uint32_t>(rgb.width), static_cast<uint32_t>(rgb.height), 8, options_.format));
    const Owned<avifEncoder> encoder(avifEncoderCreate());
    if (image == nullptr || encoder == nullptr) return OutOfMemory();
    image->colorPrimaries = AVIF_COLOR_PRIMARIES_BT709;
    image->transferCharacteristics = AVIF_TRANSFER_CHARACTERISTICS_SRGB;
    image->matrixCoefficients = AVIF_MATRIX_COEFFICIENTS_BT601;
    const avifRGBImage pixels = Pixels(image.get(), rgb.data, rgb.row_stride);
    GODWIT_RETURN_IF_ERROR(Check(avifImageRGBToYUV(image.get(), &pixels)));
    encoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
    encoder->speed = options_.speed;
    encoder->maxThreads = threads_;  // libaom's choices depend on it
    encoder->minQuantizer = encoder->maxQuantizer = static_cast<int>(std::lround(setting));
    if (!options_.tune.empty()) {
      avifEncoderSetCodecSpecificOption(encoder.get(), "tune", options_.tune.c_str());
    }
    avifRWDataFree(&data_);
    GODWIT_RETURN_IF_ERROR(Check(avifEncoderWrite(encoder.get(), image.get(), &data_)));
    return std::as_bytes(std::span<const uint8_t>(data_.data, data_.size));
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    const Owned<avifDecoder> decoder(avifDecoderCreate());
    if (decoder == nullptr) return OutOfMemory();
    decoder->codecChoice = options_.decoder;
    decoder->maxThreads = threads_;
    GODWIT_RETURN_IF_ERROR(Check(avifDecoderSetIOMemory(
        decoder.get(), reinterpret_cast<const uint8_t*>(stream.data()), stream.size())));
    GODWIT_RETURN_IF_ERROR(Check(avifDecoderParse(decoder.get())));
    GODWIT_RETURN_IF_ERROR(Check(avifDecoderNextImage(decoder.get())));
    const avifImage* const image = decoder->image;
    if (image->width != rgb.width || image->height != rgb.height) {
      return Status(StatusCode::kInvalidArgument, "avif: a stream of another size");
    }
    avifRGBImage pixels = Pixels(image, rgb.data, rgb.row_stride);
    return Check(avifImageYUVToRGB(image, &pixels));
  }

 private:
  static Status OutOfMemory() { return Status(StatusCode::kInternal, "avif: out of memory"); }

  AvifOptions options_;
  int threads_;
  avifRWData data_ = AVIF_DATA_EMPTY;
};

}  // namespace

Result<CodecEntry> MakeAvifCodec(std::span<const std::string> options, const CodecContext&) {
  AvifOptions avif;
  for (const std::string& option : options) {
    if (const std::optional<int> speed = ParseSmallNumber(option, 0, 10)) {
      avif.speed = *speed;
    } else if (option == "444") {
      avif.format = AVIF_PIXEL_FORMAT_YUV444;
    } else if (option == "422") {
      avif.format = AVIF_PIXEL_FORMAT_YUV422;
    } else if (option == "420") {
      avif.format = AVIF_PIXEL_FORMAT_YUV420;
    } else if (option == "ssim" || option == "psnr") {
      avif.tune = option;
    } else if (option == "dav1d" || option == "aom") {
      avif.decoder = avifCodecChoiceFromName(option.c_str());
      if (avifCodecName(avif.decoder, AVIF_CODEC_FLAG_CAN_DECODE) == nullptr) {
        return Status(StatusCode::kUnsupported, "avif: this libavif decodes without " + option);
      }
    } else {
      return NoCodecOption("avif", option);
    }
  }
  if (avifCodecName(AVIF_CODEC_CHOICE_AOM, AVIF_CODEC_FLAG_CAN_ENCODE) == nullptr) {
    return Status(StatusCode::kUnsupported, "avif: this libavif encodes without libaom");
  }
  char versions[256];
  avifCodecVersions(versions);
  CodecEntry entry;
  const char* const decoder = avifCodecName(avif.decoder, AVIF_CODEC_FLAG_CAN_DECODE);
  entry.version = std::string("libavif ") + avifVersion() + " with " + VersionOf("aom", versions);
  if (decoder != nullptr && std::string_view(decoder) != "aom") {
    entry.version += " and " + VersionOf(decoder, versions);
  }
  entry.version += ", libyuv " + std::to_string(avifLibYUVVersion());
  entry.setting_name = "quantiser";
  entry.ladder = {63, 60, 56, 52, 48, 44, 40, 36, 30, 24, 18, 12};
  entry.create = [avif](int threads) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<AvifCodec>(avif, threads));
  };
  return entry;
}

}  // namespace godwit
