#include "eval/report_picture.h"

#include <webp/encode.h>

#include <cctype>
#include <cmath>
#include <filesystem>

#include "fmt/core.h"
#include "io/output_file.h"

namespace godwit {
namespace {

// Of libwebp's presets 0 (fast) to 9; 4 and 9 differ by a few per cent in size.
constexpr int kLosslessLevel = 4;

std::string FileName(std::string text) {
  for (char& c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  }
  return text;
}

Status WriteWebp(const std::string& path, TensorView<const uint8_t> rgb) {
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, kLosslessLevel) ||
      !WebPPictureInit(&picture)) {
    return Status(StatusCode::kInternal, "webp: header and library do not match");
  }
  if (rgb.width > WEBP_MAX_DIMENSION || rgb.height > WEBP_MAX_DIMENSION) {
    return Status(StatusCode::kUnsupported, "the report shows at most 16383 pixels a side");
  }
  picture.use_argb = 1;
  picture.width = static_cast<int>(rgb.width);
  picture.height = static_cast<int>(rgb.height);
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const bool done = WebPPictureImportRGB(&picture, rgb.data, static_cast<int>(rgb.row_stride)) &&
                    WebPEncode(&config, &picture);
  WebPPictureFree(&picture);
  const auto write = [&]() -> Status {
    if (!done) return Status(StatusCode::kInternal, path + ": libwebp failed");
    GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile file, AtomicOutputFile::Create(path, true));
    GODWIT_RETURN_IF_ERROR(
        file.Write(std::as_bytes(std::span<const uint8_t>(writer.mem, writer.size))));
    return file.Commit();
  };
  const Status status = write();
  WebPMemoryWriterClear(&writer);
  return status;
}

}  // namespace

std::string OriginalPictureName(const std::string& image) {
  return FileName(image) + ".original.webp";
}

std::string ReportPictureName(const ReportPicture& picture) {
  return FileName(fmt::format("{}.{}.{}.webp", picture.item, picture.codec, picture.target_bpp));
}

Status MakeReportPicture(TensorView<const uint8_t> rgb, const CodecEntry& entry, Codec& codec,
                         ItemMetrics& metrics, const std::string& folder, ReportPicture* picture) {
  const double pixels = static_cast<double>(rgb.height * rgb.width);
  GODWIT_ASSIGN_OR_RETURN(
      picture->setting,
      SettingForSize(entry, codec, rgb,
                     static_cast<uint64_t>(std::llround(picture->target_bpp * pixels / 8))));
  GODWIT_ASSIGN_OR_RETURN(const std::span<const std::byte> stream,
                          codec.Encode(rgb, picture->setting));
  const Bytes bytes(stream.begin(), stream.end());
  Tensor<uint8_t> decoded(rgb.height, rgb.width, 3);
  GODWIT_RETURN_IF_ERROR(codec.Decode(bytes, decoded.view()));
  picture->bytes = bytes.size();
  GODWIT_ASSIGN_OR_RETURN(picture->metrics, metrics.Measure(decoded.view()));
  picture->file = ReportPictureName(*picture);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Status(StatusCode::kNotWritable, folder + ": " + error.message());
  const auto path = [&](const std::string& name) {
    return (std::filesystem::path(folder) / name).string();
  };
  if (const std::string original = path(OriginalPictureName(picture->item));
      !std::filesystem::exists(original, error)) {
    GODWIT_RETURN_IF_ERROR(WriteWebp(original, rgb));
  }
  return WriteWebp(path(picture->file), decoded.view());
}

}  // namespace godwit
