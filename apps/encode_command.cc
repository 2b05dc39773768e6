// apps/encode_command.cc: godwit encode IN OUT
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/array_commands.h"
#include "apps/array_file.h"
#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "apps/picture_encoder.h"
#include "apps/picture_source.h"
#include "apps/progress.h"
#include "apps/rate_target.h"
#include "apps/sound_commands.h"
#include "apps/sound_file.h"
#include "base/limits.h"
#include "fmt/core.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr double kDefaultQuality = 50;
constexpr int kTunedEffort = 3;         // where a metric is named and no effort
constexpr double kPsnrTolerance = 0.1;  // dB
constexpr std::string_view kSummary =
    "Encodes a PNG, JPEG, WebP, PPM, PGM or PAM picture; a .npy, .nii or .nii.gz array, which\n"
    "loses nothing unless a target is given; or sound: WAV, FLAC, Ogg, MP3, AIFF or raw samples.\n"
    "\"-\" is standard input or output.\n"
    "SIZE is in bytes: 50000, 50k (thousands) or 48Ki (of 1024).";

struct Arguments {
  std::string in, out;
  std::optional<double> quality, bpp, psnr_db;
  std::optional<double> bits_per_sample, max_error, range_error, relative_error;  // of arrays
  std::optional<uint64_t> size_bytes;
  std::optional<double> kbps;
  std::string codec, entropy = "lite", model, axes, raw,
                     method = "auto";  // codec empty: by what IN is
  std::string synthesis, order = "layers", tile_text, tune_name = "psnr";
  std::vector<std::string> model_folders;
  int layers = 8, threads = 0, rate_hz = 0;
  int effort = 0;  // 0: as `tune` wants
  uint32_t tile = 0, tile_height = 0;
  ImageTune tune = ImageTune::kPsnr;
  bool overwrite = false, strip = false, report_psnr = false, lossless = false;
  bool live = false;
  DecodeLimits limits;

  bool searches() const { return bpp || psnr_db || size_bytes; }
  bool asks_for_array() const {
    return bits_per_sample || max_error || range_error || relative_error || lossless ||
           !axes.empty() || method != "auto";
  }
};

// "N" or "WxH" in pixels, powers of two.
bool ParseTile(std::string_view text, uint32_t* width, uint32_t* height) {
  uint32_t* const sides[] = {width, height};
  const size_t by = text.find('x');
  const std::string_view parts[] = {text.substr(0, by),
                                    by == text.npos ? text.substr(0, 0) : text.substr(by + 1)};
  const size_t count = by == text.npos ? 1 : 2;
  for (size_t i = 0; i < count; ++i) {
    uint32_t n = 0;
    const char* const end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, n);
    const uint32_t most = i == 0 && count == 2 ? 1u << 19 : 4096;
    if (error != std::errc() || stop != end || !std::has_single_bit(n) || n < 32 || n > most)
      return false;
    *sides[i] = n;
  }
  return true;
}

std::optional<int> ParseArguments(std::span<const std::string> args, Console& console,
                                  Arguments* a) {
  OptionParser parser(console, kSummary);
  parser.Positional("IN", &a->in);
  parser.Positional("OUT", &a->out);
  parser.Real({"-q,--quality", "Q", "0 (smallest) to 100 (best), default 50"}, &a->quality, 0, 100);
  parser.Real({"--bpp", "R", "at most R bits a pixel; of arrays, a sample"}, &a->bpp, 1e-6, 1000);
  parser.Real({"--kbps", "R", "sound: at most R thousand bits a second"}, &a->kbps, 0.1, 100000);
  parser.Count({"--size", "SIZE", "at most this size: the best file that fits"}, &a->size_bytes);
  parser.Real({"--psnr", "DB", "the smallest file that decodes to this PSNR"}, &a->psnr_db, 1, 100);
  parser.Flag({"--lossless", "", "arrays: lose nothing, as without a target"}, &a->lossless);
  parser.Real({"--max-error", "E", "arrays: no sample is off by more than E"}, &a->max_error, 0,
              1e300);
  parser.Real({"--range-error", "R", "the same in parts of the array's range: 0.001"},
              &a->range_error, 0, 1);
  parser.Real({"--relative-error", "R", "arrays: no sample is off by more than R times itself"},
              &a->relative_error, 0, 1);
  parser.Real({"--bps", "R", "arrays: at most R bits a sample"}, &a->bits_per_sample, 1e-6, 64);
  parser.Choice({"--method", "NAME",
                 "arrays with -q, --size, --bps or --psnr: auto (default), wavelet,\n"
                 "live, which a model was trained for, or\n"
                 "predict, which also bounds the error and loses nothing"},
                &a->method, {"auto", "wavelet", "live", "predict"});
  parser.Exclusive({"--quality", "--bpp", "--size", "--psnr", "--lossless", "--max-error",
                    "--range-error", "--relative-error", "--bps", "--kbps"});
  parser.Text({"--axes", "LIST", "arrays: the axes that hold channels, as 0,3; or none"}, &a->axes);
  parser.Integer({"--effort", "N",
                  "pictures: 1 (default) to 9, slower for fewer bits at about the\n"
                  "same quality; from 4 on for one synthesis above others"},
                 &a->effort, 1, kMaxImageEffort);
  parser.Choice({"--tune", "METRIC",
                 "pictures: what is to be best for its bits, psnr (default) or\n"
                 "msssim; without --effort, that is 3 for msssim"},
                &a->tune_name, {"psnr", "msssim"});
  parser.Text({"--synthesis", "NAME",
               "the one to aim at and to measure with: small, medium\n"
               "(default), large, huge, a model file, or none"},
              &a->synthesis);
  parser.Text({"--raw", "FORMAT",
               "sound without a header: RATE,CHANNELS or RATE,CHANNELS,TYPE,\n"
               "TYPE s16 (default), s32 or f32"},
              &a->raw);
  parser.Integer({"--rate", "HZ", "sound: at this sampling rate; default: that of IN"}, &a->rate_hz,
                 1000, 768000);
  parser.Flag({"--live", "", "sound: each frame on its own way as soon as it is coded"}, &a->live);
  parser.Choice({"--codec", "NAME",
                 "swift (pictures), packet (arrays; sound too), music or voice;\n"
                 "default: by what IN is"},
                &a->codec, {"swift", "packet", "music", "voice"});
  parser.Choice(
      {"--entropy", "NAME", "pictures: lite (default), mid or full: smaller, slower to decode"},
      &a->entropy, {"lite", "mid", "full"});
  parser.Text({"--model", "ID|FILE",
               "stream model: its 16 hex digits, or a file; of\n"
               "sound also none, untrained"},
              &a->model);
  AddModelFolderOption(parser, &a->model_folders);
  parser.Integer({"--layers", "N", "1 to 8: leave out the finest layers"}, &a->layers, 1, 8);
  parser.Text({"--tile", "N|WxH",
               "side of a tile in pixels, or width and height: powers of\n"
               "two from 32 to 4096, widths of WxH to 524288"},
              &a->tile_text);
  parser.Choice({"--order", "NAME",
                 "layers (default), so that any prefix is a picture, or rows,\n"
                 "so that a sensor could write it: by rows of tiles"},
                &a->order, {"layers", "rows"});
  parser.Flag({"--strip", "", "leave out colour profile, EXIF and XMP"}, &a->strip);
  parser.Flag({"--report-psnr", "", "decode the result and say its PSNR"}, &a->report_psnr);
  parser.Flag({"-f,--force", "", "replace an existing output"}, &a->overwrite);
  parser.Integer({"-j,--threads", "N", "threads to use; default: all cores"}, &a->threads, 1, 1024);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"},
               &a->limits.max_pixels);
  parser.Count({"--max-memory", "N", "refuse what takes more bytes; default 4Gi"},
               &a->limits.max_memory_bytes);
  if (const std::optional<int> exit = parser.Parse(args)) return exit;
  if (!a->tile_text.empty() && !ParseTile(a->tile_text, &a->tile, &a->tile_height)) {
    return console.FailUsage(fmt::format(
        "--tile {}: is no power of two from 32 to 4096, nor two of them as WxH", a->tile_text));
  }
  if (a->tune_name == "msssim") a->tune = ImageTune::kMsssim;
  if (a->effort == 0) a->effort = a->tune == ImageTune::kPsnr ? 1 : kTunedEffort;
  return std::nullopt;
}

struct Outcome {
  EncodedPicture picture;
  ImageInfo info;
  uint64_t model_id = 0;
  std::string synthesis;  // that PSNR was measured with; empty: not measured
};

uint64_t BytesForRate(double bpp, uint64_t pixels) {
  return static_cast<uint64_t>(std::floor(bpp * static_cast<double>(pixels) / 8));
}

Result<EncodedPicture> EncodePicture(const Arguments& a, const Console& console,
                                     PictureEncoder& encoder, uint64_t pixels,
                                     const std::optional<ImageSynthesis>& synthesis) {
  const EncodeAt encode = [&](int step_index, int layers) -> Result<EncodedPicture> {
    GODWIT_ASSIGN_OR_RETURN(EncodedPicture picture, encoder.Encode(step_index, layers));
    console.Detail(
        fmt::format("step {}, {} layers: {} bytes", step_index, layers, picture.stream.size()));
    return picture;
  };
  const MeasurePsnr measure = [&](const Bytes& stream) -> Result<double> {
    GODWIT_ASSIGN_OR_RETURN(const double psnr_db, encoder.Psnr(stream, synthesis, a.limits));
    console.Detail(fmt::format("PSNR {:.3f} dB", psnr_db));
    return psnr_db;
  };
  if (a.psnr_db) return EncodeToPsnr(*a.psnr_db, a.layers, encode, measure);
  Result<EncodedPicture> picture =
      a.size_bytes ? EncodeToSize(*a.size_bytes, a.layers, encode)
      : a.bpp      ? EncodeToSize(BytesForRate(*a.bpp, pixels), a.layers, encode)
              : encode(StepIndexFromQuality(a.quality.value_or(kDefaultQuality), a.effort, a.tune),
                       a.layers);
  if (picture.ok() && a.report_psnr) {
    GODWIT_ASSIGN_OR_RETURN(picture->psnr_db, measure(picture->stream));
  }
  return picture;
}

Result<Outcome> Encode(const Arguments& a, const Console& console) {
  const bool measures = a.psnr_db || a.report_psnr;
  GODWIT_ASSIGN_OR_RETURN(PictureSource source,
                          PictureSource::Open(a.in, a.limits, a.searches() || measures));
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  Result<ImageModel> model = models.ForEncoding(a.model, "swift");
  if (!model.ok()) return model.status().WithPrefix(place);
  if (const Status status = models.AddEntropy(*model, a.entropy); !status.ok())
    return status.WithPrefix(place);
  const ImageEntropy entropy = a.entropy == "lite" ? ImageEntropy::kLite : ImageEntropy::kFull;
  std::optional<ImageSynthesis> synthesis;
  if (measures || a.effort >= kFirstNetworkImageEffort || !a.synthesis.empty()) {
    Result<std::optional<ImageSynthesis>> best = models.Synthesis(model->id(), a.synthesis);
    if (best.ok()) {
      synthesis = std::move(*best);
    } else if (best.status().code() != StatusCode::kModelMissing || !a.synthesis.empty()) {
      return best.status().WithPrefix(place);
    }
  }
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  const int passes = (a.searches() ? kSearchPasses : 1) * (a.psnr_db ? 2 : 1) + a.report_psnr;
  Progress progress(console, "encode", passes);
  ImageEncodeOptions options;
  options.tile = a.tile;
  options.tile_height = a.tile_height;
  options.order = a.order == "rows" ? ImageOrder::kRows : ImageOrder::kLayers;
  options.threads = a.threads;
  options.effort = a.effort;
  options.tune = a.tune;
  options.entropy = entropy;
  options.synthesis = synthesis ? &*synthesis : nullptr;
  options.max_memory_bytes = a.limits.max_memory_bytes;
  PictureEncoder encoder(source, *model, options, a.strip, entropy, progress);
  Outcome outcome;
  Result<EncodedPicture> picture = EncodePicture(a, console, encoder, source.pixels(), synthesis);
  if (!picture.ok()) {  // what the reader says has the name already
    const bool named = picture.status().message().starts_with(place);
    return named ? picture.status() : picture.status().WithPrefix(place);
  }
  outcome.picture = *std::move(picture);
  GODWIT_RETURN_IF_ERROR(output.Write(outcome.picture.stream));
  GODWIT_RETURN_IF_ERROR(output.Commit());
  outcome.info = source.info();
  outcome.model_id = model->id();
  if (measures) outcome.synthesis = SynthesisName(synthesis);
  return outcome;
}

void ReportTarget(const Arguments& a, const EncodedPicture& picture, const Console& console) {
  if (!a.psnr_db) return;
  if (picture.psnr_db < *a.psnr_db) {
    console.Note(fmt::format("{}: {:.2f} dB is out of reach; the best is {:.2f} dB",
                             InputName(a.in), *a.psnr_db, picture.psnr_db));
  } else if (picture.psnr_db > *a.psnr_db + kPsnrTolerance) {
    console.Note(fmt::format("{}: the nearest step above {:.2f} dB gives {:.2f} dB",
                             InputName(a.in), *a.psnr_db, picture.psnr_db));
  }
}

void Report(const Arguments& a, const Outcome& outcome, double seconds, const Console& console) {
  const EncodedPicture& picture = outcome.picture;
  const ImageInfo& info = outcome.info;
  const double bpp = 8.0 * static_cast<double>(picture.stream.size()) /
                     (static_cast<double>(info.width) * info.height);
  const double quality = QualityFromStepIndex(picture.step_index, a.effort, a.tune);
  if (info.bit_depth > 8) {
    console.Note(fmt::format("{}: {}-bit samples are carried at 8 bits", InputName(a.in),
                             int{info.bit_depth}));
  }
  ReportTarget(a, picture, console);
  if (console.json) {
    nlohmann::ordered_json json = {{"input", a.in},
                                   {"output", a.out},
                                   {"bytes", picture.stream.size()},
                                   {"bpp", bpp},
                                   {"width", info.width},
                                   {"height", info.height},
                                   {"channels", info.channels},
                                   {"quality", quality},
                                   {"step_index", picture.step_index},
                                   {"layers", picture.layers},
                                   {"effort", a.effort},
                                   {"tune", a.tune_name},
                                   {"codec", "swift"},
                                   {"entropy", a.entropy},
                                   {"model", ModelIdHex(outcome.model_id)},
                                   {"seconds", seconds}};
    if (!outcome.synthesis.empty()) {
      json["psnr_db"] = picture.psnr_db;  // infinity becomes null
      json["synthesis"] = outcome.synthesis;
    }
    console.PrintJson(json);
    return;
  }
  std::string psnr;
  if (!outcome.synthesis.empty()) {
    psnr = fmt::format(", {:.2f} dB ({} synthesis)", picture.psnr_db, outcome.synthesis);
  }
  console.Note(fmt::format("{}: {}x{}, {} bytes, {:.4g} bit/pixel, quality {:.4g}{}, {:.2f} s",
                           a.out == "-" ? "standard output" : a.out, info.width, info.height,
                           picture.stream.size(), bpp, quality, psnr, seconds));
}

int RunEncodeArray(const Arguments& a, const Console& console) {
  const bool bounded = a.lossless || a.max_error || a.range_error || a.relative_error;
  if (bounded && (a.method == "wavelet" || a.method == "live")) {
    return console.FailUsage("--method " + a.method + " promises no error; leave one of them out");
  }
  ArrayEncodeArguments array{.in = a.in,
                             .out = a.out,
                             .quality = a.quality,
                             .bits_per_sample = a.bpp ? a.bpp : a.bits_per_sample,
                             .psnr_db = a.psnr_db,
                             .max_error = a.max_error,
                             .range_error = a.range_error,
                             .relative_error = a.relative_error,
                             .size_bytes = a.size_bytes,
                             .channel_axes = {},
                             .method = a.method,
                             .model = a.model,
                             .model_folders = a.model_folders,
                             .threads = a.threads,
                             .overwrite = a.overwrite,
                             .report_psnr = a.report_psnr,
                             .limits = a.limits};
  if (!a.axes.empty()) {
    array.channel_axes = ParseAxes(a.axes);
    if (!array.channel_axes) {
      return console.FailUsage("--axes " + a.axes + ": is no list of axes from 0 to 3");
    }
  }
  const Status status = EncodeArrayFile(array, console);
  return status.ok() ? kExitOk : console.Fail(status);
}

bool AsksForSound(const Arguments& a) {
  return a.codec == "music" || a.codec == "voice" || a.kbps || !a.raw.empty() || a.live ||
         a.rate_hz != 0;
}

int RunEncodeSound(const Arguments& a, const Console& console) {
  if (a.bpp || a.psnr_db) {
    return console.FailUsage("--bpp and --psnr are not for sound; --kbps and --quality are");
  }
  const Status status = EncodeSoundFile({.in = a.in,
                                         .out = a.out,
                                         .codec = a.codec,
                                         .model = a.model,
                                         .model_folders = a.model_folders,
                                         .raw = a.raw,
                                         .quality = a.quality,
                                         .kbps = a.kbps,
                                         .size_bytes = a.size_bytes,
                                         .rate_hz = a.rate_hz,
                                         .live = a.live,
                                         .strip = a.strip,
                                         .overwrite = a.overwrite,
                                         .limits = a.limits},
                                        console);
  return status.ok() ? kExitOk : console.Fail(status);
}

int RunEncode(std::span<const std::string> args, Console& console) {
  Arguments a;
  if (const std::optional<int> exit = ParseArguments(args, console, &a)) return *exit;
  if (a.out == "-" && console.json) {
    return console.FailUsage("--json and the output would both go to standard output");
  }
  const bool array = a.asks_for_array() || a.codec == "packet";
  if (AsksForSound(a) || (!array && a.codec.empty() && BeginsLikeSound(a.in))) {
    if (array) return console.FailUsage("these options do not go together: arrays and sound");
    return RunEncodeSound(a, console);
  }
  if (a.codec != "swift" &&
      (BeginsLikeArray(a.in) || (array && (a.in == "-" || BeginsLikeAudio(a.in))))) {
    return RunEncodeArray(a, console);
  }
  if (array) {
    return console.FailUsage(
        "--lossless, --max-error, --range-error, --relative-error, --bps, --axes and --method are "
        "for arrays, and " +
        InputName(a.in) + " holds none");
  }
  const auto start = std::chrono::steady_clock::now();
  const Result<Outcome> outcome = Encode(a, console);
  if (!outcome.ok()) return console.Fail(outcome.status());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  Report(a, *outcome, spent.count(), console);
  return kExitOk;
}

}  // namespace

const Command kEncodeCommand{"encode", "picture, array or sound to .gdw", RunEncode};

}  // namespace godwit
