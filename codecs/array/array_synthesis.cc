#include "codecs/array/array_synthesis.h"

#include "codecs/array/slice_synthesis.h"

namespace godwit {

Result<ArraySynthesis> ArraySynthesis::Load(const SafeTensors& file) {
  const auto size = file.Metadata("godwit.synthesis.size");
  if (file.Metadata("godwit.codec") != "packet" || file.Metadata("godwit.kind") != "synthesis" ||
      !size) {
    return Status(StatusCode::kModelRefused,
                  "not a synthesis of arrays (metadata godwit.codec, godwit.kind, "
                  "godwit.synthesis.size)");
  }
  GODWIT_ASSIGN_OR_RETURN(Network network, Network::Load(file, "synthesis"));
  if (network.input_channels() != array::kPatchInputs || network.input_zero_point() != 128 ||
      network.output_channels() != array::kPatchSamples || !network.output_signed() ||
      network.scale() != 1) {
    return Status(StatusCode::kModelRefused,
                  "the network's input or output is not that of a synthesis of arrays");
  }
  return ArraySynthesis(std::move(network), *size);
}

double ArraySynthesis::macs_per_sample() const {
  return static_cast<double>(network_.macs_per_position()) / array::kPatchSamples;
}

}  // namespace godwit
