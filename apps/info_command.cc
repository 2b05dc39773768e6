// apps/info_command.cc: godwit info FILE...
#include <nlohmann/json.hpp>

#include "apps/array_commands.h"
#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "apps/sound_commands.h"
#include "apps/stream_file.h"
#include "codecs/image/image_encoder.h"
#include "fmt/core.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Says what is in .gdw files, without decoding them. With --json, one object a line and file.";

std::string LayersName(const ImageSectionInfo& section) {
  const std::string row = section.tile_row < 0 ? "" : fmt::format(" of row {}", section.tile_row);
  if (section.layers == 0) return "";
  if (section.layers == 1) return std::to_string(section.first_layer) + row;
  return fmt::format("{}-{}{}", section.first_layer, section.first_layer + section.layers - 1, row);
}

std::string TilesName(const ImageHeader& h) {
  const std::string size = h.tile_width == h.tile_height
                               ? std::to_string(h.tile_width)
                               : fmt::format("{}x{}", h.tile_width, h.tile_height);
  return size + (h.order == ImageOrder::kRows ? " by rows" : "");
}

void PrintText(const std::string& path, const StreamFile& file, const ModelEntry* model,
               const std::string& entropy, std::ostream& out) {
  const ImageStream& s = file.stream;
  const ImageHeader& h = s.header;
  std::string name = model == nullptr ? "not at hand" : model->name;
  if (name.empty()) name = model->file;
  out << fmt::format(
      "{}: {}x{}, {}{}, {} bytes, {:.4g} bit/pixel\n"
      "  codec swift, quality {:.4g} (step {}), layers {}, tiles of {}, {} entropy coding\n"
      "  model {} ({})\n"
      "  {:<8} {:>10} {:>10}  {}\n",
      InputName(path), h.width, h.height, ChannelsName(s), h.from_16_bit ? " from 16 bits" : "",
      file.bytes->size(), BitsPerPixel(file), QualityFromStepIndex(h.step_index), h.step_index,
      s.layers.size(), TilesName(h), entropy, ModelIdHex(h.model_id), name, "section", "offset",
      "bytes", "layers");
  for (const ImageSectionInfo& section : s.sections) {
    std::string line = fmt::format("  {:<8} {:>10} {:>10}  {}", section.name, section.offset,
                                   section.bytes, LayersName(section));
    out << line.erase(line.find_last_not_of(' ') + 1) << '\n';
  }
}

void PrintObject(const std::string& path, const StreamFile& file, const ModelEntry* model,
                 const std::string& entropy, const Console& console) {
  const ImageStream& s = file.stream;
  const ImageHeader& h = s.header;
  nlohmann::ordered_json sections = nlohmann::ordered_json::array();
  for (const ImageSectionInfo& section : s.sections) {
    nlohmann::ordered_json row = {
        {"name", section.name}, {"offset", section.offset}, {"bytes", section.bytes}};
    if (section.layers > 0) {
      row["first_layer"] = section.first_layer;
      row["layers"] = section.layers;
      if (section.tile_row >= 0) row["tile_row"] = section.tile_row;
    }
    sections.push_back(std::move(row));
  }
  nlohmann::ordered_json json = {{"file", path},
                                 {"codec", "swift"},
                                 {"width", h.width},
                                 {"height", h.height},
                                 {"planes", h.planes},
                                 {"alpha", !s.alpha.empty()},
                                 {"from_16_bit", h.from_16_bit},
                                 {"bytes", file.bytes->size()},
                                 {"bpp", BitsPerPixel(file)},
                                 {"quality", QualityFromStepIndex(h.step_index)},
                                 {"step_index", h.step_index},
                                 {"layers", s.layers.size()},
                                 {"tile", h.tile_width},
                                 {"tile_height", h.tile_height},
                                 {"order", h.order == ImageOrder::kRows ? "rows" : "layers"},
                                 {"entropy", entropy},
                                 {"model", ModelIdHex(h.model_id)},
                                 {"model_name", nullptr},
                                 {"sections", std::move(sections)}};
  if (model != nullptr) json["model_name"] = model->name.empty() ? model->file : model->name;
  console.PrintJson(json);
}

int RunInfo(std::span<const std::string> args, Console& console) {
  std::vector<std::string> files, folders;
  DecodeLimits limits;
  OptionParser parser(console, kSummary);
  parser.Positionals("FILE", &files);
  AddModelFolderOption(parser, &folders);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"}, &limits.max_pixels);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  Result<ModelChoice> models = ModelChoice::Open(folders);
  if (!models.ok()) return console.Fail(models.status());
  int exit = kExitOk;  // the first failure's; the other files are shown all the same
  for (const std::string& path : files) {
    const auto fail = [&](const Status& status) {
      const int code = console.Fail(status);
      if (exit == kExitOk) exit = code;
    };
    Result<Bytes> bytes = ReadFile(path, limits.max_memory_bytes);
    if (!bytes.ok()) {
      fail(bytes.status());
      continue;
    }
    if (HoldsSound(*bytes)) {
      const Status status = PrintSoundInfo(path, *bytes, limits, *models, console);
      if (!status.ok()) fail(status.WithPrefix(InputName(path) + ": "));
      continue;
    }
    if (HoldsArray(*bytes)) {
      const Status status = PrintArrayInfo(path, *bytes, limits, console);
      if (!status.ok()) fail(status.WithPrefix(InputName(path) + ": "));
      continue;
    }
    const Result<StreamFile> file = ParseStreamFile(path, *std::move(bytes), {.limits = limits});
    if (!file.ok()) {
      fail(file.status());
      continue;
    }
    const ModelEntry* const model = models->registry().Find(file->stream.header.model_id);
    if (console.json) {
      PrintObject(path, *file, model, models->EntropyName(file->stream.header), console);
    } else {
      PrintText(path, *file, model, models->EntropyName(file->stream.header), console.out);
    }
  }
  return exit;
}

}  // namespace

const Command kInfoCommand{"info", "what is in .gdw files", RunInfo};

}  // namespace godwit
