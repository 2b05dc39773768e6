// eval/journal.h: what a run has measured so far, one JSON object a line, so that a run that ends
// at any moment loses at most the line that it was writing.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/status.h"
#include "eval/results.h"

namespace godwit {

class Journal {
 public:
  // Starts a new one at `path`, or goes on behind what is there. `results` names codecs and images.
  static Result<Journal> Open(const std::string& path, const Results& results);
  Journal(Journal&&) = default;

  // From any thread. Each is on its way to the disk when the call returns.
  Status Add(const Measurement& measurement, double rate);
  Status Add(const ReportPicture& picture, double rate);
  Status Add(const Failure& failure);

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  Journal() = default;
  Status Write(const char* kind, nlohmann::ordered_json value);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
};

// All that a journal holds; an incomplete last line is left out, and so are failures, which a
// resumed run tries again. Later lines win. Messages name file and line.
Result<Results> ReadJournal(const std::string& path);

}  // namespace godwit
