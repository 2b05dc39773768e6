// libjpeg-turbo as a rival: its defaults (accurate integer DCT), 4:2:0 or 4:4:4.
// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <cmath>
#include <csetjmp>
#include <cstdlib>

#include "eval/codec_table.h"

namespace godwit {
namespace {

struct JpegOptions {
  bool full_chroma = false, progressive = false, optimise = true;
};

// One libjpeg object: jpeg_compress_struct or jpeg_decompress_struct. Its errors leave by longjmp,
// over frames that hold nothing to destroy.
template <typename Jpeg>
class Guard {
 public:
  Guard() {
    jpeg.err = jpeg_std_error(&errors_);
    jpeg.client_data = this;
    errors_.error_exit = [](j_common_ptr failed) {
      Guard* const self = static_cast<Guard*>(failed->client_data);
      failed->err->format_message(failed, self->message_);
      longjmp(self->jump_, 1);
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  template <typename Body>
  Status Run(Body&& body) {
    if (setjmp(jump_) != 0) return Status(StatusCode::kInternal, std::string("jpeg: ") + message_);
    body();
    return {};
  }
  Jpeg jpeg{};

 private:
  jpeg_error_mgr errors_{};
  jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
};

class JpegCodec final : public Codec {
 public:
  explicit JpegCodec(const JpegOptions& options) : options_(options) {
    jpeg_create_compress(&encoder_.jpeg);
    jpeg_create_decompress(&decoder_.jpeg);
  }
  ~JpegCodec() override {
    jpeg_destroy_compress(&encoder_.jpeg);
    jpeg_destroy_decompress(&decoder_.jpeg);
    FreeGrown();
  }

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    if (rgb.height > JPEG_MAX_DIMENSION || rgb.width > JPEG_MAX_DIMENSION) {
      return Status(StatusCode::kUnsupported, "jpeg: at most 65500 pixels a side");
    }
    SetRows(const_cast<uint8_t*>(rgb.data), rgb.height, rgb.row_stride);  // libjpeg only reads
    // libjpeg allocates only if the buffer, made beforehand, is too small.
    FreeGrown();
    buffer_.resize(static_cast<size_t>(rgb.height * rgb.width * 3) * 2 + 65536);
    grown_ = buffer_.data();
    size_ = buffer_.size();
    const Status status = encoder_.Run([&] { Compress(rgb, setting); });
    if (!status.ok()) {
      jpeg_abort_compress(&encoder_.jpeg);
      return status;
    }
    return std::as_bytes(std::span<const uint8_t>(grown_, size_));
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    SetRows(rgb.data, rgb.height, rgb.row_stride);
    bool fits = true;
    const Status status = decoder_.Run([&] { Decompress(stream, rgb, &fits); });
    if (status.ok() && fits) return {};
    jpeg_abort_decompress(&decoder_.jpeg);
    if (!status.ok()) return status;
    return Status(StatusCode::kInvalidArgument, "jpeg: a stream of another size");
  }

 private:
  void FreeGrown() {
    if (grown_ != buffer_.data()) std::free(grown_);
    grown_ = nullptr;
  }

  void SetRows(uint8_t* data, int64_t height, int64_t stride) {
    rows_.clear();
    for (int64_t y = 0; y < height; ++y) rows_.push_back(data + y * stride);
  }

  void Compress(TensorView<const uint8_t> rgb, double quality) {
    jpeg_compress_struct& jpeg = encoder_.jpeg;
    jpeg_mem_dest(&jpeg, &grown_, &size_);
    jpeg.image_width = static_cast<JDIMENSION>(rgb.width);
    jpeg.image_height = static_cast<JDIMENSION>(rgb.height);
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, static_cast<int>(std::lround(quality)), TRUE);
    jpeg.optimize_coding = options_.optimise ? TRUE : FALSE;
    if (options_.full_chroma) {
      jpeg.comp_info[0].h_samp_factor = 1;
      jpeg.comp_info[0].v_samp_factor = 1;
    }
    if (options_.progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    jpeg_write_scanlines(&jpeg, rows_.data(), jpeg.image_height);
    jpeg_finish_compress(&jpeg);
  }

  void Decompress(std::span<const std::byte> stream, TensorView<uint8_t> rgb, bool* fits) {
    jpeg_decompress_struct& jpeg = decoder_.jpeg;
    jpeg_mem_src(&jpeg, reinterpret_cast<const uint8_t*>(stream.data()), stream.size());
    jpeg_read_header(&jpeg, TRUE);
    *fits = jpeg.image_width == rgb.width && jpeg.image_height == rgb.height;
    if (!*fits) return;
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
      jpeg_read_scanlines(&jpeg, &rows_[jpeg.output_scanline],
                          jpeg.output_height - jpeg.output_scanline);
    }
    jpeg_finish_decompress(&jpeg);
  }

  JpegOptions options_;
  // One for each kind of tables: jpeg_set_defaults() keeps those that an optimised picture left.
  Guard<jpeg_compress_struct> encoder_;
  Guard<jpeg_decompress_struct> decoder_;
  std::vector<uint8_t> buffer_;
  unsigned char* grown_ = nullptr;  // buffer_, or what libjpeg allocated instead
  unsigned long size_ = 0;
  std::vector<JSAMPROW> rows_;
};

#define GODWIT_TEXT(x) GODWIT_TEXT_OF(x)
#define GODWIT_TEXT_OF(x) #x

}  // namespace

Result<CodecEntry> MakeJpegCodec(std::span<const std::string> options, const CodecContext&) {
  JpegOptions jpeg;
  for (const std::string& option : options) {
    if (option == "444") {
      jpeg.full_chroma = true;
    } else if (option == "progressive") {
      jpeg.progressive = true;
    } else if (option == "fixed") {
      jpeg.optimise = false;
    } else {
      return NoCodecOption("jpeg", option);
    }
  }
  CodecEntry entry;
  entry.version = "libjpeg-turbo " GODWIT_TEXT(LIBJPEG_TURBO_VERSION);
  entry.setting_name = "quality";
  entry.ladder = {5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95};
  entry.create = [jpeg](int) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<JpegCodec>(jpeg));
  };
  return entry;
}

}  // namespace godwit
