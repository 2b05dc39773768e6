// apps/compare_command.cc: godwit compare A B
#include <nlohmann/json.hpp>

#include "apps/array_commands.h"
#include "apps/array_file.h"
#include "apps/command.h"
#include "apps/option_parser.h"
#include "apps/picture_source.h"
#include "apps/sound_commands.h"
#include "apps/sound_file.h"
#include "eval/picture_error.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Compares two pictures of one size and kind: PSNR of all colour samples together, peak 255.\n"
    "Alpha is apart. Or two arrays (.npy, .nii, .nii.gz): the peak is the range of A. Or two\n"
    "sounds: SI-SDR and SNR.";

struct Outcome {
  PictureError error;
  ImageInfo info;
};

Result<Outcome> Compare(const std::string& path_a, const std::string& path_b,
                        const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(PictureSource a, PictureSource::Open(path_a, limits, /*again=*/false));
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<ImageReader> b, OpenImage(path_b, limits));
  const ImageInfo &p = a.info(), &q = b->info();
  if (p.width != q.width || p.height != q.height || p.channels != q.channels) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("{}: {}x{} with {} channels, but {}: {}x{} with {}", path_a, p.width, p.height,
                    int{p.channels}, path_b, q.width, q.height, int{q.channels}));
  }
  Outcome outcome;
  Tensor<uint8_t> strip(StripRows(q.width, q.channels, q.height), q.width, q.channels);
  const auto compare = [&](TensorView<const uint8_t> rows) -> Status {
    const TensorView<uint8_t> other = strip.view().Window(0, 0, rows.height, rows.width);
    GODWIT_RETURN_IF_ERROR(b->ReadRows(other));
    outcome.error.Add(rows, other);
    return {};
  };
  GODWIT_RETURN_IF_ERROR(a.ForEachStrip(compare));
  outcome.info = a.info();
  return outcome;
}

int RunCompare(std::span<const std::string> args, Console& console) {
  std::string path_a, path_b;
  DecodeLimits limits;
  OptionParser parser(console, kSummary);
  parser.Positional("A", &path_a);
  parser.Positional("B", &path_b);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"}, &limits.max_pixels);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  if (path_a == "-" && path_b == "-") {
    return console.FailUsage("only one of the pictures can be standard input");
  }
  if (BeginsLikeSound(path_a) && BeginsLikeSound(path_b)) {
    const Status status = CompareSounds(path_a, path_b, limits, console);
    return status.ok() ? kExitOk : console.Fail(status);
  }
  if (BeginsLikeArray(path_a) && BeginsLikeArray(path_b)) {
    const Status status = CompareArrays(path_a, path_b, limits, console);
    return status.ok() ? kExitOk : console.Fail(status);
  }
  const Result<Outcome> outcome = Compare(path_a, path_b, limits);
  if (!outcome.ok()) return console.Fail(outcome.status());
  const PictureError& error = outcome->error;
  const bool alpha = outcome->info.channels % 2 == 0;
  if (console.json) {
    nlohmann::ordered_json json = {{"a", path_a},
                                   {"b", path_b},
                                   {"width", outcome->info.width},
                                   {"height", outcome->info.height},
                                   {"channels", outcome->info.channels},
                                   {"psnr_db", error.psnr_db()},  // null where equal
                                   {"mse", error.mse()},
                                   {"max_error", error.max_error()}};
    if (alpha) json["max_alpha_error"] = error.max_alpha_error();
    console.PrintJson(json);
    return kExitOk;
  }
  if (error.max_error() == 0 && error.max_alpha_error() == 0) {
    console.out << "equal\n";
    return kExitOk;
  }
  console.out << (error.max_error() == 0 ? "colours equal"
                                         : fmt::format("PSNR {:.4f} dB, largest error {}",
                                                       error.psnr_db(), error.max_error()));
  if (alpha) console.out << fmt::format(", largest alpha error {}", error.max_alpha_error());
  console.out << '\n';
  return kExitOk;
}

}  // namespace

const Command kCompareCommand{"compare", "PSNR of two pictures or arrays, SI-SDR of two sounds",
                              RunCompare};

}  // namespace godwit
