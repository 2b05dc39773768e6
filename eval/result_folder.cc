#include "eval/result_folder.h"

#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/child_process.h"
#include "eval/compressai.h"
#include "eval/metric.h"
#include "eval/report.h"
#include "eval/results_json.h"
#include "eval/svg_plot.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr const char* kRasteriser = "rsvg-convert";

Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return Status(StatusCode::kNotWritable, folder.string() + ": " + error.message());
}

// "avif:6" has a colon, which not all systems like in a file's name.
std::string FileName(std::string codec) {
  for (char& c : codec) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  }
  return codec;
}

}  // namespace

Status WriteTextFile(const std::string& path, const std::string& text) {
  GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile file, AtomicOutputFile::Create(path, true));
  GODWIT_RETURN_IF_ERROR(file.Write(std::as_bytes(std::span<const char>(text))));
  return file.Commit();
}

Status WriteResultsFile(const std::string& folder, const Results& results) {
  GODWIT_RETURN_IF_ERROR(MakeFolder(folder));
  return WriteTextFile((std::filesystem::path(folder) / "results.json").string(),
                       Serialise(ToJson(results)));
}

namespace {

// One SVG a metric and, where rsvg-convert is installed, the same as PNG.
Status WritePlots(const std::filesystem::path& folder, const Results& results,
                  const std::function<void(const std::string&)>& note) {
  bool draws = ProgramOnPath(kRasteriser);
  if (!draws)
    note(std::string("plots are left as SVG: ") + kRasteriser +
         " (librsvg2-bin) makes PNG of them");
  GODWIT_RETURN_IF_ERROR(MakeFolder(folder));
  for (const std::string& name : results.metrics) {
    const Metric* const metric = FindMetric(name);
    const std::string svg = metric == nullptr ? "" : SvgPlot(results, *metric);
    if (svg.empty()) continue;
    const std::string path = (folder / (name + ".svg")).string();
    GODWIT_RETURN_IF_ERROR(WriteTextFile(path, svg));
    if (!draws) continue;
    const Result<ChildOutput> drawn =
        RunChild({kRasteriser, "--zoom", "2", "-o", (folder / (name + ".png")).string(), path});
    if (drawn.ok()) continue;
    note(drawn.status().message());
    draws = false;
  }
  return {};
}

}  // namespace

Status WriteResultViews(const std::string& folder, const Results& results,
                        const TableOptions& options,
                        const std::function<void(const std::string&)>& note) {
  const std::filesystem::path root(folder);
  const std::pair<const char*, std::string> files[] = {
      {"measurements.csv", MeasurementsCsv(results)},
      {"curves.csv", CurvesCsv(results)},
      {"summary.md", MarkdownSummary(results, options)},
      {"report.html", ReportHtml(results, options)},
  };
  for (const auto& [name, text] : files) {
    GODWIT_RETURN_IF_ERROR(WriteTextFile((root / name).string(), text));
  }
  if (results.medium != Medium::kPicture) return WritePlots(root / "plots", results, note);
  GODWIT_RETURN_IF_ERROR(MakeFolder(root / "compressai"));
  for (const CodecRecord& codec : results.codecs) {
    GODWIT_RETURN_IF_ERROR(
        WriteTextFile((root / "compressai" / (FileName(codec.name) + ".json")).string(),
                      CompressAiText(results, codec.name)));
  }
  return WritePlots(root / "plots", results, note);
}

}  // namespace godwit
