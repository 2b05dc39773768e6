// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <climits>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "io/row_codec.h"

namespace godwit {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExifMark = "Exif\0\0"sv;
constexpr std::string_view kXmpMark = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr unsigned kMarkerMax = 0xFFFF;
constexpr int kExifMarker = JPEG_APP0 + 1, kIccMarker = JPEG_APP0 + 2;
// A small progressive file may hold thousands of scans, each as dear as the whole picture.
constexpr int kMostScans = 500;

// Warnings that leave the pixels well defined; every other one means that libjpeg made them up.
bool Harmless(int code) {
  return code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR || code == JWRN_EXTRANEOUS_DATA ||
         code == JWRN_BOGUS_PROGRESSION;
}

StatusCode CodeFor(int code) {
  switch (code) {
    case JERR_INPUT_EOF:
    case JWRN_HIT_MARKER:
      return StatusCode::kTruncated;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_EMPTY_IMAGE:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_IMAGE_TOO_BIG:
    case JERR_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
      return StatusCode::kUnsupported;
    case JERR_NO_BACKING_STORE:
    case JERR_OUT_OF_MEMORY:
    case JERR_WIDTH_OVERFLOW:
      return StatusCode::kOverLimit;
    default:
      return StatusCode::kUnreadable;
  }
}

class JpegDecoder final : public RowDecoder {
 public:
  explicit JpegDecoder(ByteSource source) : source_(std::move(source)) {}
  ~JpegDecoder() override { jpeg_destroy_decompress(&jpeg_); }

  Status Open(const DecodeLimits& limits);
  Status ReadRow(uint8_t* row) override;

 private:
  // libjpeg leaves by longjmp, over frames that hold nothing to destroy; see png_reader.cc.
  template <typename Body>
  bool Guarded(Body&& body) {
    if (setjmp(jump_) != 0) return false;
    body();
    return true;
  }
  template <typename Info>
  static JpegDecoder* From(Info* jpeg) {
    return static_cast<JpegDecoder*>(jpeg->client_data);
  }
  [[noreturn]] static void OnError(j_common_ptr jpeg) {
    JpegDecoder* const self = From(jpeg);
    self->failed_code_ = jpeg->err->msg_code;
    jpeg->err->format_message(jpeg, self->message_);
    longjmp(self->jump_, 1);
  }
  static void OnMessage(j_common_ptr jpeg, int level) {
    if (level < 0 && !Harmless(jpeg->err->msg_code)) OnError(jpeg);
  }
  static void OnOutput(j_common_ptr) {}
  static void OnProgress(j_common_ptr jpeg) {
    JpegDecoder* const self = From(jpeg);
    if (self->jpeg_.input_scan_number <= kMostScans) return;
    self->too_many_scans_ = true;
    OnError(jpeg);
  }
  static void OnStart(j_decompress_ptr) {}
  static boolean OnFill(j_decompress_ptr jpeg) {
    if (!From(jpeg)->Fill()) ERREXIT(jpeg, JERR_INPUT_EOF);
    return TRUE;
  }
  static void OnSkip(j_decompress_ptr jpeg, long count);

  bool Fill();
  void Install();
  void SaveMetadataMarkers(unsigned limit) {
    jpeg_save_markers(&jpeg_, kExifMarker, limit);
    jpeg_save_markers(&jpeg_, kIccMarker, limit);
  }
  Status TakeColour();
  Status TakeMetadata();
  uint64_t CoefficientBytes() const;
  Status Failure() const;

  ByteSource source_;
  jpeg_decompress_struct jpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr reading_ = {};
  jpeg_progress_mgr progress_ = {};
  jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
  int failed_code_ = 0;
  bool too_many_scans_ = false;
  bool header_too_long_ = false;
  uint64_t max_header_bytes_ = 0;  // saved markers are in memory; 0 once past them
  uint32_t next_row_ = 0;
};

void JpegDecoder::OnSkip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  size_t left = static_cast<size_t>(count);
  while (left > jpeg->src->bytes_in_buffer) {
    left -= jpeg->src->bytes_in_buffer;
    OnFill(jpeg);
  }
  jpeg->src->next_input_byte += left;
  jpeg->src->bytes_in_buffer -= left;
}

// False at the end: libjpeg's own sources would invent an end marker here, and grey pixels.
bool JpegDecoder::Fill() {
  header_too_long_ = max_header_bytes_ > 0 && source_.offset() > max_header_bytes_;
  if (header_too_long_) return false;
  const std::span<const std::byte> block = source_.TakeBlock();
  reading_.next_input_byte = reinterpret_cast<const JOCTET*>(block.data());
  reading_.bytes_in_buffer = block.size();
  return !block.empty();
}

Status JpegDecoder::Failure() const {
  GODWIT_RETURN_IF_ERROR(source_.status());
  const std::string at = " at byte " + std::to_string(source_.offset() - reading_.bytes_in_buffer);
  if (header_too_long_) return Status(StatusCode::kOverLimit, "JPEG: no picture yet" + at);
  if (too_many_scans_) {
    return Status(StatusCode::kOverLimit,
                  "JPEG: more than " + std::to_string(kMostScans) + " scans" + at);
  }
  if (failed_code_ == JERR_INPUT_EOF) {
    return Status(StatusCode::kTruncated, "JPEG ends early" + at);
  }
  return Status(CodeFor(failed_code_), "JPEG: " + std::string(message_) + at);
}

void JpegDecoder::Install() {
  jpeg_.err = jpeg_std_error(&errors_);
  errors_.error_exit = OnError;
  errors_.emit_message = OnMessage;
  errors_.output_message = OnOutput;
  jpeg_.client_data = this;
  reading_.init_source = OnStart;
  reading_.fill_input_buffer = OnFill;
  reading_.skip_input_data = OnSkip;
  reading_.resync_to_restart = jpeg_resync_to_restart;
  reading_.term_source = OnStart;
  progress_.progress_monitor = OnProgress;
}

Status JpegDecoder::Open(const DecodeLimits& limits) {
  max_header_bytes_ = std::min(kMaxMetadataBytes, limits.max_memory_bytes);
  Install();
  const bool begun = Guarded([&] {
    jpeg_create_decompress(&jpeg_);  // keeps err and client_data
    jpeg_.src = &reading_;
    jpeg_.progress = &progress_;
    jpeg_.mem->max_memory_to_use =
        static_cast<long>(std::min<uint64_t>(limits.max_memory_bytes, LONG_MAX));
    SaveMetadataMarkers(kMarkerMax);
    jpeg_read_header(&jpeg_, TRUE);
  });
  if (!begun) return Failure();
  max_header_bytes_ = 0;
  info_.width = jpeg_.image_width;
  info_.height = jpeg_.image_height;
  info_.format = "jpeg";
  GODWIT_RETURN_IF_ERROR(CheckPixels(info_.width, info_.height, limits));
  GODWIT_RETURN_IF_ERROR(TakeColour());
  GODWIT_RETURN_IF_ERROR(TakeMetadata());
  memory_bytes_ = CoefficientBytes();
  return CheckMemory(memory_bytes_, limits);
}

Status JpegDecoder::TakeColour() {
  switch (jpeg_.jpeg_color_space) {
    case JCS_GRAYSCALE:
      jpeg_.out_color_space = JCS_GRAYSCALE;
      info_.channels = 1;
      return {};
    case JCS_YCbCr:
    case JCS_RGB:
      jpeg_.out_color_space = JCS_RGB;
      info_.channels = 3;
      return {};
    case JCS_CMYK:
    case JCS_YCCK:
      return Status(StatusCode::kUnsupported, "JPEG: CMYK; convert it to RGB first");
    default:
      return Status(StatusCode::kUnsupported, "JPEG: " + std::to_string(jpeg_.num_components) +
                                                  " components of unknown colour");
  }
}

Status JpegDecoder::TakeMetadata() {
  bool has_icc = false;
  for (const jpeg_marker_struct* m = jpeg_.marker_list; m != nullptr; m = m->next) {
    const std::string_view text(reinterpret_cast<const char*>(m->data), m->data_length);
    const auto data = std::as_bytes(std::span(m->data, m->data_length));
    has_icc |= m->marker == kIccMarker && text.starts_with("ICC_PROFILE\0"sv);
    if (m->marker != kExifMarker) continue;
    if (text.starts_with(kExifMark) && info_.exif.empty()) {
      info_.exif.assign(data.begin() + kExifMark.size(), data.end());
    } else if (text.starts_with(kXmpMark) && info_.xmp.empty()) {
      info_.xmp.assign(data.begin() + kXmpMark.size(), data.end());
    }
  }
  JOCTET* icc = nullptr;
  unsigned icc_bytes = 0;
  const bool read = Guarded([&] {
    if (has_icc) jpeg_read_icc_profile(&jpeg_, &icc, &icc_bytes);
    SaveMetadataMarkers(0);  // none to be kept between scans
  });
  if (!read) return Failure();
  if (icc != nullptr) {
    const auto bytes = std::as_bytes(std::span(icc, icc_bytes));
    info_.icc.assign(bytes.begin(), bytes.end());
    std::free(icc);
  }
  return {};
}

// Several scans, progressive or not, make libjpeg keep all coefficients: 128 bytes a block.
uint64_t JpegDecoder::CoefficientBytes() const {
  uint64_t bytes = 0;
  for (int i = 0; i < jpeg_.num_components; ++i) {
    const jpeg_component_info& c = jpeg_.comp_info[i];
    bytes += uint64_t{c.width_in_blocks + 4} * (c.height_in_blocks + 4) * sizeof(JBLOCK);
  }
  // Otherwise two bands of the tallest unit, 4 x 8 rows, in samples and in 16-bit scratch.
  const uint64_t band = uint64_t{info_.width} * 32 * 4 * 4;
  return jpeg_.progressive_mode || jpeg_.num_components > jpeg_.comps_in_scan ? bytes + band : band;
}

Status JpegDecoder::ReadRow(uint8_t* row) {
  const bool first = next_row_ == 0, last = next_row_ + 1 == info_.height;
  const bool read = Guarded([&] {
    if (first) jpeg_start_decompress(&jpeg_);
    JSAMPROW rows[] = {row};
    jpeg_read_scanlines(&jpeg_, rows, 1);
    if (last) jpeg_finish_decompress(&jpeg_);
  });
  if (!read) return Failure();
  ++next_row_;
  return {};
}

}  // namespace

Result<std::unique_ptr<RowDecoder>> OpenJpeg(ByteSource source, const DecodeLimits& limits) {
  auto decoder = std::make_unique<JpegDecoder>(std::move(source));
  GODWIT_RETURN_IF_ERROR(decoder->Open(limits));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

}  // namespace godwit
