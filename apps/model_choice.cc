#include "apps/model_choice.h"

namespace godwit {

void AddModelFolderOption(OptionParser& parser, std::vector<std::string>* folders) {
  parser.Texts({"--model-dir", "DIR", "look for models in this folder too; may come again"},
               folders);
}

Result<ModelChoice> ModelChoice::Open(const std::vector<std::string>& folders) {
  ModelChoice choice;
  for (const std::string& folder : folders) {
    GODWIT_RETURN_IF_ERROR(choice.registry_.AddFolder(folder));
  }
  choice.registry_.AddDefaultFolders();
  return choice;
}

Result<ImageModel> ModelChoice::ForEncoding(const std::string& model, const std::string& codec) {
  if (model.empty()) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t id, registry_.DefaultStreamModel(codec));
    return ForStream(id);
  }
  if (const std::optional<uint64_t> id = ParseModelId(model)) return ForStream(*id);
  const Result<SafeTensors> file = ReadModelFile(model);
  if (!file.ok()) return file.status().WithPrefix(model + ": ");
  Result<ImageModel> loaded = ImageModel::Load(*file, ModelIdOf(file->file()));
  if (!loaded.ok()) return loaded.status().WithPrefix(model + ": ");
  return loaded;
}

Result<ImageModel> ModelChoice::ForStream(uint64_t id) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry_.FindStreamModel(id));
  Result<ImageModel> model = ImageModel::Load(file, id);
  if (!model.ok()) return model.status().WithPrefix("stream model " + ModelIdHex(id) + ": ");
  return model;
}

Result<std::optional<ImageSynthesis>> ModelChoice::Synthesis(uint64_t stream_id,
                                                             const std::string& choice) {
  using Found = std::optional<ImageSynthesis>;
  if (choice == "none") return Found();
  if (choice.empty()) {
    for (const char* const size : {"medium", "small", "large"}) {
      Result<Found> found = Synthesis(stream_id, size);
      if (found.ok() || found.status().code() != StatusCode::kModelMissing) return found;
    }
    return Status(StatusCode::kModelMissing,
                  "no synthesis for stream model " + ModelIdHex(stream_id) + " is in " +
                      registry_.Places() + "; --synthesis none does without");
  }
  const bool named = choice != "small" && choice != "medium" && choice != "large";
  const Result<SafeTensors> file =
      named ? ReadModelFile(choice) : registry_.FindSynthesis(stream_id, choice);
  if (!file.ok()) return named ? file.status().WithPrefix(choice + ": ") : file.status();
  Result<ImageSynthesis> synthesis = ImageSynthesis::Load(*file);
  if (!synthesis.ok()) return synthesis.status().WithPrefix(choice + " synthesis: ");
  if (synthesis->stream_model_id() != stream_id) {
    return Status(StatusCode::kModelRefused, choice + ": serves stream model " +
                                                 ModelIdHex(synthesis->stream_model_id()) +
                                                 ", not " + ModelIdHex(stream_id));
  }
  return Found(*std::move(synthesis));
}

std::string SynthesisName(const std::optional<ImageSynthesis>& synthesis) {
  return synthesis ? synthesis->size() : "none";
}

}  // namespace godwit
