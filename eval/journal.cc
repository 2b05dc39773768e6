#include "eval/journal.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/results_json.h"
#include "io/input_file.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

// Cuts off a last line that is not whole, so that the next one starts at its own beginning.
void CutTornLine(const std::string& path) {
  const Result<Bytes> bytes = ReadFile(path, kMaxFileBytes);
  if (!bytes.ok()) return;
  const auto end = std::find(bytes->rbegin(), bytes->rend(), std::byte{'\n'}).base();
  if (end == bytes->end()) return;
  std::error_code ignored;
  std::filesystem::resize_file(path, static_cast<uint64_t>(end - bytes->begin()), ignored);
}

template <typename T>
void Upsert(std::vector<T>* rows, T row) {
  for (T& old : *rows) {
    if (old.item == row.item && old.codec == row.codec && old.setting == row.setting) {
      old = std::move(row);
      return;
    }
  }
  rows->push_back(std::move(row));
}

Status TakeLine(const nlohmann::json& line, Results* results) {
  if (line.contains("run")) {
    GODWIT_ASSIGN_OR_RETURN(const Results head, ResultsFromJson(line["run"]));
    if (!results->program.empty()) return MergeResults(results, head);
    *results = head;
  } else if (line.contains("measurement")) {
    GODWIT_ASSIGN_OR_RETURN(Measurement m, MeasurementFromJson(line["measurement"]));
    if (results->FindItem(m.item) == nullptr || results->FindCodec(m.codec) == nullptr) {
      return Status(StatusCode::kCorrupt, "of an unknown item or codec");
    }
    Upsert(&results->measurements, std::move(m));
  } else if (line.contains("picture")) {
    GODWIT_ASSIGN_OR_RETURN(ReportPicture p, ReportPictureFromJson(line["picture"]));
    if (results->FindItem(p.item) == nullptr || results->FindCodec(p.codec) == nullptr) {
      return Status(StatusCode::kCorrupt, "of an unknown item or codec");
    }
    results->pictures.push_back(std::move(p));
  }
  return {};
}

}  // namespace

Result<Journal> Journal::Open(const std::string& path, const Results& results) {
  CutTornLine(path);
  Journal journal;
  journal.path_ = path;
  journal.file_.reset(std::fopen(path.c_str(), "ae"));
  if (journal.file_ == nullptr) {
    return Status(StatusCode::kNotWritable, path + ": " + std::strerror(errno));
  }
  Results head = results;
  head.measurements.clear();
  head.pictures.clear();
  head.failures.clear();
  GODWIT_RETURN_IF_ERROR(journal.Write("run", ToJson(head)));
  return journal;
}

Status Journal::Add(const Measurement& m, double rate) {
  return Write("measurement", ToJson(m, rate));
}
Status Journal::Add(const ReportPicture& p, double rate) {
  return Write("picture", ToJson(p, rate));
}
Status Journal::Add(const Failure& failure) { return Write("failure", ToJson(failure)); }

Status Journal::Write(const char* kind, nlohmann::ordered_json value) {
  nlohmann::ordered_json line;
  line[kind] = std::move(value);
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::lock_guard<std::mutex> lock(*mutex_);
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size() &&
      std::fflush(file_.get()) == 0) {
    return {};
  }
  return Status(StatusCode::kNotWritable, path_ + ": " + std::strerror(errno));
}

Result<Results> ReadJournal(const std::string& path) {
  GODWIT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path, kMaxFileBytes));
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Results results;
  for (size_t number = 1; text.find('\n') != text.npos; ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    const std::string place = path + ": line " + std::to_string(number) + ": ";
    const Result<nlohmann::json> json = ParseEvalJson(line);
    if (!json.ok()) return json.status().WithPrefix(place);
    if (const Status status = TakeLine(*json, &results); !status.ok()) {
      return status.WithPrefix(place);
    }
  }
  return results;
}

}  // namespace godwit
