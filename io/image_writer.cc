#include "io/image_writer.h"

#include <cctype>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "io/output_file.h"
#include "io/row_codec.h"

namespace godwit {
namespace {

struct Format {
  std::string_view name;  // also the suffix
  CreateEncoder create;
};
constexpr Format kFormats[] = {
    {"png", CreatePng}, {"jpg", CreateJpeg}, {"jpeg", CreateJpeg}, {"ppm", CreatePnm},
    {"pgm", CreatePnm}, {"pnm", CreatePnm},  {"pam", CreatePnm},
};

std::string OutputName(const std::string& path) { return path == "-" ? "standard output" : path; }

Result<std::string> FormatName(const std::string& path, const ImageWriteOptions& options) {
  std::string name = options.format;
  if (name.empty() && path == "-") {
    return Status(StatusCode::kInvalidArgument, "standard output needs a format, such as png");
  }
  if (name.empty()) {
    const size_t dot = path.rfind('.');
    const size_t slash = path.rfind('/');
    const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    name = has_suffix ? path.substr(dot + 1) : "";
  }
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

// Adds to an encoder: strides, the row count, the file, errors that stay.
class FileImageWriter final : public ImageWriter {
 public:
  FileImageWriter(std::string name, const ImageInfo& info, AtomicOutputFile file)
      : name_(std::move(name)),
        width_(info.width),
        height_(info.height),
        channels_(info.channels),
        file_(std::move(file)) {}

  Status Start(CreateEncoder create, const ImageInfo& info, const ImageWriteOptions& options,
               const std::string& format) {
    Result<std::unique_ptr<RowEncoder>> encoder = create(info, options, format, &file_);
    if (!encoder.ok()) return Named(encoder.status());
    encoder_ = *std::move(encoder);
    packed_.resize(size_t{width_} * channels_);
    return {};
  }

  Status WriteRows(TensorView<const uint8_t> rows) override {
    if (!failed_.ok()) return failed_;
    if (rows.width != width_ || rows.channels != channels_ || rows.height < 0 ||
        rows.height > int64_t{height_} - next_row_) {
      return Status(StatusCode::kInvalidArgument,
                    name_ + ": rows " + std::to_string(next_row_) + ".." +
                        std::to_string(next_row_ + rows.height) + " of " +
                        std::to_string(rows.width) + " x " + std::to_string(rows.channels) +
                        " samples given for a picture of " + std::to_string(height_) + " rows of " +
                        std::to_string(width_) + " x " + std::to_string(channels_));
    }
    try {
      for (int64_t y = 0; y < rows.height && failed_.ok(); ++y) failed_ = WriteRow(rows, y);
    } catch (const std::bad_alloc&) {
      failed_ = Status(StatusCode::kInternal, name_ + ": out of memory");
    }
    return failed_;
  }

  Status Finish() override {
    if (!failed_.ok()) return failed_;
    if (next_row_ != height_) {
      return Status(StatusCode::kInvalidArgument, name_ + ": finished after " +
                                                      std::to_string(next_row_) + " of " +
                                                      std::to_string(height_) + " rows");
    }
    failed_ = Named(encoder_->Finish());
    if (failed_.ok()) failed_ = file_.Commit();
    return failed_;
  }

 private:
  // What the output file reports names the path already.
  Status Named(const Status& status) const {
    return status.code() == StatusCode::kNotWritable ? status : status.WithPrefix(name_ + ": ");
  }
  Status WriteRow(TensorView<const uint8_t> rows, int64_t y) {
    const uint8_t* row = rows.At(y, 0);
    if (rows.col_stride != channels_) {
      for (int64_t x = 0; x < width_; ++x) {
        std::memcpy(packed_.data() + x * channels_, rows.At(y, x), channels_);
      }
      row = packed_.data();
    }
    GODWIT_RETURN_IF_ERROR(Named(encoder_->WriteRow(row)));
    ++next_row_;
    return {};
  }

  std::string name_;
  uint32_t width_, height_;
  uint8_t channels_;
  AtomicOutputFile file_;
  std::unique_ptr<RowEncoder> encoder_;  // writes to file_
  std::vector<uint8_t> packed_;
  int64_t next_row_ = 0;
  Status failed_;
};

Result<std::unique_ptr<ImageWriter>> CreateChecked(const std::string& path, const ImageInfo& info,
                                                   const ImageWriteOptions& options) {
  const std::string place = OutputName(path) + ": ";
  if (info.width == 0 || info.height == 0 || info.channels < 1 || info.channels > 4) {
    return Status(StatusCode::kInvalidArgument,
                  place + std::to_string(info.width) + " x " + std::to_string(info.height) + " x " +
                      std::to_string(info.channels) + " is no picture");
  }
  Result<std::string> format = FormatName(path, options);
  if (!format.ok()) return format.status();
  for (const Format& known : kFormats) {
    if (known.name != *format) continue;
    GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile file,
                            AtomicOutputFile::Create(path, options.overwrite));
    auto writer = std::make_unique<FileImageWriter>(OutputName(path), info, std::move(file));
    GODWIT_RETURN_IF_ERROR(writer->Start(known.create, info, options, *format));
    return std::unique_ptr<ImageWriter>(std::move(writer));
  }
  return Status(StatusCode::kUnsupported,
                place + "no format \"" + *format + "\" to write; use png, jpg, ppm, pgm or pam");
}

}  // namespace

Result<std::unique_ptr<ImageWriter>> CreateImage(const std::string& path, const ImageInfo& info,
                                                 const ImageWriteOptions& options) {
  try {
    return CreateChecked(path, info, options);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal, OutputName(path) + ": out of memory");
  }
}

}  // namespace godwit
