#include "eval/eval_picture.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "eval/eval_item.h"
#include "io/image_file.h"
#include "io/image_writer.h"

namespace godwit {
namespace {

constexpr std::array<std::string_view, 8> kSuffixes = {".png", ".ppm", ".pgm",  ".pnm",
                                                       ".pam", ".jpg", ".jpeg", ".webp"};

bool HasPictureSuffix(const std::filesystem::path& path) {
  std::string suffix = path.extension().string();
  for (char& c : suffix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

}  // namespace

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

Result<std::vector<std::string>> FindPictures(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    if (std::filesystem::exists(path, error)) return std::vector<std::string>{path};
    return Status(StatusCode::kUnreadable, path + ": no such folder or picture");
  }
  std::vector<std::string> found;
  std::filesystem::directory_iterator entry(path, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (HasPictureSuffix(entry->path()) && entry->is_regular_file(ignored)) {
      found.push_back(entry->path().string());
    }
  }
  if (error) return Status(StatusCode::kUnreadable, path + ": " + error.message());
  if (found.empty()) {
    return Status(StatusCode::kUnreadable,
                  path + ": no pictures here (png, jpg, webp, ppm, pgm, pnm or pam)");
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace godwit
