// eval/run.h: measures codecs on items, in a folder of results that can be gone on with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "eval/codec.h"
#include "eval/metric.h"
#include "eval/results.h"

namespace godwit {

struct RunOptions {
  std::string program, command;  // for the record
  Medium medium = Medium::kPicture;
  std::vector<std::string> items;  // files
  std::vector<CodecEntry> codecs;
  std::vector<const Metric*> metrics;
  std::vector<double> rates;       // that each codec is to meet, instead of settings of its own
  std::vector<double> bounds;      // of codecs that keep bounds, Aim::kError
  int points = 0;                  // of each ladder; 0: all
  int repeats = 3;                 // timed runs; 0: times are not measured
  int threads = 1;                 // that a codec may use
  int jobs = 1;                    // items measured at once; timing is always one at a time
  std::vector<double> report_bpp;  // rates at which the report shows pictures
  bool memory = false;
  std::vector<std::string> peak_args;  // MeasurePeak()
  DecodeLimits limits;
  std::string folder;   // of the results
  bool resume = false;  // take what is there
};

// May be called from several threads, one at a time.
struct RunEvents {
  std::function<bool()> stop;  // asked often; true ends the run
  std::function<void(double done, double total, const std::string& at)> progress;
  std::function<void(const std::string&)> note;  // of what is skipped or fails
};

struct RunOutcome {
  Results results;
  bool stopped = false;  // by `stop`: there is more to do
};

// Items that cannot be read and codecs that fail are noted, recorded and passed over. Every
// measurement is in `folder`/journal.jsonl as soon as it is made. An error means that nothing could
// be measured, or that results cannot be written; what is in the journal stays.
Result<RunOutcome> RunEvaluation(const RunOptions& options, const RunEvents& events);

inline constexpr const char* kJournalName = "journal.jsonl";
inline constexpr const char* kReportPictureFolder = "report_pictures";

}  // namespace godwit
