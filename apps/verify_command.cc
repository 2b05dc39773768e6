// apps/verify_command.cc: godwit verify FILE...
#include <nlohmann/json.hpp>

#include "apps/array_commands.h"
#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "apps/picture_source.h"
#include "apps/progress.h"
#include "apps/sound_commands.h"
#include "apps/stream_file.h"
#include "codecs/image/image_decoder.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Checks that .gdw files are whole: every checksum, and every symbol is decoded; nothing is\n"
    "written. Prints \"FILE: ok\", or the first error on standard error. With --json, one object\n"
    "a line and file.";

Status Verify(const std::string& path, const ImageDecodeOptions& options, ModelChoice& models,
              const Console& console) {
  const std::string place = InputName(path) + ": ";
  GODWIT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path, options.limits.max_memory_bytes));
  if (HoldsSound(bytes)) return VerifySound(bytes, options.limits, models).WithPrefix(place);
  if (HoldsArray(bytes)) {
    return VerifyArray(bytes, options.limits, options.threads, models).WithPrefix(place);
  }
  GODWIT_ASSIGN_OR_RETURN(const StreamFile file,
                          ParseStreamFile(path, std::move(bytes), {.limits = options.limits}));
  const Result<ImageModel> model = models.ForStream(file.stream.header);
  if (!model.ok()) return model.status().WithPrefix(place);
  // A synthesis accepts all symbols, so that it would find nothing more.
  Result<ImageDecoder> decoder = ImageDecoder::Create(file.stream, *model, nullptr, options);
  if (!decoder.ok()) return decoder.status().WithPrefix(place);
  const int64_t height = decoder->height(), width = decoder->width();
  const int64_t strip = StripRows(decoder->width(), decoder->channels(), decoder->height());
  Tensor<uint8_t> buffer(strip, width, decoder->channels());
  Progress progress(console, "verify", 1);
  for (int64_t y = 0; y < height; y += strip) {
    const auto rows = buffer.view().Window(0, 0, std::min(strip, height - y), width);
    const Status status = decoder->ReadRows(rows);
    if (!status.ok()) return status.WithPrefix(place);
    progress.Advance(static_cast<double>(rows.height) / static_cast<double>(height));
  }
  return {};
}

int RunVerify(std::span<const std::string> args, Console& console) {
  std::vector<std::string> files, folders;
  ImageDecodeOptions options;
  OptionParser parser(console, kSummary);
  parser.Positionals("FILE", &files);
  AddModelFolderOption(parser, &folders);
  parser.Integer({"-j,--threads", "N", "threads to use; default: all cores"}, &options.threads, 1,
                 1024);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"},
               &options.limits.max_pixels);
  parser.Count({"--max-memory", "N", "refuse what takes more bytes; default 4Gi"},
               &options.limits.max_memory_bytes);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  Result<ModelChoice> models = ModelChoice::Open(folders);
  if (!models.ok()) return console.Fail(models.status());
  int exit = kExitOk;  // the first failure's; the other files are checked all the same
  for (const std::string& path : files) {
    const Status status = Verify(path, options, *models, console);
    const int code = status.ok() ? kExitOk : console.Fail(status);
    if (exit == kExitOk) exit = code;
    if (console.json) {
      nlohmann::ordered_json json = {{"file", path}, {"ok", status.ok()}, {"exit_code", code}};
      if (!status.ok()) json["error"] = status.message();
      console.PrintJson(json);
    } else if (status.ok() && !console.quiet) {
      console.out << InputName(path) << ": ok\n";
    }
  }
  return exit;
}

}  // namespace

const Command kVerifyCommand{"verify", "check that .gdw files are whole", RunVerify};

}  // namespace godwit
