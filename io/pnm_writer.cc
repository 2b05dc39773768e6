#include <string_view>

#include "io/row_codec.h"

namespace godwit {
namespace {

class PnmEncoder final : public RowEncoder {
 public:
  PnmEncoder(size_t row_bytes, AtomicOutputFile* file) : row_bytes_(row_bytes), file_(file) {}
  Status WriteRow(const uint8_t* row) override {
    return file_->Write(std::as_bytes(std::span(row, row_bytes_)));
  }
  Status Finish() override { return {}; }

 private:
  size_t row_bytes_;
  AtomicOutputFile* file_;
};

std::string PamHeader(const ImageInfo& info) {
  static constexpr const char* kTypes[] = {"GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA"};
  return "P7\nWIDTH " + std::to_string(info.width) + "\nHEIGHT " + std::to_string(info.height) +
         "\nDEPTH " + std::to_string(info.channels) + "\nMAXVAL 255\nTUPLTYPE " +
         kTypes[info.channels - 1] + "\nENDHDR\n";
}

Status CheckChannels(const ImageInfo& info, std::string_view format) {
  const auto unsupported = [&](const std::string& why) {
    return Status(StatusCode::kUnsupported, std::string(format) + " holds " + why);
  };
  if (format == "pam") return {};
  if (info.channels == 2 || info.channels == 4) {
    return unsupported("no alpha: write .pam or .png, or drop the alpha channel first");
  }
  if (format == "pgm" && info.channels != 1) return unsupported("no colour: write .ppm");
  if (format == "ppm" && info.channels != 3) return unsupported("no grey: write .pgm");
  return {};
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> CreatePnm(const ImageInfo& info, const ImageWriteOptions&,
                                              const std::string& format, AtomicOutputFile* file) {
  GODWIT_RETURN_IF_ERROR(CheckChannels(info, format));
  const std::string size = std::to_string(info.width) + " " + std::to_string(info.height);
  const std::string header =
      format == "pam" ? PamHeader(info) : (info.channels == 1 ? "P5\n" : "P6\n") + size + "\n255\n";
  GODWIT_RETURN_IF_ERROR(file->Write(std::as_bytes(std::span(header))));
  const size_t row_bytes = size_t{info.width} * info.channels;
  return std::unique_ptr<RowEncoder>(std::make_unique<PnmEncoder>(row_bytes, file));
}

}  // namespace godwit
