#include "apps/picture_source.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "io/input_file.h"

namespace godwit {

int64_t StripRows(uint32_t width, int channels, uint32_t height) {
  const int64_t row_bytes = int64_t{width} * channels;
  return std::clamp<int64_t>((int64_t{1} << 20) / row_bytes, 1, height);
}

Result<PictureSource> PictureSource::Open(const std::string& path, const DecodeLimits& limits,
                                          bool again) {
  PictureSource source;
  source.path_ = path;
  source.limits_ = limits;
  source.again_ = again;
  std::error_code error;
  const auto type =
      path == "-" ? std::filesystem::file_type::fifo : std::filesystem::status(path, error).type();
  if (again &&
      (type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::character)) {
    GODWIT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path, limits.max_memory_bytes));
    source.bytes_ = std::make_unique<Bytes>(std::move(bytes));
  }
  GODWIT_ASSIGN_OR_RETURN(source.reader_, source.Reopen());
  source.info_ = source.reader_->info();
  return source;
}

Result<std::unique_ptr<ImageReader>> PictureSource::Reopen() const {
  if (bytes_ == nullptr) return OpenImage(path_, limits_);
  Result<std::unique_ptr<ImageReader>> reader = OpenImageBytes(*bytes_, limits_);
  if (!reader.ok()) return reader.status().WithPrefix(InputName(path_) + ": ");
  return reader;
}

Status PictureSource::Pass(ImageReader& reader,
                           const std::function<Status(TensorView<uint8_t>)>& use) {
  const int64_t height = info_.height;
  const int64_t strip = StripRows(info_.width, info_.channels, info_.height);
  Tensor<uint8_t> rows(held_.size() > 0 ? 0 : strip, info_.width, info_.channels);
  for (int64_t y = 0; y < height; y += strip) {
    const int64_t n = std::min(strip, height - y);
    const TensorView<uint8_t> view = held_.size() > 0 ? held_.view().Window(y, 0, n, info_.width)
                                                      : rows.view().Window(0, 0, n, info_.width);
    if (const Status status = reader.ReadRows(view); !status.ok()) {
      return bytes_ == nullptr ? status : status.WithPrefix(InputName(path_) + ": ");
    }
    GODWIT_RETURN_IF_ERROR(use(view));
  }
  info_ = reader.info();
  return {};
}

Status PictureSource::ForEachStrip(const std::function<Status(TensorView<const uint8_t>)>& use) {
  if (held_.size() > 0) {
    const int64_t strip = StripRows(info_.width, info_.channels, info_.height);
    for (int64_t y = 0; y < held_.height(); y += strip) {
      const int64_t n = std::min(strip, held_.height() - y);
      GODWIT_RETURN_IF_ERROR(use(held_.view().Window(y, 0, n, held_.width())));
    }
    return {};
  }
  std::unique_ptr<ImageReader> reader = std::move(reader_);
  if (reader == nullptr) {
    if (!again_) return Status(StatusCode::kInternal, InputName(path_) + ": read twice");
    GODWIT_ASSIGN_OR_RETURN(reader, Reopen());
    const ImageInfo& now = reader->info();
    if (now.width != info_.width || now.height != info_.height || now.channels != info_.channels) {
      return Status(StatusCode::kUnreadable, InputName(path_) + ": changed while it was read");
    }
  }
  if (!again_ || pixels() > kMaxHeldPixels) return Pass(*reader, use);
  held_ = Tensor<uint8_t>(info_.height, info_.width, info_.channels);
  // Whole before it is used, so that an error leaves no half picture behind for the next pass.
  if (const Status status = Pass(*reader, [](auto) { return Status(); }); !status.ok()) {
    held_ = {};
    return status;
  }
  return ForEachStrip(use);
}

}  // namespace godwit
