// apps/decode_command.cc: godwit decode IN OUT
#include <chrono>
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
#include "codecs/image/image_packets.h"
#include "fmt/core.h"
#include "io/image_writer.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Decodes a picture to PNG, JPEG, PPM, PGM or PAM and a sound to WAV, FLAC or raw samples, by\n"
    "the suffix of OUT or --format, and an array to .npy. \"-\" is standard input or output.";

struct Arguments {
  std::string in, out, synthesis, region, slice, format;
  std::vector<std::string> model_folders;
  int layers = 8, threads = 0, jpeg_quality = 95;
  bool overwrite = false, strip = false, allow_truncated = false, conceal = false;
  std::optional<uint16_t> picture;  // of packets
  ImageDecodeOptions options;
};

constexpr uint64_t kMaxCoordinate = uint64_t{1} << 31;  // the format's largest side

// "X,Y,W,H" in pixels.
bool ParseRegion(std::string_view text, ImageRegion* region) {
  uint32_t* const fields[] = {&region->x, &region->y, &region->width, &region->height};
  for (size_t i = 0; i < 4; ++i) {
    const size_t comma = text.find(',');
    if ((comma == text.npos) != (i == 3)) return false;
    const std::string_view digits = text.substr(0, comma);
    if (digits.empty()) return false;
    uint64_t number = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return false;
      number = number * 10 + static_cast<uint64_t>(c - '0');
      if (number > kMaxCoordinate) return false;
    }
    *fields[i] = static_cast<uint32_t>(number);
    text.remove_prefix(i == 3 ? 0 : comma + 1);
  }
  return region->width > 0 && region->height > 0;
}

std::optional<int> ParseArguments(std::span<const std::string> args, Console& console,
                                  Arguments* a) {
  OptionParser parser(console, kSummary);
  parser.Positional("IN", &a->in);
  parser.Positional("OUT", &a->out);
  parser.Text({"--synthesis", "NAME",
               "small, medium (default), large, huge, a model file, or none\n"
               "for the plain inverse transform; arrays: none by default"},
              &a->synthesis);
  AddModelFolderOption(parser, &a->model_folders);
  parser.Integer({"--layers", "N", "1 to 8: decode the coarsest N layers only"}, &a->layers, 1, 8);
  parser.Text({"--region", "X,Y,W,H", "decode this part only, in pixels"}, &a->region);
  parser.Text({"--slice", "LIST", "arrays: this part only, by axis, as 2:10,:,5"}, &a->slice);
  parser.Text({"--format", "NAME", "png, jpg, ppm, pgm or pam; wav, flac or raw"}, &a->format);
  parser.Integer({"--jpeg-quality", "N", "1 to 100, default 95"}, &a->jpeg_quality, 1, 100);
  parser.Flag({"--strip", "", "leave out colour profile, EXIF and XMP"}, &a->strip);
  parser.Flag({"--allow-truncated", "", "decode the whole layers of a file that ends early"},
              &a->allow_truncated);
  parser.Flag({"--conceal", "",
               "make up what is damaged or lost, and say what: rows of a\n"
               "picture, frames of sound"},
              &a->conceal);
  int picture = -1;
  parser.Integer({"--picture", "N", "packets: decode the picture with this number"}, &picture, 0,
                 65535);
  parser.Flag({"-f,--force", "", "replace an existing output"}, &a->overwrite);
  parser.Integer({"-j,--threads", "N", "threads to use; default: all cores"}, &a->threads, 1, 1024);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"},
               &a->options.limits.max_pixels);
  parser.Count({"--max-memory", "N", "refuse what takes more bytes; default 4Gi"},
               &a->options.limits.max_memory_bytes);
  if (const std::optional<int> exit = parser.Parse(args)) return exit;
  if (!a->region.empty() && !ParseRegion(a->region, &a->options.region)) {
    return console.FailUsage("--region " + a->region + ": is no X,Y,W,H in pixels");
  }
  if (picture >= 0) a->picture = static_cast<uint16_t>(picture);
  a->options.layers = a->layers;
  a->options.threads = a->threads;
  return std::nullopt;
}

struct Outcome {
  uint32_t width = 0, height = 0;
  int channels = 0, layers = 0;
  uint64_t model_id = 0;
  std::string synthesis;
  bool truncated = false, lacks_alpha = false;
  ImageHeader header;
  std::vector<ImageLoss> losses;
  std::vector<std::string> damage;
  uint64_t missing_packets = 0;
};

Status CopyRows(ImageDecoder& decoder, ImageWriter& writer, const std::string& place,
                Progress& progress) {
  const int64_t height = decoder.height(), width = decoder.width();
  const int64_t strip = StripRows(decoder.width(), decoder.channels(), decoder.height());
  Tensor<uint8_t> buffer(strip, width, decoder.channels());
  for (int64_t y = 0; y < height; y += strip) {
    const auto rows = buffer.view().Window(0, 0, std::min(strip, height - y), width);
    if (const Status status = decoder.ReadRows(rows); !status.ok()) {
      return status.WithPrefix(place);
    }
    GODWIT_RETURN_IF_ERROR(writer.WriteRows(rows));
    progress.Advance(static_cast<double>(rows.height) / static_cast<double>(height));
  }
  return writer.Finish();
}

ImageInfo InfoOf(const ImageDecoder& decoder, const ImageStream& stream, bool strip) {
  ImageInfo info;
  info.width = decoder.width();
  info.height = decoder.height();
  info.channels = static_cast<uint8_t>(decoder.channels());
  if (strip) return info;
  info.icc.assign(stream.icc.begin(), stream.icc.end());
  info.exif.assign(stream.exif.begin(), stream.exif.end());
  info.xmp.assign(stream.xmp.begin(), stream.xmp.end());
  return info;
}

Result<Outcome> Decode(const Arguments& a, Bytes bytes, const Console& console) {
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(
      const StreamFile file,
      ParseStreamFile(a.in, std::move(bytes),
                      {a.options.limits, a.allow_truncated, a.conceal, a.picture}));
  const ImageStream& stream = file.stream;
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  const Result<ImageModel> model = models.ForStream(stream.header);
  if (!model.ok()) return model.status().WithPrefix(place);
  const Result<std::optional<ImageSynthesis>> synthesis =
      models.Synthesis(model->id(), a.synthesis);
  if (!synthesis.ok()) return synthesis.status().WithPrefix(place);
  const ImageSynthesis* const network = *synthesis ? &**synthesis : nullptr;
  Result<ImageDecoder> decoder = ImageDecoder::Create(stream, *model, network, a.options);
  if (!decoder.ok()) return decoder.status().WithPrefix(place);

  ImageWriteOptions write;
  write.overwrite = a.overwrite;
  write.jpeg_quality = a.jpeg_quality;
  write.format = a.format;
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<ImageWriter> writer,
                          CreateImage(a.out, InfoOf(*decoder, stream, a.strip), write));
  const int layers = std::min(a.layers, static_cast<int>(stream.layers.size()));
  Progress progress(console, "decode", 1);
  GODWIT_RETURN_IF_ERROR(CopyRows(*decoder, *writer, place, progress));
  return Outcome{.width = decoder->width(),
                 .height = decoder->height(),
                 .channels = decoder->channels(),
                 .layers = layers,
                 .model_id = model->id(),
                 .synthesis = SynthesisName(*synthesis),
                 .truncated = stream.truncated,
                 .lacks_alpha = stream.header.has_alpha && stream.alpha.empty(),
                 .header = stream.header,
                 .losses = stream.losses,
                 .damage = stream.damage,
                 .missing_packets = file.missing_packets};
}

void ReportLosses(const std::string& place, const Outcome& outcome, const Console& console) {
  for (const std::string& damage : outcome.damage) console.Warn(place + damage);
  if (outcome.missing_packets > 0) {
    console.Warn(fmt::format("{}{} packet{} missing", place, outcome.missing_packets,
                             outcome.missing_packets == 1 ? " is" : "s are"));
  }
  constexpr size_t kMostRows = 8;  // named of each kind
  size_t lost = 0, shorter = 0;
  for (const ImageLoss& loss : outcome.losses) {
    if (++(loss.layers == 0 ? lost : shorter) > kMostRows) continue;
    const std::string row = place + TileRowName(outcome.header, loss.tile_row);
    if (loss.layers == 0) {
      console.Warn(row + " is lost and made up");
    } else if (loss.of == 0) {
      console.Warn(fmt::format("{} has {} whole layer{}, the others are damaged", row, loss.layers,
                               loss.layers == 1 ? "" : "s"));
    } else {
      console.Warn(fmt::format("{} has {} of {} layers", row, loss.layers, loss.of));
    }
  }
  if (lost > kMostRows)
    console.Warn(fmt::format("{}and {} more rows are lost and made up", place, lost - kMostRows));
  if (shorter > kMostRows)
    console.Warn(fmt::format("{}and {} more rows lack layers", place, shorter - kMostRows));
}

// What else is not there, which of rows has been said already.
void ReportEnd(const std::string& place, const Outcome& outcome, const Console& console) {
  const std::string_view alpha = outcome.lacks_alpha ? "its alpha is missing" : "";
  const bool by_rows = outcome.header.order == ImageOrder::kRows;
  if (by_rows && !outcome.damage.empty()) {
    if (!alpha.empty()) console.Warn(fmt::format("{}{}", place, alpha));
    return;
  }
  console.Warn(fmt::format("{}{}decoded {} whole layer{}{}{}", place,
                           outcome.damage.empty() ? "ends early; " : "", outcome.layers,
                           outcome.layers == 1 ? "" : "s", alpha.empty() ? "" : "; ", alpha));
}

// Rows of tiles, as JSON.
nlohmann::json RowsOf(const Outcome& outcome, bool lost) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ImageLoss& loss : outcome.losses) {
    if ((loss.layers == 0) == lost) rows.push_back(loss.tile_row);
  }
  return rows;
}

void Report(const Arguments& a, const Outcome& outcome, double seconds, const Console& console) {
  const std::string place = InputName(a.in) + ": ";
  if (a.synthesis.empty() && outcome.synthesis != "medium") {
    console.Note(fmt::format("{}no medium synthesis at hand; used {}", place, outcome.synthesis));
  }
  ReportLosses(place, outcome, console);
  if (outcome.truncated) ReportEnd(place, outcome, console);
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"width", outcome.width},
                       {"height", outcome.height},
                       {"channels", outcome.channels},
                       {"layers", outcome.layers},
                       {"truncated", outcome.truncated},
                       {"lost_rows", RowsOf(outcome, /*lost=*/true)},
                       {"short_rows", RowsOf(outcome, /*lost=*/false)},
                       {"damage", outcome.damage},
                       {"missing_packets", outcome.missing_packets},
                       {"model", ModelIdHex(outcome.model_id)},
                       {"synthesis", outcome.synthesis},
                       {"seconds", seconds}});
    return;
  }
  console.Note(fmt::format("{}: {}x{}, {} synthesis, {:.2f} s",
                           a.out == "-" ? "standard output" : a.out, outcome.width, outcome.height,
                           outcome.synthesis, seconds));
}

// An option that says nothing to a sound or an array, or null.
const char* OptionOfPictures(const Arguments& a) {
  return a.picture              ? "--picture"
         : a.layers != 8        ? "--layers"
         : a.allow_truncated    ? "--allow-truncated"
         : a.jpeg_quality != 95 ? "--jpeg-quality"
                                : nullptr;
}

// Nothing where IN is no sound. A pipe is not looked into, since it can be read once only: then a
// format of sound says that it is one.
std::optional<int> RunDecodeSound(const Arguments& a, const Console& console) {
  const bool named = a.format == "wav" || a.format == "flac" || a.format == "raw";
  if (a.in == "-" && !named) return std::nullopt;
  Result<ByteSource> source = ByteSource::Open(a.in);
  if (!source.ok()) return std::nullopt;  // ReadFile() says it better
  if (!HoldsSound(source->Peek(16))) {
    if (a.in != "-") return std::nullopt;
    return console.Fail(Status(StatusCode::kUnreadable, "standard input: not a sound"));
  }
  if (!named && !a.format.empty()) {
    return console.FailUsage("--format " + a.format + ": a sound becomes wav, flac or raw");
  }
  if (!a.region.empty() || !a.slice.empty()) {
    return console.FailUsage("--region is for pictures and --slice for arrays, not for sound");
  }
  if (const char* const option = OptionOfPictures(a)) {
    return console.FailUsage(std::string(option) + " is for pictures, not for sound");
  }
  const Status status = DecodeSoundFile({.in = a.in,
                                         .out = a.out,
                                         .format = a.format,
                                         .model_folders = a.model_folders,
                                         .overwrite = a.overwrite,
                                         .strip = a.strip,
                                         .conceal = a.conceal,
                                         .limits = a.options.limits},
                                        *source, console);
  return status.ok() ? int{kExitOk} : int{console.Fail(status)};
}

int RunDecode(std::span<const std::string> args, Console& console) {
  Arguments a;
  if (const std::optional<int> exit = ParseArguments(args, console, &a)) return *exit;
  if (a.out == "-" && console.json) {
    return console.FailUsage("--json and the output would both go to standard output");
  }
  const auto start = std::chrono::steady_clock::now();
  if (const std::optional<int> exit = RunDecodeSound(a, console)) return *exit;
  Result<Bytes> file = ReadFile(a.in, a.options.limits.max_memory_bytes);
  if (!file.ok()) return console.Fail(file.status());
  if (HoldsArray(*file)) {
    if (!a.region.empty()) return console.FailUsage("--region is for pictures; arrays: --slice");
    const char* const option = a.conceal ? "--conceal" : OptionOfPictures(a);
    if (option != nullptr) return console.FailUsage(std::string(option) + " is not for arrays");
    const Status status = DecodeArrayFile({.in = a.in,
                                           .out = a.out,
                                           .slice = a.slice,
                                           .synthesis = a.synthesis,
                                           .model_folders = a.model_folders,
                                           .threads = a.threads,
                                           .overwrite = a.overwrite,
                                           .limits = a.options.limits},
                                          *file, console);
    return status.ok() ? kExitOk : console.Fail(status);
  }
  if (!a.slice.empty()) return console.FailUsage("--slice is for arrays; pictures: --region");
  const Result<Outcome> outcome = Decode(a, *std::move(file), console);
  if (!outcome.ok()) return console.Fail(outcome.status());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  Report(a, *outcome, spent.count(), console);
  return kExitOk;
}

}  // namespace

const Command kDecodeCommand{"decode", ".gdw to picture, array or sound", RunDecode};

}  // namespace godwit
