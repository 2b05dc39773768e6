// apps/repack_command.cc: godwit repack IN OUT
#include <chrono>
#include <nlohmann/json.hpp>

#include "apps/array_commands.h"
#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "apps/stream_file.h"
#include "codecs/image/image_packets.h"
#include "codecs/image/image_repack.h"
#include "fmt/core.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr std::string_view kSummary =
    "Codes a .gdw picture's symbols anew: with `mid` or `full` entropy coding in fewer bytes, "
    "with\n"
    "`lite` in bytes that are read faster. Nothing is lost: back and forth gives the same file.\n"
    "Profile, tags and alpha are kept. IN may be packets of a picture, and with --packets OUT is.\n"
    "\"-\" is standard input or output.";

struct Arguments {
  std::string in, out, entropy;
  std::vector<std::string> model_folders;
  ImageRepackOptions options;
  ImagePacketOptions packets{.packet_bytes = 0};  // 0: a .gdw file
  bool overwrite = false;
};

struct Outcome {
  size_t bytes_in = 0, bytes_out = 0;
  std::string from;
  ImageHeader header;
};

Result<Outcome> CutIntoPackets(const Arguments& a, const StreamFile& file,
                               const std::string& from) {
  const Result<Bytes> packets = WriteImagePackets(*file.bytes, a.packets, a.options.limits);
  if (!packets.ok()) return packets.status().WithPrefix(InputName(a.in) + ": ");
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  GODWIT_RETURN_IF_ERROR(output.Write(*packets));
  GODWIT_RETURN_IF_ERROR(output.Commit());
  return Outcome{file.bytes->size(), packets->size(), from, file.stream.header};
}

// With the entropy model of the stream, and with the one that is asked for.
struct Models {
  ImageModel from, to;
};

Result<Models> FindModels(const Arguments& a, const ImageHeader& header, ModelChoice& choice) {
  GODWIT_ASSIGN_OR_RETURN(ImageModel from, choice.ForStream(header));
  GODWIT_ASSIGN_OR_RETURN(ImageModel to, choice.ForStream(header.model_id));
  GODWIT_RETURN_IF_ERROR(choice.AddEntropy(to, a.entropy));
  return Models{std::move(from), std::move(to)};
}

// From one entropy model to another by way of `lite`.
Result<Bytes> RepackTo(const ImageRepackOptions& options, const ImageStream& stream,
                       const Models& models) {
  const auto *const from = models.from.full(), *const to = models.to.full();
  ImageRepackOptions lite = options, other = options;
  lite.entropy = ImageEntropy::kLite;
  other.entropy = ImageEntropy::kFull;
  if (to == nullptr) return RepackImage(stream, models.from, lite);
  if (from == nullptr ||
      stream.header.entropy_id == static_cast<uint32_t>(models.to.entropy_model_id()))
    return RepackImage(stream, models.to, other);
  GODWIT_ASSIGN_OR_RETURN(const Bytes between, RepackImage(stream, models.from, lite));
  GODWIT_ASSIGN_OR_RETURN(const ImageStream plain, ParseImageStream(between, options.limits));
  return RepackImage(plain, models.to, other);
}

Result<Outcome> Repack(const Arguments& a) {
  const std::string place = InputName(a.in) + ": ";
  GODWIT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(a.in, a.options.limits.max_memory_bytes));
  if (HoldsArray(bytes)) {
    return Status(StatusCode::kUnsupported,
                  place + "holds an array; arrays have one entropy coding");
  }
  GODWIT_ASSIGN_OR_RETURN(const StreamFile file,
                          ParseStreamFile(a.in, std::move(bytes), {.limits = a.options.limits}));
  GODWIT_ASSIGN_OR_RETURN(ModelChoice models, ModelChoice::Open(a.model_folders));
  const std::string from = models.EntropyName(file.stream.header);
  if (a.packets.packet_bytes > 0) return CutIntoPackets(a, file, from);
  const Result<Models> found = FindModels(a, file.stream.header, models);
  if (!found.ok()) return found.status().WithPrefix(place);
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile output, AtomicOutputFile::Create(a.out, a.overwrite));
  const Result<Bytes> packed = RepackTo(a.options, file.stream, *found);
  if (!packed.ok()) return packed.status().WithPrefix(place);
  GODWIT_RETURN_IF_ERROR(output.Write(*packed));
  GODWIT_RETURN_IF_ERROR(output.Commit());
  return Outcome{file.bytes->size(), packed->size(), from, file.stream.header};
}

int RunRepack(std::span<const std::string> args, Console& console) {
  Arguments a;
  OptionParser parser(console, kSummary);
  parser.Positional("IN", &a.in);
  parser.Positional("OUT", &a.out);
  parser.Choice({"--entropy", "NAME", "full (the default), mid or lite"}, &a.entropy,
                {"full", "mid", "lite"});
  int packet_bytes = 0, picture = 0;
  parser.Integer({"--packets", "N",
                  "write packets of up to N bytes, 64 to 65535, of a picture in the\n"
                  "order of rows, as they are"},
                 &packet_bytes, 64, 65535);
  parser.Integer({"--picture", "N", "number of the picture in its packets, default 0"}, &picture, 0,
                 65535);
  AddModelFolderOption(parser, &a.model_folders);
  parser.Flag({"-f,--force", "", "replace an existing output"}, &a.overwrite);
  parser.Integer({"-j,--threads", "N", "threads to use; default: all cores"}, &a.options.threads, 1,
                 1024);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"},
               &a.options.limits.max_pixels);
  parser.Count({"--max-memory", "N", "refuse what takes more bytes; default 4Gi"},
               &a.options.limits.max_memory_bytes);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  if (a.out == "-" && console.json) {
    return console.FailUsage("--json and the output would both go to standard output");
  }
  if (packet_bytes > 0 && !a.entropy.empty()) {
    return console.FailUsage("--packets carry the picture's bytes as they are: no --entropy");
  }
  if (packet_bytes == 0 && picture != 0) return console.FailUsage("--picture needs --packets");
  a.packets.packet_bytes = static_cast<uint32_t>(packet_bytes);
  a.packets.picture = static_cast<uint16_t>(picture);
  if (a.entropy.empty()) a.entropy = "full";
  const auto start = std::chrono::steady_clock::now();
  const Result<Outcome> outcome = Repack(a);
  if (!outcome.ok()) return console.Fail(outcome.status());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  if (console.json) {
    console.PrintJson({{"input", a.in},
                       {"output", a.out},
                       {"from", outcome->from},
                       {"entropy", packet_bytes > 0 ? outcome->from : a.entropy},
                       {"bytes_in", outcome->bytes_in},
                       {"bytes", outcome->bytes_out},
                       {"width", outcome->header.width},
                       {"height", outcome->header.height},
                       {"model", ModelIdHex(outcome->header.model_id)},
                       {"seconds", spent.count()}});
    return kExitOk;
  }
  const double saved =
      100 * (1 - static_cast<double>(outcome->bytes_out) / static_cast<double>(outcome->bytes_in));
  console.Note(fmt::format("{}: {} to {}, {} to {} bytes ({:+.1f} %), {:.2f} s",
                           a.out == "-" ? "standard output" : a.out, outcome->from,
                           packet_bytes > 0 ? "packets" : a.entropy, outcome->bytes_in,
                           outcome->bytes_out, -saved, spent.count()));
  return kExitOk;
}

}  // namespace

const Command kRepackCommand{"repack", "the same picture with another entropy coding", RunRepack};

}  // namespace godwit
