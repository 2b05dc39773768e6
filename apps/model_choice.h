// apps/model_choice.h: the models that a command works with, by what its options say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/option_parser.h"
#include "base/status.h"
#include "codecs/array/array_model.h"
#include "codecs/array/array_synthesis.h"
#include "codecs/audio/audio_model.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_model.h"
#include "models/registry.h"

namespace godwit {

void AddModelFolderOption(OptionParser& parser, std::vector<std::string>* folders);

class ModelChoice {
 public:
  static Result<ModelChoice> Open(const std::vector<std::string>& folders);

  // `model`: 16 hex digits, a file, or nothing for the default of `codec`. What is not there is
  // kModelMissing, here and below.
  Result<ImageModel> ForEncoding(const std::string& model, const std::string& codec);
  Result<ImageModel> ForStream(uint64_t id);
  // With the entropy model that the stream names, if it names one.
  Result<ImageModel> ForStream(const ImageHeader& header);
  // `size`: one of kEntropySizes, or "lite", which is the stream model's own and adds nothing.
  Status AddEntropy(ImageModel& model, std::string_view size);
  // "lite", one of kEntropySizes, or "unknown": the stream's entropy model is not at hand, or of
  // some other size.
  std::string EntropyName(const ImageHeader& header);
  // `choice`: one of kSynthesisSizes, or a file. "none" gives nothing, and so does the plain
  // inverse transform; "" is medium, or the best at hand where that is missing.
  Result<std::optional<ImageSynthesis>> Synthesis(uint64_t stream_id, const std::string& choice);
  // The file of the same for any codec; its id names it.
  Result<std::optional<SafeTensors>> SynthesisFile(std::string_view codec, uint64_t stream_id,
                                                   const std::string& choice);

  // Of sound. `model` as above, or "none": untrained, which id 0 stands for.
  Result<AudioModel> ForEncodingSound(const std::string& model, const std::string& codec);
  Result<AudioModel> ForSound(uint64_t id);
  // Of arrays: all at hand that are not damaged; one by 16 hex digits or file; the one of a stream.
  std::vector<ArrayModel> ArrayModels();
  Result<ArrayModel> NamedArrayModel(const std::string& model);
  Result<ArrayModel> ArrayModelOf(uint64_t id);
  // `choice`: one of kSynthesisSizes, or a file; "none" and "" give nothing.
  Result<std::optional<ArraySynthesis>> SynthesisOfArrays(const std::string& choice);

  ModelRegistry& registry() { return registry_; }

 private:
  ModelRegistry registry_;
};

// What messages and JSON call a synthesis that Synthesis() gave.
std::string SynthesisName(const std::optional<ImageSynthesis>& synthesis);

}  // namespace godwit
