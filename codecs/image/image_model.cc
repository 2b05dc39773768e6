#include "codecs/image/image_model.h"

#include "codecs/image/full_model.h"
#include "codecs/image/swift_model.h"
#include "codecs/image/swift_synthesis.h"
#include "models/registry.h"

namespace godwit {

Result<ImageModel> ImageModel::Load(const SafeTensors& file, uint64_t id) {
  GODWIT_ASSIGN_OR_RETURN(swift::SwiftModel model, swift::SwiftModel::Load(file, id));
  return ImageModel(std::make_unique<swift::SwiftModel>(std::move(model)));
}

ImageModel::ImageModel(std::unique_ptr<swift::SwiftModel> swift) : swift_(std::move(swift)) {}
ImageModel::ImageModel(ImageModel&&) noexcept = default;
ImageModel& ImageModel::operator=(ImageModel&&) noexcept = default;
ImageModel::~ImageModel() = default;
uint64_t ImageModel::id() const { return swift_->id; }

Status ImageModel::SetEntropy(const SafeTensors& file, uint64_t id) {
  GODWIT_ASSIGN_OR_RETURN(auto full, swift::FullModel::Load(file, id));
  if (full->stream_id != swift_->id) {
    return Status(StatusCode::kModelRefused, "serves stream model " + ModelIdHex(full->stream_id) +
                                                 ", not " + ModelIdHex(swift_->id));
  }
  full_ = std::move(full);
  return {};
}

uint64_t ImageModel::entropy_model_id() const { return full_ != nullptr ? full_->id : 0; }

Status CheckEntropyModel(const SafeTensors& file) {
  return swift::FullModel::Load(file, 0).status();
}

double ImageModel::encoder_macs_per_pixel() const {
  const double colour = 9, blocks = 3 * 16, coarse = 3 * 8.0 / 64, quantiser = 3;
  return colour + blocks + coarse + quantiser;
}

Result<ImageSynthesis> ImageSynthesis::Load(const SafeTensors& file) {
  const auto size = file.Metadata("godwit.synthesis.size"),
             stream = file.Metadata("godwit.synthesis.stream");
  if (file.Metadata("godwit.codec") != "swift" || !size || !stream) {
    return Status(StatusCode::kModelRefused,
                  "not a swift synthesis (metadata godwit.codec, godwit.synthesis.*)");
  }
  const std::optional<uint64_t> id = ParseModelId(*stream);
  if (!id) {
    return Status(StatusCode::kModelRefused, "model id \"" + *stream + "\" is not 16 hex digits");
  }
  GODWIT_ASSIGN_OR_RETURN(Network network, Network::Load(file, "synthesis"));
  if (network.input_channels() != swift::kNetworkInputs ||
      network.output_channels() != swift::kNetworkOutputs || !network.output_signed() ||
      network.scale() != 1 || network.input_zero_point() != 128) {
    return Status(StatusCode::kModelRefused,
                  "the network's input or output is not that of a swift synthesis");
  }
  GODWIT_ASSIGN_OR_RETURN(swift::SynthesisTables tables, swift::SynthesisTables::Load(file));
  return ImageSynthesis(std::move(network), std::make_unique<swift::SynthesisTables>(tables), *size,
                        *id);
}

ImageSynthesis::ImageSynthesis(Network network, std::unique_ptr<swift::SynthesisTables> tables,
                               std::string size, uint64_t model_id)
    : network_(std::move(network)),
      tables_(std::move(tables)),
      size_(std::move(size)),
      stream_model_id_(model_id) {}
ImageSynthesis::ImageSynthesis(ImageSynthesis&&) noexcept = default;
ImageSynthesis& ImageSynthesis::operator=(ImageSynthesis&&) noexcept = default;
ImageSynthesis::~ImageSynthesis() = default;
const std::string& ImageSynthesis::size() const { return size_; }
uint64_t ImageSynthesis::stream_model_id() const { return stream_model_id_; }
double ImageSynthesis::macs_per_pixel() const {
  return static_cast<double>(network_.macs_per_position()) / 64;
}

}  // namespace godwit
