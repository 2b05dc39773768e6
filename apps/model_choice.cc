#include "apps/model_choice.h"

#include <algorithm>

namespace godwit {
namespace {

// What a synthesis of arrays says in place of the stream model that it serves: it serves all.
constexpr uint64_t kAnyStream = 0;

// A file that an option names. To users it is a model that is missing, not an input.
Result<SafeTensors> ReadNamedModel(const std::string& path) {
  Result<SafeTensors> file = ReadModelFile(path);
  if (file.ok()) return file;
  const Status& status = file.status();
  const bool missing = status.code() == StatusCode::kUnreadable;
  return Status(missing ? StatusCode::kModelMissing : status.code(),
                path + ": " + status.message());
}

Status SetEntropy(ImageModel& model, const SafeTensors& file) {
  const uint64_t id = ModelIdOf(file.file());
  return model.SetEntropy(file, id).WithPrefix("entropy model " + ModelIdHex(id) + ": ");
}

}  // namespace

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
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, ReadNamedModel(model));
  Result<ImageModel> loaded = ImageModel::Load(file, ModelIdOf(file.file()));
  if (!loaded.ok()) return loaded.status().WithPrefix(model + ": ");
  return loaded;
}

Result<ImageModel> ModelChoice::ForStream(uint64_t id) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry_.FindStreamModel(id));
  Result<ImageModel> model = ImageModel::Load(file, id);
  if (!model.ok()) return model.status().WithPrefix("stream model " + ModelIdHex(id) + ": ");
  return model;
}

Result<ImageModel> ModelChoice::ForStream(const ImageHeader& header) {
  GODWIT_ASSIGN_OR_RETURN(ImageModel model, ForStream(header.model_id));
  if (header.full) {
    GODWIT_ASSIGN_OR_RETURN(const SafeTensors file,
                            registry_.FindEntropy(model.id(), header.entropy_id));
    GODWIT_RETURN_IF_ERROR(SetEntropy(model, file));
  }
  return model;
}

Status ModelChoice::AddEntropy(ImageModel& model, std::string_view size) {
  if (size == "lite") return {};
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry_.FindEntropy(model.id(), size));
  return SetEntropy(model, file);
}

std::string ModelChoice::EntropyName(const ImageHeader& header) {
  if (!header.full) return "lite";
  const ModelEntry* const entry = registry_.FindEntropyEntry(header.model_id, header.entropy_id);
  return entry != nullptr && IsEntropySize(entry->size) ? entry->size : "unknown";
}

Result<AudioModel> ModelChoice::ForEncodingSound(const std::string& model,
                                                 const std::string& codec) {
  if (model == "none") return AudioModel();
  if (model.empty()) {
    GODWIT_ASSIGN_OR_RETURN(const uint64_t id, registry_.DefaultStreamModel(codec));
    return ForSound(id);
  }
  if (const std::optional<uint64_t> id = ParseModelId(model)) return ForSound(*id);
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, ReadNamedModel(model));
  Result<AudioModel> loaded = AudioModel::Load(file, ModelIdOf(file.file()));
  if (!loaded.ok()) return loaded.status().WithPrefix(model + ": ");
  return loaded;
}

Result<AudioModel> ModelChoice::ForSound(uint64_t id) {
  if (id == 0) return AudioModel();
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry_.FindStreamModel(id));
  Result<AudioModel> model = AudioModel::Load(file, id);
  if (!model.ok()) return model.status().WithPrefix("stream model " + ModelIdHex(id) + ": ");
  return model;
}

Result<std::optional<SafeTensors>> ModelChoice::SynthesisFile(std::string_view codec,
                                                              uint64_t stream_id,
                                                              const std::string& choice) {
  using Found = std::optional<SafeTensors>;
  if (choice == "none") return Found();
  if (choice.empty()) {
    Result<Found> usual = SynthesisFile(codec, stream_id, "medium");
    if (usual.ok() || usual.status().code() != StatusCode::kModelMissing) return usual;
    for (const std::string_view size : kSynthesisSizes) {
      Result<Found> found = SynthesisFile(codec, stream_id, std::string(size));
      if (found.ok() || found.status().code() != StatusCode::kModelMissing) return found;
    }
    return Status(StatusCode::kModelMissing,
                  "no synthesis for stream model " + ModelIdHex(stream_id) + " is in " +
                      registry_.Places() + "; --synthesis none does without");
  }
  GODWIT_ASSIGN_OR_RETURN(SafeTensors file, IsSynthesisSize(choice)
                                                ? registry_.FindSynthesis(codec, stream_id, choice)
                                                : ReadNamedModel(choice));
  return Found(std::move(file));
}

Result<std::optional<ImageSynthesis>> ModelChoice::Synthesis(uint64_t stream_id,
                                                             const std::string& choice) {
  using Found = std::optional<ImageSynthesis>;
  GODWIT_ASSIGN_OR_RETURN(const std::optional<SafeTensors> file,
                          SynthesisFile("swift", stream_id, choice));
  if (!file) return Found();
  const std::string prefix = choice.empty() ? "" : choice + " ";
  Result<ImageSynthesis> synthesis = ImageSynthesis::Load(*file);
  if (!synthesis.ok()) return synthesis.status().WithPrefix(prefix + "synthesis: ");
  if (synthesis->stream_model_id() != stream_id) {
    return Status(StatusCode::kModelRefused, choice + ": serves stream model " +
                                                 ModelIdHex(synthesis->stream_model_id()) +
                                                 ", not " + ModelIdHex(stream_id));
  }
  return Found(*std::move(synthesis));
}

std::vector<ArrayModel> ModelChoice::ArrayModels() {
  std::vector<ArrayModel> models;
  for (const ModelEntry& entry : registry_.List()) {
    if (!entry.status.ok() || entry.codec != "packet" || entry.kind != "stream") continue;
    const bool again = std::any_of(models.begin(), models.end(),
                                   [&](const ArrayModel& m) { return m.id() == entry.id; });
    Result<SafeTensors> file = registry_.Load(entry);
    if (again || !file.ok()) continue;
    Result<ArrayModel> model = ArrayModel::Load(*file, entry.id);
    if (model.ok()) models.push_back(*std::move(model));
  }
  return models;
}

Result<ArrayModel> ModelChoice::ArrayModelOf(uint64_t id) {
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry_.FindStreamModel(id));
  Result<ArrayModel> model = ArrayModel::Load(file, id);
  if (!model.ok()) return model.status().WithPrefix("array model " + ModelIdHex(id) + ": ");
  return model;
}

Result<ArrayModel> ModelChoice::NamedArrayModel(const std::string& model) {
  if (const std::optional<uint64_t> id = ParseModelId(model)) return ArrayModelOf(*id);
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, ReadNamedModel(model));
  Result<ArrayModel> loaded = ArrayModel::Load(file, ModelIdOf(file.file()));
  if (!loaded.ok()) return loaded.status().WithPrefix(model + ": ");
  return loaded;
}

Result<std::optional<ArraySynthesis>> ModelChoice::SynthesisOfArrays(const std::string& choice) {
  using Found = std::optional<ArraySynthesis>;
  if (choice.empty() || choice == "none") return Found();
  const Result<std::optional<SafeTensors>> file = SynthesisFile("packet", kAnyStream, choice);
  if (!file.ok()) {
    const bool is_missing = file.status().code() == StatusCode::kModelMissing;
    if (!is_missing || !IsSynthesisSize(choice)) return file.status();
    return Status(StatusCode::kModelMissing,
                  choice + " synthesis of arrays is not in " + registry_.Places());
  }
  Result<ArraySynthesis> synthesis = ArraySynthesis::Load(**file);
  if (!synthesis.ok()) return synthesis.status().WithPrefix(choice + " synthesis: ");
  return Found(*std::move(synthesis));
}

std::string SynthesisName(const std::optional<ImageSynthesis>& synthesis) {
  return synthesis ? synthesis->size() : "none";
}

}  // namespace godwit
