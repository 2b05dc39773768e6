// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <array>
#include <csetjmp>
#include <string_view>

#include "io/row_codec.h"

namespace godwit {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExifMark = "Exif\0\0"sv;
constexpr std::string_view kXmpMark = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr size_t kMarkerMax = 65533;  // what a 16-bit length leaves
constexpr size_t kIccMax = 255 * size_t{65519};
constexpr int kFullColourQuality = 90;

Bytes Joined(std::string_view head, const Bytes& tail) {
  const auto text = std::as_bytes(std::span(head));
  Bytes bytes(text.begin(), text.end());
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  return bytes;
}

class JpegEncoder final : public RowEncoder {
 public:
  explicit JpegEncoder(AtomicOutputFile* file) : file_(file) {}
  ~JpegEncoder() override { jpeg_destroy_compress(&jpeg_); }

  Status Start(const ImageInfo& info, int quality);
  Status WriteRow(const uint8_t* row) override {
    const bool written = Guarded([&] {
      JSAMPROW rows[] = {const_cast<JSAMPROW>(row)};  // libjpeg only reads it
      jpeg_write_scanlines(&jpeg_, rows, 1);
    });
    return written ? Status() : Failure();
  }
  Status Finish() override {
    return Guarded([&] { jpeg_finish_compress(&jpeg_); }) ? Status() : Failure();
  }

 private:
  // See png_reader.cc on longjmp.
  template <typename Body>
  bool Guarded(Body&& body) {
    if (setjmp(jump_) != 0) return false;
    body();
    return true;
  }
  template <typename Info>
  static JpegEncoder* From(Info* jpeg) {
    return static_cast<JpegEncoder*>(jpeg->client_data);
  }
  [[noreturn]] static void OnError(j_common_ptr jpeg) {
    JpegEncoder* const self = From(jpeg);
    jpeg->err->format_message(jpeg, self->message_);
    longjmp(self->jump_, 1);
  }
  static void OnMessage(j_common_ptr jpeg, int level) {
    if (level < 0) OnError(jpeg);
  }
  static void OnOutput(j_common_ptr) {}
  static void OnStart(j_compress_ptr jpeg) { From(jpeg)->Rewind(); }
  static boolean OnFull(j_compress_ptr jpeg) {
    JpegEncoder* const self = From(jpeg);
    if (!self->Put(self->buffer_.size())) ERREXIT(jpeg, JERR_FILE_WRITE);
    return TRUE;
  }
  static void OnEnd(j_compress_ptr jpeg) {
    JpegEncoder* const self = From(jpeg);
    if (!self->Put(self->buffer_.size() - self->writing_.free_in_buffer)) {
      ERREXIT(jpeg, JERR_FILE_WRITE);
    }
  }

  void Rewind() {
    writing_.next_output_byte = buffer_.data();
    writing_.free_in_buffer = buffer_.size();
  }
  bool Put(size_t count) {
    written_ = file_->Write(std::as_bytes(std::span(buffer_).first(count)));
    Rewind();
    return written_.ok();
  }
  void PutMarker(int marker, const Bytes& data) {
    if (data.empty()) return;
    jpeg_write_marker(&jpeg_, marker, reinterpret_cast<const JOCTET*>(data.data()),
                      static_cast<unsigned>(data.size()));
  }
  Status Failure() const {
    return written_.ok() ? Status(StatusCode::kInternal, "JPEG: " + std::string(message_))
                         : written_;
  }

  AtomicOutputFile* file_;
  jpeg_compress_struct jpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_destination_mgr writing_ = {};
  jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
  std::array<JOCTET, 16384> buffer_;
  Status written_;
};

Status CheckInfo(const ImageInfo& info, const ImageWriteOptions& options) {
  const auto unsupported = [](const std::string& why) {
    return Status(StatusCode::kUnsupported, "JPEG " + why);
  };
  if (options.jpeg_quality < 1 || options.jpeg_quality > 100) {
    return Status(StatusCode::kInvalidArgument,
                  "JPEG quality " + std::to_string(options.jpeg_quality) + " is not in 1..100");
  }
  if (info.channels == 2 || info.channels == 4) {
    return unsupported("holds no alpha: write .png or .pam, or drop the alpha channel first");
  }
  if (info.width > JPEG_MAX_DIMENSION || info.height > JPEG_MAX_DIMENSION) {
    return unsupported("has at most " + std::to_string(JPEG_MAX_DIMENSION) +
                       " rows and columns: write .png");
  }
  if (info.exif.size() > kMarkerMax - kExifMark.size()) {
    return unsupported("cannot hold EXIF of " + std::to_string(info.exif.size()) + " bytes");
  }
  if (info.xmp.size() > kMarkerMax - kXmpMark.size()) {
    return unsupported("cannot hold XMP of " + std::to_string(info.xmp.size()) + " bytes");
  }
  if (info.icc.size() > kIccMax) {
    return unsupported("cannot hold a profile of " + std::to_string(info.icc.size()) + " bytes");
  }
  return {};
}

Status JpegEncoder::Start(const ImageInfo& info, int quality) {
  const Bytes exif = info.exif.empty() ? Bytes() : Joined(kExifMark, info.exif);
  const Bytes xmp = info.xmp.empty() ? Bytes() : Joined(kXmpMark, info.xmp);
  jpeg_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnMessage;
  errors_.output_message = OnOutput;
  jpeg_.client_data = this;
  writing_.init_destination = OnStart;
  writing_.empty_output_buffer = OnFull;
  writing_.term_destination = OnEnd;
  const bool started = Guarded([&] {
    jpeg_create_compress(&jpeg_);  // keeps err and client_data
    jpeg_.dest = &writing_;
    jpeg_.image_width = info.width;
    jpeg_.image_height = info.height;
    jpeg_.input_components = info.channels;
    jpeg_.in_color_space = info.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg_);  // colour at 4:2:0
    jpeg_set_quality(&jpeg_, quality, TRUE);
    if (quality >= kFullColourQuality) {
      jpeg_.comp_info[0].h_samp_factor = jpeg_.comp_info[0].v_samp_factor = 1;
    }
    jpeg_start_compress(&jpeg_, TRUE);
    PutMarker(JPEG_APP0 + 1, exif);
    PutMarker(JPEG_APP0 + 1, xmp);
    if (!info.icc.empty()) {
      jpeg_write_icc_profile(&jpeg_, reinterpret_cast<const JOCTET*>(info.icc.data()),
                             static_cast<unsigned>(info.icc.size()));
    }
  });
  return started ? Status() : Failure();
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> CreateJpeg(const ImageInfo& info,
                                               const ImageWriteOptions& options, const std::string&,
                                               AtomicOutputFile* file) {
  GODWIT_RETURN_IF_ERROR(CheckInfo(info, options));
  auto encoder = std::make_unique<JpegEncoder>(file);
  GODWIT_RETURN_IF_ERROR(encoder->Start(info, options.jpeg_quality));
  return std::unique_ptr<RowEncoder>(std::move(encoder));
}

}  // namespace godwit
