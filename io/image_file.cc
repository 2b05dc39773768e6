#include "io/image_file.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <string_view>
#include <vector>

#include "io/byte_source.h"
#include "io/exif.h"
#include "io/input_file.h"
#include "io/orientation.h"
#include "io/row_codec.h"

namespace godwit {
namespace {

struct Format {
  std::string_view magic;  // '?' stands for any byte
  OpenDecoder open;
};
constexpr Format kFormats[] = {
    {"\x89PNG\r\n\x1a\n", OpenPng},
    {"\xff\xd8\xff", OpenJpeg},
    {"RIFF????WEBP", OpenWebp},
    {"P1", OpenPnm},
    {"P2", OpenPnm},
    {"P3", OpenPnm},
    {"P4", OpenPnm},
    {"P5", OpenPnm},
    {"P6", OpenPnm},
    {"P7", OpenPnm},
};
constexpr size_t kLongestMagic = 12;

bool Matches(std::span<const std::byte> head, std::string_view magic) {
  const size_t n = std::min(head.size(), magic.size());
  for (size_t i = 0; i < n; ++i) {
    if (magic[i] != '?' && static_cast<std::byte>(magic[i]) != head[i]) return false;
  }
  return true;
}

Result<std::unique_ptr<RowDecoder>> OpenByMagic(ByteSource source, const DecodeLimits& limits) {
  const std::span<const std::byte> head = source.Peek(kLongestMagic);
  GODWIT_RETURN_IF_ERROR(source.status());
  for (const Format& format : kFormats) {
    if (!Matches(head, format.magic)) continue;
    if (head.size() < format.magic.size()) {
      return Status(StatusCode::kTruncated,
                    "ends after " + std::to_string(head.size()) + " bytes, before any picture");
    }
    return format.open(std::move(source), limits);
  }
  std::string hex;
  for (const std::byte b : head.first(std::min<size_t>(head.size(), 4))) {
    char text[4];
    std::snprintf(text, sizeof(text), " %02x", std::to_integer<unsigned>(b));
    hex += text;
  }
  return Status(StatusCode::kUnreadable,
                "starts with" + hex + ", which is none of PNG, JPEG, WebP, PNM and PAM");
}

// Adds to a decoder: orientation, strides, the row in messages, errors that stay.
class UprightReader final : public ImageReader {
 public:
  static Result<std::unique_ptr<ImageReader>> Create(std::unique_ptr<RowDecoder> decoder,
                                                     std::string name, const DecodeLimits& limits) {
    std::unique_ptr<UprightReader> reader(new UprightReader(std::move(decoder), std::move(name)));
    GODWIT_RETURN_IF_ERROR(CheckMemory(reader->MemoryBytes(), limits));
    reader->scratch_.resize(reader->stored_row_bytes() * (reader->whole() ? kStripRows : 1));
    return std::unique_ptr<ImageReader>(std::move(reader));
  }

  const ImageInfo& info() const override { return info_; }

  Status ReadRows(TensorView<uint8_t> rows) override {
    if (!failed_.ok()) return failed_;
    if (rows.width != info_.width || rows.channels != info_.channels || rows.height < 0 ||
        rows.height > int64_t{info_.height} - next_row_) {
      return Status(StatusCode::kInvalidArgument,
                    name_ + "rows " + std::to_string(next_row_) + ".." +
                        std::to_string(next_row_ + rows.height) + " of " +
                        std::to_string(rows.width) + " x " + std::to_string(rows.channels) +
                        " samples asked from a picture of " + std::to_string(info_.height) +
                        " rows of " + std::to_string(info_.width) + " x " +
                        std::to_string(info_.channels));
    }
    try {
      failed_ = whole() ? ReadFromWhole(rows) : ReadInOrder(rows);
    } catch (const std::bad_alloc&) {
      failed_ = Status(StatusCode::kInternal, name_ + "out of memory");
    }
    return failed_;
  }

 private:
  static constexpr size_t kStripRows = 16;  // 48 RGB bytes of neighbours, most of a cache line

  UprightReader(std::unique_ptr<RowDecoder> decoder, std::string name)
      : decoder_(std::move(decoder)), info_(decoder_->info()), name_(std::move(name)) {
    orientation_ = ExifOrientation(info_.exif);
    ResetExifOrientation(info_.exif);
    if (OrientationTransposes(orientation_)) std::swap(info_.width, info_.height);
  }

  // A mirrored row can still be passed on as it comes; every other turn needs the last row first.
  bool whole() const { return orientation_ >= 3; }
  size_t stored_row_bytes() const {
    return size_t{decoder_->info().width} * decoder_->info().channels;
  }
  uint64_t MemoryBytes() const {
    const uint64_t row = stored_row_bytes();
    const uint64_t turned = whole() ? row * (decoder_->info().height + kStripRows) : row;
    return decoder_->memory_bytes() + turned;
  }

  Status ReadStoredRow(uint8_t* row) {
    if (const Status status = decoder_->ReadRow(row); !status.ok()) {
      return status.WithPrefix(name_ + "row " + std::to_string(stored_row_) + ": ");
    }
    if (++stored_row_ == decoder_->info().height) AdoptLateMetadata();
    return {};
  }

  void AdoptLateMetadata() {
    const ImageInfo& late = decoder_->info();
    if (info_.xmp.empty()) info_.xmp = late.xmp;
    if (info_.exif.empty()) info_.exif = late.exif;
  }

  Status ReadInOrder(TensorView<uint8_t> rows) {
    for (int64_t y = 0; y < rows.height; ++y, ++next_row_) {
      const TensorView<uint8_t> row = rows.Window(y, 0, 1, rows.width);
      const bool straight = orientation_ == 1 && row.col_stride == row.channels;
      GODWIT_RETURN_IF_ERROR(ReadStoredRow(straight ? row.data : scratch_.data()));
      if (!straight) PlaceOriented(Strip(1), 0, 1, orientation_, row);
    }
    return {};
  }

  Status ReadFromWhole(TensorView<uint8_t> rows) {
    if (whole_.size() == 0) GODWIT_RETURN_IF_ERROR(LoadWhole());
    const int64_t w = info_.width;
    PlaceOriented(whole_.view().Window(next_row_, 0, rows.height, w), 0, rows.height, 1, rows);
    next_row_ += rows.height;
    return {};
  }

  Status LoadWhole() {
    whole_ = Tensor<uint8_t>(info_.height, info_.width, info_.channels);
    const uint32_t height = decoder_->info().height;
    for (uint32_t y = 0; y < height; y += kStripRows) {
      const size_t n = std::min<size_t>(kStripRows, height - y);
      for (size_t i = 0; i < n; ++i) {
        GODWIT_RETURN_IF_ERROR(ReadStoredRow(scratch_.data() + i * stored_row_bytes()));
      }
      PlaceOriented(Strip(n), y, height, orientation_, whole_.view());
    }
    return {};
  }

  TensorView<const uint8_t> Strip(size_t rows) const {
    return {scratch_.data(),
            static_cast<int64_t>(rows),
            decoder_->info().width,
            info_.channels,
            static_cast<int64_t>(stored_row_bytes()),
            info_.channels};
  }

  std::unique_ptr<RowDecoder> decoder_;
  ImageInfo info_;
  std::string name_;  // "photo.png: ", or empty
  int orientation_ = 1;
  int64_t next_row_ = 0;     // upright
  uint32_t stored_row_ = 0;  // as stored
  std::vector<uint8_t> scratch_;
  Tensor<uint8_t> whole_;
  Status failed_;
};

Result<std::unique_ptr<ImageReader>> OpenSource(Result<ByteSource> source, std::string name,
                                                const DecodeLimits& limits) {
  try {
    if (!source.ok()) return source.status().WithPrefix(name);
    Result<std::unique_ptr<RowDecoder>> decoder = OpenByMagic(*std::move(source), limits);
    if (!decoder.ok()) return decoder.status().WithPrefix(name);
    Result<std::unique_ptr<ImageReader>> reader =
        UprightReader::Create(*std::move(decoder), name, limits);
    if (!reader.ok()) return reader.status().WithPrefix(name);
    return reader;
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal, name + "out of memory");
  }
}

}  // namespace

Result<std::unique_ptr<ImageReader>> OpenImage(const std::string& path,
                                               const DecodeLimits& limits) {
  return OpenSource(ByteSource::Open(path), InputName(path) + ": ", limits);
}

Result<std::unique_ptr<ImageReader>> OpenImageBytes(std::span<const std::byte> bytes,
                                                    const DecodeLimits& limits) {
  return OpenSource(ByteSource::Over(bytes), "", limits);
}

}  // namespace godwit
