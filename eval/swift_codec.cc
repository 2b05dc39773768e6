// Our own codec: stream model and synthesis as the program finds them.
#include "codecs/image/image_decoder.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/image_repack.h"
#include "eval/codec_table.h"
#include "models/registry.h"

namespace godwit {
namespace {

class SwiftCodec final : public Codec {
 public:
  SwiftCodec(SwiftModels models, ImageEncoder encoder, const ImageEncodeOptions& options,
             ImageEntropy entropy)
      : models_(std::move(models)),
        encoder_(std::move(encoder)),
        options_(options),
        entropy_(entropy) {}

  Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) override {
    const TensorView<const uint8_t> rgb = PictureOf(item);
    GODWIT_RETURN_IF_ERROR(
        encoder_.SetStepIndex(StepIndexFromQuality(setting, options_.effort, options_.tune)));
    GODWIT_ASSIGN_OR_RETURN(stream_, encoder_.Encode(rgb));
    if (entropy_ == ImageEntropy::kFull) {
      GODWIT_ASSIGN_OR_RETURN(const ImageStream lite, ParseImageStream(stream_));
      GODWIT_ASSIGN_OR_RETURN(
          Bytes full,
          RepackImage(lite, *models_.stream,
                      {.entropy = entropy_, .threads = options_.threads, .limits = {}}));
      stream_ = std::move(full);
    }
    return std::span<const std::byte>(stream_);
  }

  Status Decode(std::span<const std::byte> stream, const MutableItemView& item) override {
    const TensorView<uint8_t> rgb = PictureOf(item);
    GODWIT_ASSIGN_OR_RETURN(const ImageStream parsed, ParseImageStream(stream));
    ImageDecodeOptions options;
    options.threads = options_.threads;
    GODWIT_ASSIGN_OR_RETURN(
        ImageDecoder decoder,
        ImageDecoder::Create(parsed, *models_.stream, models_.synthesis.get(), options));
    if (decoder.width() != rgb.width || decoder.height() != rgb.height) {
      return Status(StatusCode::kInvalidArgument, "swift: a stream of another size");
    }
    return decoder.ReadRows(rgb);
  }

 private:
  SwiftModels models_;
  ImageEncoder encoder_;
  ImageEncodeOptions options_;
  ImageEntropy entropy_;
  Bytes stream_;
};

}  // namespace

Result<CodecEntry> MakeSwiftCodec(std::span<const std::string> options,
                                  const CodecContext& context) {
  std::string model, synthesis;
  int effort = 0;
  ImageTune tune = ImageTune::kPsnr;
  std::string entropy = "lite";
  for (const std::string& option : options) {
    if (option == "none" || IsSynthesisSize(option)) {
      synthesis = option;
    } else if (option.starts_with("model=")) {
      model = option.substr(6);
    } else if (option == "tune=msssim") {
      tune = ImageTune::kMsssim;
    } else if (IsEntropySize(option) && entropy == "lite") {
      entropy = option;
    } else if (option.starts_with("synthesis=")) {
      synthesis = option.substr(10);
    } else if (const auto number = option.starts_with("effort=")
                                       ? ParseSmallNumber(option.substr(7), 1, kMaxImageEffort)
                                       : std::nullopt) {
      effort = *number;
    } else {
      return NoCodecOption("swift", option);
    }
  }
  if (effort == 0) effort = tune == ImageTune::kPsnr ? 1 : 3;
  GODWIT_ASSIGN_OR_RETURN(const SwiftModels models, context.load_swift(model, synthesis, entropy));
  CodecEntry entry;
  entry.version = "godwit " + context.version + ", stream model " +
                  ModelIdHex(models.stream->id()) + ", synthesis ";
  entry.version +=
      models.synthesis == nullptr ? "none" : models.synthesis->size() + " " + models.synthesis_id;
  const ImageEntropy coding = entropy == "lite" ? ImageEntropy::kLite : ImageEntropy::kFull;
  if (coding == ImageEntropy::kFull) {
    if (models.stream->full() == nullptr)
      return Status(StatusCode::kModelMissing, "swift: no " + entropy + " entropy model");
    entry.version +=
        ", " + entropy + " entropy coding " + ModelIdHex(models.stream->entropy_model_id());
  }
  if (effort > 1) entry.version += ", effort " + std::to_string(effort);
  if (tune == ImageTune::kMsssim) entry.version += ", tuned for MS-SSIM";
  entry.setting_name = "quality";
  entry.ladder = {5, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90};  // above, rates leave the rivals'
  entry.create = [models, effort, tune, coding](int threads) -> Result<std::unique_ptr<Codec>> {
    ImageEncodeOptions encode;
    encode.threads = threads;
    encode.effort = effort;
    encode.tune = tune;
    encode.synthesis = models.synthesis.get();
    encode.entropy = coding;
    GODWIT_ASSIGN_OR_RETURN(ImageEncoder encoder, ImageEncoder::Create(*models.stream, encode));
    return std::unique_ptr<Codec>(
        std::make_unique<SwiftCodec>(models, std::move(encoder), encode, coding));
  };
  return entry;
}

}  // namespace godwit
