#include "eval/eval_picture.h"

#include "eval/eval_item.h"
#include "io/image_file.h"
#include "io/image_writer.h"

namespace godwit {

Result<EvalPicture> ReadEvalPicture(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<ImageReader> reader, OpenImage(path, limits));
  const ImageInfo& info = reader->info();
  const int channels = info.channels;
  Tensor<uint8_t> samples(info.height, info.width, channels);
  GODWIT_RETURN_IF_ERROR(reader->ReadRows(samples.view()));
  EvalPicture picture;
  picture.rgb = Tensor<uint8_t>(samples.height(), samples.width(), 3);
  uint8_t* out = picture.rgb.data();
  const uint8_t* const end = samples.data() + samples.size();
  for (const uint8_t* p = samples.data(); p < end; p += channels) {
    if (channels % 2 == 0 && p[channels - 1] != 255) {
      return Status(StatusCode::kUnsupported,
                    path + ": has transparent pixels, which the metrics do not see");
    }
    for (int c = 0; c < 3; ++c) *out++ = p[channels <= 2 ? 0 : c];
  }
  picture.digest = HexDigest(std::as_bytes(
      std::span<const uint8_t>(picture.rgb.data(), static_cast<size_t>(picture.rgb.size()))));
  return picture;
}

Status WriteEvalPicture(const std::string& path, TensorView<const uint8_t> rgb) {
  ImageInfo info;
  info.width = static_cast<uint32_t>(rgb.width);
  info.height = static_cast<uint32_t>(rgb.height);
  info.channels = 3;
  ImageWriteOptions options;
  options.overwrite = true;
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<ImageWriter> writer,
                          CreateImage(path, info, options));
  GODWIT_RETURN_IF_ERROR(writer->WriteRows(rgb));
  return writer->Finish();
}

}  // namespace godwit
