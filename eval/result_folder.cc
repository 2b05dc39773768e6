#include "eval/result_folder.h"

#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/compressai.h"
#include "eval/results_json.h"
#include "io/output_file.h"

namespace godwit {
namespace {

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

Status WriteResultViews(const std::string& folder, const Results& results,
                        const TableOptions& options,
                        const std::function<void(const std::string&)>&) {
  const std::filesystem::path root(folder);
  const std::pair<const char*, std::string> files[] = {
      {"measurements.csv", MeasurementsCsv(results)},
      {"curves.csv", CurvesCsv(results)},
      {"summary.md", MarkdownSummary(results, options)},
  };
  for (const auto& [name, text] : files) {
    GODWIT_RETURN_IF_ERROR(WriteTextFile((root / name).string(), text));
  }
  GODWIT_RETURN_IF_ERROR(MakeFolder(root / "compressai"));
  for (const CodecRecord& codec : results.codecs) {
    GODWIT_RETURN_IF_ERROR(
        WriteTextFile((root / "compressai" / (FileName(codec.name) + ".json")).string(),
                      CompressAiText(results, codec.name)));
  }
  return {};
}

}  // namespace godwit
