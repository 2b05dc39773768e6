// apps/models_command.cc: godwit models
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "codecs/audio/audio_header.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Lists the models at hand: stream models, which streams are tied to, the synthesis networks\n"
    "that decode them, and the entropy models of mid and full. A place is a pixel or a sample.";

bool IsSound(const ModelEntry& entry) { return entry.codec == "music" || entry.codec == "voice"; }

// What one pixel costs, or one sample of a sound: of the encoder's transforms, or of the synthesis.
// What cannot be loaded is told like damage.
Result<double> MacsPerPixel(const ModelRegistry& registry, const ModelEntry& entry) {
  GODWIT_RETURN_IF_ERROR(entry.status);
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors file, registry.Load(entry));
  if (entry.kind == "stream" && IsSound(entry)) {
    GODWIT_RETURN_IF_ERROR(AudioModel::Load(file, entry.id).status());
    const bool music = entry.codec == "music";
    GODWIT_ASSIGN_OR_RETURN(const AudioHeader header,
                            music ? MakeAudioHeader(AudioKind::kMusic, 44100, 2)
                                  : MakeAudioHeader(AudioKind::kVoice, 16000, 1));
    return AudioEncoderMacs(header);
  }
  if (entry.kind == "stream" && entry.codec == "packet") {
    GODWIT_ASSIGN_OR_RETURN(const ArrayModel model, ArrayModel::Load(file, entry.id));
    return model.encoder_macs_per_sample();
  }
  if (entry.kind == "stream") {
    GODWIT_ASSIGN_OR_RETURN(const ImageModel model, ImageModel::Load(file, entry.id));
    return model.encoder_macs_per_pixel();
  }
  if (entry.kind == "entropy") {
    GODWIT_RETURN_IF_ERROR(CheckEntropyModel(file));
    return 0.0;
  }
  if (entry.codec == "packet") {
    GODWIT_ASSIGN_OR_RETURN(const ArraySynthesis synthesis, ArraySynthesis::Load(file));
    return synthesis.macs_per_sample();
  }
  GODWIT_ASSIGN_OR_RETURN(const ImageSynthesis synthesis, ImageSynthesis::Load(file));
  return synthesis.macs_per_pixel();
}

nlohmann::ordered_json ObjectOf(const ModelEntry& entry, const Result<double>& macs,
                                bool is_default) {
  nlohmann::ordered_json json = {{"file", entry.file}, {"path", nullptr}};
  if (!entry.path.empty()) json["path"] = entry.path;
  if (!macs.ok()) {
    json["error"] = macs.status().message();
    return json;
  }
  json["id"] = ModelIdHex(entry.id);
  json["codec"] = entry.codec;
  json["kind"] = entry.kind;
  json["name"] = entry.name;
  json["version"] = entry.version;
  json["description"] = entry.description;
  json["bytes"] = entry.bytes;
  json[IsSound(entry) ? "macs_per_sample" : "macs_per_pixel"] = *macs;
  if (entry.kind == "stream") {
    json["default"] = is_default;
  } else {
    json["size"] = entry.size;
    json["stream"] = nullptr;  // all
    if (entry.codec != "packet") json["stream"] = ModelIdHex(entry.stream_id);
  }
  return json;
}

void PrintLine(const ModelEntry& entry, double macs, bool is_default, std::ostream& out) {
  const std::string what =
      entry.kind == "stream"
          ? (is_default ? "default" : "")
          : entry.size + " of " +
                (entry.codec == "packet" ? "arrays" : ModelIdHex(entry.stream_id));
  out << fmt::format("{}  {:<9}  {:<26}  {:>8}  {:>10.1f}  {}{}{}\n", ModelIdHex(entry.id),
                     entry.kind, what, entry.bytes, macs,
                     entry.path.empty() ? entry.file + " (built in)" : entry.path,
                     entry.description.empty() ? "" : "  ", entry.description);
}

int RunModels(std::span<const std::string> args, Console& console) {
  std::vector<std::string> folders;
  OptionParser parser(console, kSummary);
  AddModelFolderOption(parser, &folders);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  Result<ModelChoice> models = ModelChoice::Open(folders);
  if (!models.ok()) return console.Fail(models.status());
  ModelRegistry& registry = models->registry();
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  bool any = false;
  for (const ModelEntry& entry : registry.List()) {
    const Result<uint64_t> default_id = registry.DefaultStreamModel(entry.codec);
    const bool is_default = default_id.ok() && entry.kind == "stream" && entry.id == *default_id;
    const Result<double> macs = MacsPerPixel(registry, entry);
    if (!macs.ok()) {
      const std::string place = entry.path.empty() ? entry.file : entry.path;
      console.Note("warning: " + place + ": " + macs.status().message());
    }
    if (console.json) {
      rows.push_back(ObjectOf(entry, macs, is_default));
    } else if (macs.ok()) {
      if (!any) {
        console.out << fmt::format("{:<16}  {:<9}  {:<26}  {:>8}  {:>10}  {}\n", "id", "kind", "",
                                   "bytes", "MACs/place", "file");
      }
      PrintLine(entry, *macs, is_default, console.out);
      any = true;
    }
  }
  if (console.json) console.PrintJson({{"models", std::move(rows)}});
  if (!console.json && !any) console.Note("no models in " + registry.Places());
  return kExitOk;
}

}  // namespace

const Command kModelsCommand{"models", "the models at hand, and where they are", RunModels};

}  // namespace godwit
