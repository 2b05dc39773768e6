#include "apps/picture_encoder.h"

#include "codecs/image/image_decoder.h"
#include "codecs/image/image_repack.h"
#include "eval/picture_error.h"

namespace godwit {

Result<EncodedPicture> PictureEncoder::Encode(int step_index, int layers) {
  if (encoder_ && options_.layers == layers) {
    GODWIT_RETURN_IF_ERROR(encoder_->SetStepIndex(step_index));
  } else {
    options_.layers = layers;
    options_.step_index = step_index;
    encoder_.reset();
    GODWIT_ASSIGN_OR_RETURN(encoder_, ImageEncoder::Create(model_, options_));
  }
  const ImageInfo& info = source_.info();
  GODWIT_RETURN_IF_ERROR(
      encoder_->Start({info.width, info.height, info.channels, info.bit_depth > 8}));
  const double height = info.height;
  GODWIT_RETURN_IF_ERROR(source_.ForEachStrip([&](TensorView<const uint8_t> rows) {
    progress_.Advance(static_cast<double>(rows.height) / height);
    return encoder_->AddRows(rows);
  }));
  const ImageInfo& whole = source_.info();  // with what was behind the last row
  EncodedPicture picture;
  GODWIT_ASSIGN_OR_RETURN(
      picture.stream,
      encoder_->Finish(strip_metadata_ ? ImageMetadata()
                                       : ImageMetadata{whole.icc, whole.exif, whole.xmp}));
  if (entropy_ == ImageEntropy::kFull) {
    ImageRepackOptions options{.entropy = entropy_, .threads = options_.threads, .limits = {}};
    options.limits.max_pixels = UINT64_MAX;  // what was encoded is not too large
    options.limits.max_memory_bytes = options_.max_memory_bytes;
    GODWIT_ASSIGN_OR_RETURN(const ImageStream lite,
                            ParseImageStream(picture.stream, options.limits));
    GODWIT_ASSIGN_OR_RETURN(picture.stream, RepackImage(lite, model_, options));
  }
  picture.step_index = step_index;
  picture.layers = layers;
  return picture;
}

Result<double> PictureEncoder::Psnr(const Bytes& stream,
                                    const std::optional<ImageSynthesis>& synthesis,
                                    const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(const ImageStream parsed, ParseImageStream(stream, limits));
  ImageDecodeOptions options;
  options.limits = limits;
  options.threads = options_.threads;
  GODWIT_ASSIGN_OR_RETURN(
      ImageDecoder decoder,
      ImageDecoder::Create(parsed, model_, synthesis ? &*synthesis : nullptr, options));
  const ImageInfo& info = source_.info();
  if (decoder.channels() != info.channels) {
    return Status(StatusCode::kInternal, "the stream has other channels than its source");
  }
  const double height = info.height;
  Tensor<uint8_t> decoded(StripRows(info.width, info.channels, info.height), info.width,
                          info.channels);
  PictureError error;
  const auto compare = [&](TensorView<const uint8_t> rows) -> Status {
    const TensorView<uint8_t> seen = decoded.view().Window(0, 0, rows.height, rows.width);
    GODWIT_RETURN_IF_ERROR(decoder.ReadRows(seen));
    error.Add(rows, seen);
    progress_.Advance(static_cast<double>(rows.height) / height);
    return {};
  };
  GODWIT_RETURN_IF_ERROR(source_.ForEachStrip(compare));
  return error.psnr_db();
}

}  // namespace godwit
