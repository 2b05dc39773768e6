// apps/eval_command.cc: godwit eval PATH...
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/command.h"
#include "apps/model_choice.h"
#include "apps/option_parser.h"
#include "apps/progress.h"
#include "eval/codec_table.h"
#include "eval/compare_results.h"
#include "eval/compressai.h"
#include "eval/eval_item.h"
#include "eval/peak_memory.h"
#include "eval/result_folder.h"
#include "eval/results_json.h"
#include "eval/run.h"
#include "eval/tables.h"
#include "fmt/core.h"
#include "io/audio_file.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr const char* kUsualBounds = "0,0.0001,0.001,0.01";
constexpr const char* kDefaultFolder = "eval-results";
constexpr const char* kPeakArgument = "--peak-memory-child";  // MeasurePeak(), not for people

std::string Summary() {
  std::string text =
      "Measures codecs on pictures, sounds or arrays: rate, quality and time. PATH is a folder or\n"
      "a file; results and report.html are in the folder that --out names. With --report, --merge\n"
      "and --compare, PATH is such a folder.\n";
  for (const Medium medium : {Medium::kPicture, Medium::kSound, Medium::kArray}) {
    text += fmt::format("\nCodecs of {}:\n", WordsOf(medium).many);
    for (const CodecKind& kind : CodecKinds()) {
      if (kind.medium != medium) continue;
      text += fmt::format("  {}{}\n      {}\n", kind.name, kind.options, kind.summary);
    }
    text += "Metrics: all";
    for (const Metric& metric : Metrics()) {
      if (metric.medium == medium) text += ", " + std::string(metric.name);
    }
    text += '\n';
  }
  text.pop_back();
  return text;
}

struct EvalArguments {
  std::vector<std::string> paths, codecs, metrics, folders, imports;
  std::string out, anchor, readme, media, kbps, range_error, report_bpp = "0.3";
  std::optional<double> min_overlap;
  int points = 0, repeats = 3, threads = 1, jobs = 0;
  bool resume = false, force = false, memory = false;
  bool compare = false, merge = false, report = false;
  DecodeLimits limits;
};

std::vector<std::string> SplitAtCommas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    for (size_t start = 0; start <= text.size();) {
      const size_t end = std::min(text.find(',', start), text.size());
      if (end > start) parts.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }
  return parts;
}

Result<std::vector<double>> ParseRates(const std::string& option, const std::string& text,
                                       double most) {
  std::vector<double> rates;
  for (const std::string& part : SplitAtCommas({text})) {
    char* end = nullptr;
    const double rate = std::strtod(part.c_str(), &end);
    if (*end != '\0' || !(rate > 0 && rate <= most)) {
      return Status(StatusCode::kInvalidArgument, option + " " + text + ": no rates");
    }
    rates.push_back(rate);
  }
  return rates;
}

// Of voice or of music.
std::string UsualRates(const std::string& path) {
  const auto sound = OpenAudio(path);
  const bool is_voice =
      sound.ok() && (*sound)->info().channels == 1 && (*sound)->info().rate_hz <= 16'000;
  return is_voice ? "6,12,24" : "24,48,64,96";
}

// From the largest to 0, which is lossless.
Result<std::vector<double>> ParseBounds(const std::string& text) {
  std::vector<double> bounds;
  for (const std::string& part : SplitAtCommas({text})) {
    char* end = nullptr;
    const double bound = std::strtod(part.c_str(), &end);
    if (*end != '\0' || !(bound >= 0 && bound <= 1)) {
      return Status(StatusCode::kInvalidArgument,
                    "--range-error " + text + ": no parts of a range, from 0 to 1");
    }
    bounds.push_back(bound);
  }
  std::sort(bounds.rbegin(), bounds.rend());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  return bounds;
}

CodecContext MakeContext(ModelChoice& models) {
  CodecContext context;
  context.version = GODWIT_VERSION;
  context.load_swift = [&models](const std::string& model, const std::string& synthesis,
                                 const std::string& entropy) -> Result<SwiftModels> {
    SwiftModels found;
    GODWIT_ASSIGN_OR_RETURN(ImageModel stream, models.ForEncoding(model, "swift"));
    const uint64_t id = stream.id();
    GODWIT_RETURN_IF_ERROR(models.AddEntropy(stream, entropy));
    found.stream = std::make_shared<const ImageModel>(std::move(stream));
    GODWIT_ASSIGN_OR_RETURN(std::optional<ImageSynthesis> network, models.Synthesis(id, synthesis));
    if (network) {
      GODWIT_ASSIGN_OR_RETURN(const auto file, models.SynthesisFile("swift", id, synthesis));
      found.synthesis = std::make_shared<const ImageSynthesis>(*std::move(network));
      found.synthesis_id = ModelIdHex(ModelIdOf(file->file()));
    }
    return found;
  };
  context.load_sound = [&models](const std::string& model, const std::string& codec) {
    return models.ForEncodingSound(model, codec);
  };
  context.load_array_synthesis =
      [&models](const std::string& size) -> Result<std::shared_ptr<const ArraySynthesis>> {
    GODWIT_ASSIGN_OR_RETURN(std::optional<ArraySynthesis> found, models.SynthesisOfArrays(size));
    return std::make_shared<const ArraySynthesis>(*std::move(found));
  };
  return context;
}

// What this build lacks is left out, with a note.
Result<std::vector<CodecEntry>> FindCodecs(Medium medium, const std::vector<std::string>& names,
                                           const CodecContext& context, const Console& console) {
  std::vector<CodecEntry> codecs;
  for (const std::string& name : names) {
    Result<CodecEntry> codec = FindCodec(name, context);
    if (codec.ok() && codec->medium != medium) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{} is for {}, not for {}", name, WordsOf(codec->medium).many,
                                WordsOf(medium).many));
    }
    if (codec.ok()) {
      codecs.push_back(*std::move(codec));
    } else if (codec.status().code() == StatusCode::kUnsupported) {
      console.Note("left out: " + codec.status().message());
    } else {
      return codec.status();
    }
  }
  if (!codecs.empty()) return codecs;
  return Status(StatusCode::kInvalidArgument, "no codec is left to evaluate");
}

// ---------------------------------------------------------------------------------------- signals

volatile std::sig_atomic_t g_interrupted = 0;

// The first signal lets what is being measured end; the second ends the program.
void StopOnSignal() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

// A bar on a terminal, else a line now and then.
class RunProgress {
 public:
  explicit RunProgress(const Console& console) : console_(console) {}
  void Set(double done, double total, const std::string& at) {
    if (!bar_) bar_.emplace(console_, "measuring", total);
    bar_->Advance(done - done_);
    done_ = done;
    const auto now = std::chrono::steady_clock::now();
    if (bar_->enabled() || now < next_ || total <= 0) return;
    next_ = now + std::chrono::seconds(10);
    console_.Note(fmt::format("{:3.0f} %: {}", 100 * done / total, at));
  }
  void Note(const std::string& text) {
    if (bar_) bar_->Clear();
    console_.Note(text);
  }
  void Clear() { bar_.reset(); }

 private:
  const Console& console_;
  std::optional<Progress> bar_;
  double done_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

// ------------------------------------------------------------------------------------------ modes

Status CheckFolder(const std::string& folder, const EvalArguments& a) {
  std::error_code error;
  for (const char* const name : {"results.json", kJournalName}) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    if (!std::filesystem::exists(path, error)) continue;
    if (!a.resume && !a.force) {
      return Status(StatusCode::kNotWritable,
                    path.string() + ": there are results; --resume goes on, --force starts anew");
    }
    if (a.force && !a.resume) std::filesystem::remove(path, error);
  }
  if (a.force && !a.resume) {
    std::filesystem::remove_all(std::filesystem::path(folder) / kReportPictureFolder, error);
  }
  std::filesystem::create_directories(folder, error);
  if (error) return Status(StatusCode::kNotWritable, folder + ": " + error.message());
  return {};
}

Status TakeImports(const EvalArguments& a, Results* results) {
  for (const std::string& path : a.imports) {
    GODWIT_ASSIGN_OR_RETURN(ImportedCurve curve, ReadCompressAi(path));
    Results one;
    while (results->FindCodec(curve.name) != nullptr) curve.name += " (published)";
    one.imported.push_back(std::move(curve));
    GODWIT_RETURN_IF_ERROR(MergeResults(results, one));
  }
  return {};
}

TableOptions TablesOf(const EvalArguments& a) {
  return {a.anchor, a.min_overlap.value_or(kMinOverlap)};
}

// results.json, all views of it and what standard output shows. Says where they are.
int Finish(const std::string& folder, const EvalArguments& a, Results& results,
           const Console& console) {
  const auto note = [&](const std::string& text) { console.Note(text); };
  if (const Status status = TakeImports(a, &results); !status.ok()) return console.Fail(status);
  if (!a.anchor.empty() && results.FindCodec(a.anchor) == nullptr &&
      std::none_of(results.imported.begin(), results.imported.end(),
                   [&](const ImportedCurve& c) { return c.name == a.anchor; })) {
    return console.FailUsage("--anchor " + a.anchor + ": is none of the codecs");
  }
  Status status = WriteResultsFile(folder, results);
  if (status.ok()) status = WriteResultViews(folder, results, TablesOf(a), note);
  if (status.ok() && !a.readme.empty()) {
    const Result<Bytes> old = ReadFile(a.readme, 1 << 24);
    if (!old.ok()) return console.Fail(old.status());
    const Result<std::string> text =
        ReplaceMarkedPart({reinterpret_cast<const char*>(old->data()), old->size()},
                          MarkdownSummary(results, TablesOf(a)));
    if (!text.ok()) return console.Fail(text.status().WithPrefix(a.readme + ": "));
    status = WriteTextFile(a.readme, *text);
  }
  if (!status.ok()) return console.Fail(status);
  if (console.json) {
    nlohmann::ordered_json codecs = nlohmann::ordered_json::array();
    for (const CodecRecord& codec : results.codecs) codecs.push_back(codec.name);
    console.PrintJson({{"folder", folder},
                       {"codecs", codecs},
                       {std::string(WordsOf(results.medium).many), results.items.size()},
                       {"measurements", results.measurements.size()},
                       {"failures", results.failures.size()}});
  } else {
    console.out << TerminalTable(results, TablesOf(a));
  }
  console.Note("written: " + (std::filesystem::path(folder) / "report.html").string());
  const std::string trouble = TroubleText(results);
  if (trouble.empty()) return kExitOk;
  console.Note("finished, but " + trouble);
  return kExitFailure;
}

int RunMeasurements(const EvalArguments& a, std::span<const std::string> args,
                    const Console& console) {
  RunOptions options;
  options.folder = a.out.empty() ? kDefaultFolder : a.out;
  options.program = "godwit " GODWIT_VERSION;
  options.command = "godwit eval";
  for (const std::string& arg : args) {
    // A run that was gone on with is the run that it was.
    if (arg == "--resume" || arg == "--force" || arg == "-f") continue;
    const bool plain = arg.find_first_of(" \t\n'\"\\|&;<>()$`*?{}[]#~!") == arg.npos;
    options.command += " " + (plain ? arg : "'" + arg + "'");
  }
  Result<ModelChoice> models = ModelChoice::Open(a.folders);
  if (!models.ok()) return console.Fail(models.status());
  const CodecContext context = MakeContext(*models);
  std::optional<Medium> medium;
  if (!a.media.empty() && !(medium = FindMedium(a.media))) {
    return console.FailUsage("--media " + a.media + ": there are picture, audio and array");
  }
  Result<FoundItems> found = FindItems(a.paths, medium);
  if (!found.ok()) return console.Fail(found.status());
  options.medium = found->medium;
  options.items = std::move(found->paths);
  const MediumWords& words = WordsOf(options.medium);
  const auto texts = [](const std::vector<std::string>& given, std::string_view usual) {
    return given.empty() ? std::vector<std::string>{std::string(usual)} : given;
  };
  Result<std::vector<CodecEntry>> codecs =
      FindCodecs(options.medium, SplitCodecNames(texts(a.codecs, words.codecs)), context, console);
  if (!codecs.ok()) return console.Fail(codecs.status());
  options.codecs = *std::move(codecs);
  const auto metrics =
      ParseMetricNames(options.medium, SplitAtCommas(texts(a.metrics, words.metrics)));
  if (!metrics.ok()) return console.Fail(metrics.status());
  options.metrics = *metrics;
  if (options.medium == Medium::kPicture && a.report_bpp != "none") {
    const auto rates = ParseRates("--report-bpp", a.report_bpp, 64);
    if (!rates.ok()) return console.Fail(rates.status());
    options.report_bpp = *rates;
  }
  if (!a.kbps.empty() && (options.medium != Medium::kSound || a.points > 0)) {
    return console.FailUsage(a.points > 0 ? "--kbps and --points exclude each other"
                                          : "--kbps is for sounds");
  }
  if (!a.range_error.empty() && options.medium != Medium::kArray) {
    return console.FailUsage("--range-error is for arrays");
  }
  if (options.medium == Medium::kArray) {
    const auto bounds = ParseBounds(a.range_error.empty() ? kUsualBounds : a.range_error);
    if (!bounds.ok()) return console.Fail(bounds.status());
    options.bounds = *bounds;
  }
  if (options.medium == Medium::kSound && a.points == 0) {
    const auto rates =
        ParseRates("--kbps", a.kbps.empty() ? UsualRates(options.items[0]) : a.kbps, 10'000);
    if (!rates.ok()) return console.Fail(rates.status());
    options.rates = *rates;
  }
  options.points = a.points;
  options.repeats = a.repeats;
  options.threads = a.threads;
  options.jobs =
      a.jobs > 0 ? a.jobs
                 : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / a.threads);
  options.memory = a.memory;
  options.limits = a.limits;
  options.resume = a.resume;
  options.peak_args = {"/proc/self/exe", "eval", kPeakArgument, std::to_string(a.threads),
                       std::string(words.name)};
  options.peak_args.push_back(std::to_string(a.folders.size()));
  options.peak_args.insert(options.peak_args.end(), a.folders.begin(), a.folders.end());
  if (const Status status = CheckFolder(options.folder, a); !status.ok()) {
    return console.Fail(status);
  }

  StopOnSignal();
  RunProgress progress(console);
  RunEvents events;
  events.stop = [] { return g_interrupted != 0; };
  events.progress = [&](double done, double total, const std::string& at) {
    progress.Set(done, total, at);
  };
  events.note = [&](const std::string& text) { progress.Note(text); };
  Result<RunOutcome> outcome = RunEvaluation(options, events);
  progress.Clear();
  if (!outcome.ok()) return console.Fail(outcome.status());
  if (outcome->stopped) {
    console.Note("interrupted: all that was measured is in " + options.folder +
                 "; the same command with --resume goes on");
    return kExitFailure;
  }
  const int exit = Finish(options.folder, a, outcome->results, console);
  std::error_code ignored;
  if (exit == kExitOk || exit == kExitFailure) {
    std::filesystem::remove(std::filesystem::path(options.folder) / kJournalName, ignored);
  }
  return exit;
}

int RunMerge(const EvalArguments& a, const Console& console) {
  if (a.out.empty()) return console.FailUsage("--merge needs --out");
  std::error_code error;
  if (!a.force && std::filesystem::exists(std::filesystem::path(a.out) / "results.json", error)) {
    return console.Fail(
        Status(StatusCode::kNotWritable, a.out + ": there are results; --force replaces them"));
  }
  Results merged;
  for (const std::string& path : a.paths) {
    const Result<Results> results = ReadResults(path);
    if (!results.ok()) return console.Fail(results.status());
    if (merged.program.empty()) {
      merged = *results;
    } else if (const Status status = MergeResults(&merged, *results); !status.ok()) {
      return console.Fail(status.WithPrefix(path + ": cannot be merged: "));
    } else {
      merged.command += "\n" + results->command;
    }
    // Pictures of the report come along.
    const std::filesystem::path from =
        (std::filesystem::is_directory(path, error) ? std::filesystem::path(path)
                                                    : std::filesystem::path(path).parent_path()) /
        kReportPictureFolder;
    if (!std::filesystem::exists(from, error)) continue;
    std::filesystem::create_directories(a.out, error);
    std::filesystem::copy(from, std::filesystem::path(a.out) / kReportPictureFolder,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing,
                          error);
    if (error) {
      return console.Fail(Status(StatusCode::kNotWritable, a.out + ": " + error.message()));
    }
  }
  return Finish(a.out, a, merged, console);
}

int RunReport(const EvalArguments& a, const Console& console) {
  if (a.paths.size() != 1) return console.FailUsage("--report takes one folder");
  Result<Results> results = ReadResults(a.paths[0]);
  if (!results.ok()) return console.Fail(results.status());
  return Finish(a.out.empty() ? a.paths[0] : a.out, a, *results, console);
}

int RunCompareResults(const EvalArguments& a, const Console& console) {
  if (a.paths.size() != 2) return console.FailUsage("--compare takes two results");
  const Result<Results> older = ReadResults(a.paths[0]), newer = ReadResults(a.paths[1]);
  if (!older.ok()) return console.Fail(older.status());
  if (!newer.ok()) return console.Fail(newer.status());
  const auto moved = CompareResults(*older, *newer);
  if (!moved.ok()) return console.Fail(moved.status());
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Movement& m : *moved) {
    rows.push_back({{"codec", m.codec}, {"what", m.what}, {"text", m.text}, {"better", m.better}});
    if (console.json) continue;
    console.out << fmt::format("{:<16} {:<12} {}\n", m.codec, m.what, m.text);
  }
  if (console.json) console.PrintJson({{"moved", rows}});
  if (!console.json && moved->empty()) console.out << "nothing moved\n";
  return kExitOk;
}

// THREADS MEDIUM FOLDERS FOLDER... encode|decode CODEC SETTING ITEM STREAM: prints bytes.
int RunPeakChild(std::span<const std::string> args, const Console& console) {
  const size_t folders = args.size() < 4 ? 0 : std::strtoul(args[3].c_str(), nullptr, 10);
  if (args.size() != folders + 9) return console.FailUsage("not for people");
  const std::span<const std::string> rest = args.subspan(4 + folders);
  const auto find_codec = [&]() -> Result<CodecEntry> {
    static std::optional<ModelChoice> models;  // the entry uses it
    GODWIT_ASSIGN_OR_RETURN(
        ModelChoice opened,
        ModelChoice::Open({args.begin() + 4, args.begin() + 4 + static_cast<long>(folders)}));
    models.emplace(std::move(opened));
    return FindCodec(rest[1], MakeContext(*models));
  };
  const Result<uint64_t> peak = MeasurePeakHere(
      find_codec, FindMedium(args[2]).value_or(Medium::kPicture), rest[3],
      std::strtod(rest[2].c_str(), nullptr),
      static_cast<int>(std::strtol(args[1].c_str(), nullptr, 10)), rest[0] == "decode", rest[4]);
  if (!peak.ok()) return console.Fail(peak.status());
  console.out << *peak << '\n';
  return kExitOk;
}

int RunEval(std::span<const std::string> args, Console& console) {
  if (!args.empty() && args[0] == kPeakArgument) return RunPeakChild(args, console);
  EvalArguments a;
  const std::string summary = Summary();
  OptionParser parser(console, summary);
  parser.Positionals("PATH", &a.paths);
  parser.Texts({"--codecs", "LIST",
                "between commas; default swift,jpeg,webp,avif:6,jxl:7, or\n"
                "sound,opus,vorbis,mp3, or packet,zfp,jpeg2000,flac,zstd"},
               &a.codecs);
  parser.Integer(
      {"--points", "N", "settings of each codec, spread over its range; default 10 to 12"},
      &a.points, 2, 1000);
  parser.Texts({"--metrics", "LIST", "between commas; default by the medium"}, &a.metrics);
  parser.Text({"--media", "KIND", "picture, audio or array; default by the files' suffixes"},
              &a.media);
  parser.Text({"--kbps", "LIST",
               "rates of sound that each codec is to meet; default 24,48,64,96, or\n"
               "6,12,24 where the first has one channel of at most 16 kHz"},
              &a.kbps);
  parser.Text({"--range-error", "LIST",
               "bounds on errors of arrays, in parts of their range; 0: lossless.\n"
               "Default 0,0.0001,0.001,0.01"},
              &a.range_error);
  parser.Text({"--out", "FOLDER", "of the results; default eval-results"}, &a.out);
  parser.Flag({"--resume", "", "go on with what is in that folder"}, &a.resume);
  parser.Flag({"-f,--force", "", "replace it"}, &a.force);
  parser.Integer({"--repeats", "N", "timed runs, default 3; 0 leaves times out"}, &a.repeats, 0,
                 10000);
  parser.Integer({"--threads", "N", "threads of each codec; default 1"}, &a.threads, 1, 1024);
  parser.Integer({"-j,--jobs", "N",
                  "items measured at once; default all cores. Times are always\n"
                  "taken one at a time"},
                 &a.jobs, 1, 1024);
  parser.Flag({"--memory", "", "also peak memory, in a process of its own"}, &a.memory);
  parser.Text(
      {"--report-bpp", "LIST", "rates at which the report shows pictures; default 0.3, or none"},
      &a.report_bpp);
  parser.Text({"--anchor", "CODEC", "BD-rates are against it; default jpeg, or the first"},
              &a.anchor);
  parser.Real({"--min-overlap", "PART", "of the ranges of two curves, default 0.5"}, &a.min_overlap,
              0.01, 1);
  parser.Texts({"--import", "FILE", "a curve in CompressAI's JSON; may come again"}, &a.imports);
  parser.Text({"--readme", "FILE", "put the summary between the marks in this file"}, &a.readme);
  parser.Flag({"--report", "", "write report and tables of a folder again"}, &a.report);
  parser.Flag({"--merge", "", "put several folders together into --out"}, &a.merge);
  parser.Flag({"--compare", "", "say what moved from the first folder to the second"}, &a.compare);
  parser.Exclusive({"--report", "--merge", "--compare"});
  AddModelFolderOption(parser, &a.folders);
  parser.Count({"--max-pixels", "N", "refuse larger pictures; default 268M"}, &a.limits.max_pixels);
  if (const std::optional<int> exit = parser.Parse(args)) return *exit;
  if (a.compare) return RunCompareResults(a, console);
  if (a.merge) return RunMerge(a, console);
  if (a.report) return RunReport(a, console);
  return RunMeasurements(a, args, console);
}

}  // namespace

const Command kEvalCommand{"eval", "rate, quality and time of codecs", RunEval};

}  // namespace godwit
