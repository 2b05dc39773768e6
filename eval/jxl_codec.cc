// libjxl as a rival: lossy (VarDCT in XYB) by distance, as cjxl does.
#include <jxl/decode.h>
#include <jxl/encode.h>
#include <jxl/thread_parallel_runner.h>

#include "eval/codec_table.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr JxlPixelFormat kRgb = {3, JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};

struct FreeJxl {
  void operator()(JxlEncoder* p) const { JxlEncoderDestroy(p); }
  void operator()(JxlDecoder* p) const { JxlDecoderDestroy(p); }
  void operator()(void* p) const { JxlThreadParallelRunnerDestroy(p); }
};

Status Failed(const char* what) {
  return Status(StatusCode::kInternal, fmt::format("jxl: {} failed", what));
}

class JxlCodec final : public Codec {
 public:
  JxlCodec(int effort, int threads)
      : effort_(effort),
        encoder_(JxlEncoderCreate(nullptr)),
        decoder_(JxlDecoderCreate(nullptr)),
        // libjxl works in the calling thread without a runner.
        runner_(threads > 1 ? JxlThreadParallelRunnerCreate(nullptr, static_cast<size_t>(threads))
                            : nullptr) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    JxlEncoder* const encoder = encoder_.get();
    if (encoder == nullptr) return Failed("creating an encoder");
    JxlEncoderReset(encoder);
    if (runner_ && JxlEncoderSetParallelRunner(encoder, JxlThreadParallelRunner, runner_.get()) !=
                       JXL_ENC_SUCCESS) {
      return Failed("starting threads");
    }
    JxlBasicInfo info;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = static_cast<uint32_t>(rgb.width);
    info.ysize = static_cast<uint32_t>(rgb.height);
    info.bits_per_sample = 8;
    info.uses_original_profile = JXL_FALSE;
    JxlColorEncoding colour;
    JxlColorEncodingSetToSRGB(&colour, /*is_gray=*/JXL_FALSE);
    JxlEncoderFrameSettings* const frame = JxlEncoderFrameSettingsCreate(encoder, nullptr);
    if (JxlEncoderSetBasicInfo(encoder, &info) != JXL_ENC_SUCCESS ||
        JxlEncoderSetColorEncoding(encoder, &colour) != JXL_ENC_SUCCESS ||
        JxlEncoderFrameSettingsSetOption(frame, JXL_ENC_FRAME_SETTING_EFFORT, effort_) !=
            JXL_ENC_SUCCESS ||
        JxlEncoderSetFrameDistance(frame, static_cast<float>(setting)) != JXL_ENC_SUCCESS ||
        JxlEncoderAddImageFrame(frame, &kRgb, rgb.data,
                                static_cast<size_t>(rgb.height * rgb.row_stride)) !=
            JXL_ENC_SUCCESS) {
      return Failed("setting up the encoder");
    }
    JxlEncoderCloseInput(encoder);
    buffer_.resize(std::max<size_t>(buffer_.size(), 65536));
    uint8_t* next = buffer_.data();
    size_t left = buffer_.size();
    JxlEncoderStatus status;
    while ((status = JxlEncoderProcessOutput(encoder, &next, &left)) == JXL_ENC_NEED_MORE_OUTPUT) {
      const size_t used = buffer_.size() - left;
      buffer_.resize(buffer_.size() * 2);
      next = buffer_.data() + used;
      left = buffer_.size() - used;
    }
    if (status != JXL_ENC_SUCCESS) return Failed("encoding");
    return std::as_bytes(std::span<const uint8_t>(buffer_.data(), buffer_.size() - left));
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    JxlDecoder* const decoder = decoder_.get();
    if (decoder == nullptr) return Failed("creating a decoder");
    JxlDecoderReset(decoder);
    if (runner_ && JxlDecoderSetParallelRunner(decoder, JxlThreadParallelRunner, runner_.get()) !=
                       JXL_DEC_SUCCESS) {
      return Failed("starting threads");
    }
    JxlDecoderSubscribeEvents(decoder, JXL_DEC_BASIC_INFO | JXL_DEC_FULL_IMAGE);
    JxlDecoderSetInput(decoder, reinterpret_cast<const uint8_t*>(stream.data()), stream.size());
    JxlDecoderCloseInput(decoder);
    for (;;) {
      const JxlDecoderStatus status = JxlDecoderProcessInput(decoder);
      if (status == JXL_DEC_BASIC_INFO) {
        JxlBasicInfo info;
        if (JxlDecoderGetBasicInfo(decoder, &info) != JXL_DEC_SUCCESS || info.xsize != rgb.width ||
            info.ysize != rgb.height) {
          return Status(StatusCode::kInvalidArgument, "jxl: a stream of another size");
        }
      } else if (status == JXL_DEC_NEED_IMAGE_OUT_BUFFER) {
        if (JxlDecoderSetImageOutBuffer(decoder, &kRgb, rgb.data,
                                        static_cast<size_t>(rgb.height * rgb.row_stride)) !=
            JXL_DEC_SUCCESS) {
          return Failed("setting up the decoder");
        }
      } else if (status == JXL_DEC_FULL_IMAGE) {
        return {};
      } else {
        return Failed("decoding");
      }
    }
  }

 private:
  int effort_;
  std::unique_ptr<JxlEncoder, FreeJxl> encoder_;
  std::unique_ptr<JxlDecoder, FreeJxl> decoder_;
  std::unique_ptr<void, FreeJxl> runner_;
  std::vector<uint8_t> buffer_;
};

}  // namespace

Result<CodecEntry> MakeJxlCodec(std::span<const std::string> options, const CodecContext&) {
  GODWIT_ASSIGN_OR_RETURN(const int effort, OneNumberOption("jxl", options, 7, 1, 9));
  const uint32_t version = JxlEncoderVersion();
  CodecEntry entry;
  entry.version =
      fmt::format("libjxl {}.{}.{}", version / 1000000, version / 1000 % 1000, version % 1000);
  entry.setting_name = "distance";
  entry.ladder = {15, 10, 8, 6, 4.5, 3.5, 2.5, 1.8, 1.2, 0.8, 0.5};
  entry.settings_per_one = 10;
  entry.create = [effort](int threads) -> Result<std::unique_ptr<Codec>> {
    return std::unique_ptr<Codec>(std::make_unique<JxlCodec>(effort, threads));
  };
  return entry;
}

}  // namespace godwit
