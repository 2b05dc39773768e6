#include "eval/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "eval/array_error.h"
#include "eval/eval_item.h"
#include "eval/item_metrics.h"
#include "eval/journal.h"
#include "eval/machine.h"
#include "eval/peak_memory.h"
#include "eval/report_picture.h"
#include "eval/results_json.h"
#include "eval/stopwatch.h"
#include "fmt/core.h"

namespace godwit {
namespace {

using Codecs = std::vector<std::unique_ptr<Codec>>;  // one of each entry

bool HasMetrics(const std::map<std::string, double>& have,
                const std::vector<const Metric*>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const Metric* metric) {
    return have.contains(std::string(metric->name));
  });
}

class Run {
 public:
  Run(const RunOptions& options, const RunEvents& events) : options_(options), events_(events) {}

  Result<RunOutcome> Go() {
    GODWIT_RETURN_IF_ERROR(Plan());
    GODWIT_RETURN_IF_ERROR(MeasureQuality());
    if (options_.repeats > 0) GODWIT_RETURN_IF_ERROR(MeasureTimes());
    if (options_.memory) GODWIT_RETURN_IF_ERROR(MeasureMemory());
    RunOutcome outcome;
    outcome.stopped = stopped_;
    SortResults(&results_);
    outcome.results = std::move(results_);
    return outcome;
  }

 private:
  struct Source {
    std::string name, path;
  };

  std::string Path(const std::string& name) const {
    return (std::filesystem::path(options_.folder) / name).string();
  }

  bool Stopped() {
    if (!stopped_ && events_.stop && events_.stop()) stopped_ = true;
    return stopped_;
  }

  // ------------------------------------------------------------------------------------ planning

  Status Plan() {
    results_.medium = options_.medium;
    GODWIT_RETURN_IF_ERROR(ReadSources());
    results_.program = options_.program;
    results_.command = options_.command;
    results_.machine = ThisMachine();
    results_.repeats = options_.repeats;
    for (const Metric* const metric : options_.metrics) {
      results_.metrics.emplace_back(metric->name);
    }
    for (const CodecEntry& codec : options_.codecs) {
      if (results_.FindCodec(codec.name) != nullptr) {
        return Status(StatusCode::kInvalidArgument, codec.name + ": named twice");
      }
      results_.codecs.push_back(RecordOf(codec));
      if (results_.codecs.back().settings.empty()) {
        return Status(StatusCode::kInvalidArgument,
                      codec.name + ": is lossless only, and no bound of 0 is asked for");
      }
      settings_.push_back(results_.codecs.back().settings);
    }
    if (options_.resume) GODWIT_RETURN_IF_ERROR(TakeOldResults());
    for (size_t i = 0; i < results_.measurements.size(); ++i) {
      const Measurement& m = results_.measurements[i];
      for (size_t c = 0; c < options_.codecs.size(); ++c) {
        if (options_.codecs[c].name == m.codec) index_[{m.item, c, m.setting}] = i;
      }
    }
    GODWIT_ASSIGN_OR_RETURN(Journal journal, Journal::Open(Path(kJournalName), results_));
    journal_.emplace(std::move(journal));
    for (const Failure& failure : results_.failures) GODWIT_RETURN_IF_ERROR(journal_->Add(failure));
    CountSteps();
    return {};
  }

  CodecRecord RecordOf(const CodecEntry& codec) const {
    CodecRecord record{codec.name,           codec.version,    codec.setting_name, {},
                       codec.runs_processes, options_.threads, codec.aim};
    if (codec.aim == Aim::kError) {
      record.setting_name = "bound";
      for (const double bound : options_.bounds) {
        if (bound == 0 || !codec.lossless_only) record.settings.push_back(bound);
      }
    } else if (!options_.rates.empty()) {
      record.aim = Aim::kRate;
      record.setting_name = WordsOf(options_.medium).rate_unit;
      record.settings = options_.rates;
    } else {
      record.settings = SettingsOf(codec, options_.points);
    }
    return record;
  }

  // Reads each item once, for its digest; what cannot be read is a failure without a codec.
  Status ReadSources() {
    std::set<std::string> names;
    for (const std::string& path : options_.items) {
      const std::string name = std::filesystem::path(path).filename().string();
      if (!names.insert(name).second) {
        return Status(
            StatusCode::kInvalidArgument,
            path + ": two " + std::string(WordsOf(options_.medium).many) + " have this name");
      }
      const Result<EvalItem> item = CatchOutOfMemory([&] { return Read(path); });
      if (!item.ok()) {
        events_.note("skipped: " + item.status().message());
        results_.failures.push_back({name, "", 0, item.status().message()});
        continue;
      }
      results_.items.push_back(item->record);
      sources_.push_back({name, path});
    }
    if (!sources_.empty()) return {};
    return Status(StatusCode::kUnreadable,
                  fmt::format("none of the {} can be used", WordsOf(options_.medium).many));
  }

  Result<EvalItem> Read(const std::string& path) const {
    return ReadEvalItem(options_.medium, path, options_.limits);
  }

  // Both of an ended and of an interrupted run.
  Status TakeOldResults() {
    std::error_code ignored;
    for (const auto& [name, read] :
         {std::pair{"results.json", &ReadResults}, {kJournalName, &ReadJournal}}) {
      const std::string path = Path(name);
      if (!std::filesystem::exists(path, ignored)) continue;
      GODWIT_ASSIGN_OR_RETURN(Results old, read(path));
      old.failures.clear();  // tried again
      if (const Status status = MergeResults(&results_, old); !status.ok()) {
        return status.WithPrefix(path + ": cannot go on with this: ");
      }
    }
    return {};
  }

  Measurement* Find(const std::string& item, size_t codec, double setting) {
    const auto found = index_.find({item, codec, setting});
    return found == index_.end() ? nullptr : &results_.measurements[found->second];
  }

  bool NeedsQuality(const std::string& item, size_t codec, double setting) {
    const Measurement* const m = Find(item, codec, setting);
    return m == nullptr || !HasMetrics(m->metrics, options_.metrics);
  }
  bool NeedsPicture(const std::string& item, size_t codec, double bpp) const {
    return std::none_of(
        results_.pictures.begin(), results_.pictures.end(), [&](const ReportPicture& p) {
          return p.item == item && p.codec == options_.codecs[codec].name && p.target_bpp == bpp;
        });
  }

  // Steps are of about equal length within a kind; the kinds are weighed by how long they take.
  static constexpr double kPictureSteps = 8;  // a search for a rate

  void CountSteps() {
    for (const Source& source : sources_) {
      for (size_t c = 0; c < settings_.size(); ++c) {
        for (const double setting : settings_[c]) {
          const Measurement* const m = Find(source.name, c, setting);
          if (NeedsQuality(source.name, c, setting)) total_ += 1;
          if (options_.repeats > 0 && (m == nullptr || m->encode_s.empty())) {
            total_ += options_.repeats;
          }
          if (options_.memory && (m == nullptr || !m->encode_peak_bytes)) total_ += 1;
        }
        for (const double bpp : options_.report_bpp) {
          if (NeedsPicture(source.name, c, bpp)) total_ += kPictureSteps;
        }
      }
    }
  }

  void Advance(double steps, const std::string& at) {
    done_ += steps;
    if (events_.progress) events_.progress(done_, total_, at);
  }

  // ------------------------------------------------------------------------------------- quality

  Result<Codecs> CreateCodecs() {
    Codecs codecs;
    for (const CodecEntry& entry : options_.codecs) {
      Result<std::unique_ptr<Codec>> codec = entry.create(options_.threads);
      if (!codec.ok()) return codec.status().WithPrefix(entry.name + ": ");
      codecs.push_back(*std::move(codec));
    }
    return codecs;
  }

  Status MeasureQuality() {
    std::atomic<size_t> next = 0;
    Status first_error;
    const auto work = [&] {
      Result<Codecs> codecs = CreateCodecs();
      Status status = codecs.status();
      for (size_t i; status.ok() && (i = next++) < sources_.size();) {
        status = CatchOutOfMemory([&] { return MeasureItem(sources_[i], *codecs); });
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!status.ok() && first_error.ok()) first_error = status;
      if (!status.ok()) next = sources_.size();
    };
    std::vector<std::thread> threads;
    for (int t = 1; t < options_.jobs; ++t) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    return first_error;
  }

  // An error is of results that cannot be written; codecs that fail are noted.
  Status MeasureItem(const Source& source, const Codecs& codecs) {
    GODWIT_ASSIGN_OR_RETURN(const EvalItem read, Read(source.path));
    const ItemView item = ViewOf(read.item);
    ItemMetrics metrics(item, options_.metrics);
    for (size_t c = 0; c < codecs.size(); ++c) {
      const CodecEntry& entry = options_.codecs[c];
      if (entry.takes != nullptr && !entry.takes(item)) {
        const std::lock_guard<std::mutex> lock(mutex_);
        Advance(static_cast<double>(settings_[c].size()), source.name + ", " + entry.name);
        continue;
      }
      for (const double setting : settings_[c]) {
        {
          const std::lock_guard<std::mutex> lock(mutex_);
          if (Stopped()) return {};
          if (!NeedsQuality(source.name, c, setting)) continue;
        }
        const Result<Measurement> measured =
            MeasureOne(source.name, item, metrics, *codecs[c], c, setting);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (Stopped()) return {};  // which also ends the processes of a codec
        GODWIT_RETURN_IF_ERROR(Keep(source, c, setting, measured));
      }
      for (const double bpp : options_.report_bpp) {
        GODWIT_RETURN_IF_ERROR(MakePicture(source, PictureOf(item), metrics, *codecs[c], c, bpp));
      }
    }
    return {};
  }

  Result<Measurement> MeasureOne(const std::string& name, const ItemView& item,
                                 ItemMetrics& metrics, Codec& codec, size_t c, double setting) {
    return CatchOutOfMemory([&]() -> Result<Measurement> {
      Measurement m;
      if (!options_.rates.empty()) {
        GODWIT_ASSIGN_OR_RETURN(m.used, SettingForSize(options_.codecs[c], codec, item,
                                                       results_.BytesFor(name, setting)));
        setting = *m.used;
      }
      GODWIT_ASSIGN_OR_RETURN(const std::span<const std::byte> stream, codec.Encode(item, setting));
      const Bytes bytes(stream.begin(), stream.end());
      Item decoded = BlankLike(item);
      GODWIT_RETURN_IF_ERROR(codec.Decode(bytes, ViewOf(decoded)));
      m.bytes = bytes.size() - codec.uncounted_bytes();
      GODWIT_ASSIGN_OR_RETURN(m.metrics, metrics.Measure(ViewOf(std::as_const(decoded))));
      if (options_.codecs[c].aim == Aim::kError) {
        GODWIT_RETURN_IF_ERROR(CheckBound(ArrayOf(item), std::get<NdArray>(decoded), setting));
      }
      if (options_.medium == Medium::kSound) {
        GODWIT_ASSIGN_OR_RETURN(m.delay_s, codec.DelaySeconds(item, setting));
      }
      return m;
    });
  }

  // Of every sample: a bound that is not kept is no measurement.
  static Status CheckBound(const NdArray& original, const NdArray& decoded, double setting) {
    const double bound = ErrorBound(original, setting);
    if (bound == 0 && original.data == decoded.data) return {};
    const double error = ErrorOf(original, decoded).max;
    if (bound > 0 && error <= bound) return {};
    return Status(StatusCode::kInternal,
                  fmt::format("is off by {} where {} is the bound", error, bound));
  }

  Status Keep(const Source& source, size_t codec, double setting, const Result<Measurement>& got) {
    const std::string& name = options_.codecs[codec].name;
    Advance(1, source.name + ", " + name);
    if (!got.ok()) return KeepFailure(source, name, setting, got.status());
    Measurement m = *got;
    m.item = source.name;
    m.codec = name;
    m.setting = setting;
    if (Measurement* const old = Find(source.name, codec, setting)) {  // it lacked a metric
      old->metrics = m.metrics;
      m = *old;
    } else {
      index_[{source.name, codec, setting}] = results_.measurements.size();
      results_.measurements.push_back(m);
    }
    return journal_->Add(m, results_.RateOf(m.item, m.bytes));
  }

  Status KeepFailure(const Source& source, const std::string& codec, double setting,
                     const Status& status) {
    const std::string error = status.message();
    events_.note(fmt::format("{}: {} at {}: {}", source.name, codec, setting, error));
    results_.failures.push_back({source.name, codec, setting, error});
    return journal_->Add(results_.failures.back());
  }

  Status MakePicture(const Source& source, TensorView<const uint8_t> rgb, ItemMetrics& metrics,
                     Codec& codec, size_t c, double bpp) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (Stopped() || !NeedsPicture(source.name, c, bpp)) return {};
    }
    ReportPicture picture;
    picture.item = source.name;
    picture.codec = options_.codecs[c].name;
    picture.target_bpp = bpp;
    const Status made = CatchOutOfMemory([&] {
      return MakeReportPicture(rgb, options_.codecs[c], codec, metrics, Path(kReportPictureFolder),
                               &picture);
    });
    const std::lock_guard<std::mutex> lock(mutex_);
    if (Stopped()) return {};
    Advance(kPictureSteps, source.name + ", " + picture.codec);
    if (made.code() == StatusCode::kNotWritable) return made;
    if (!made.ok()) {
      return KeepFailure(source, picture.codec, picture.setting,
                         made.WithPrefix("picture for the report: "));
    }
    results_.pictures.push_back(picture);
    return journal_->Add(picture, results_.RateOf(picture.item, picture.bytes));
  }

  // --------------------------------------------------------------------------------------- times

  // All codecs of an item take their turns together; nothing else runs.
  Status MeasureTimes() {
    GODWIT_ASSIGN_OR_RETURN(const Codecs codecs, CreateCodecs());
    for (const Source& source : sources_) {
      std::vector<Measurement*> rows;
      std::vector<Contender> contenders;
      if (Stopped()) return {};
      GODWIT_ASSIGN_OR_RETURN(const EvalItem read, Read(source.path));
      const ItemView item = ViewOf(read.item);
      for (size_t c = 0; c < codecs.size(); ++c) {
        for (const double setting : settings_[c]) {
          Measurement* const row = Find(source.name, c, setting);
          if (row == nullptr || !row->encode_s.empty()) continue;
          rows.push_back(row);
          contenders.push_back(Prepare(item, *codecs[c], *row));
        }
      }
      TimeContenders(item, options_.repeats, options_.threads, contenders, [&] {
        if (!contenders.empty()) Advance(0, source.name + ", timing");
        return Stopped();
      });
      if (Stopped()) return {};
      Advance(options_.repeats * static_cast<double>(rows.size()), source.name + ", timing");
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!contenders[i].status.ok()) {
          GODWIT_RETURN_IF_ERROR(
              KeepFailure(source, rows[i]->codec, rows[i]->setting, contenders[i].status));
          continue;
        }
        rows[i]->encode_s = contenders[i].encode_s;
        rows[i]->decode_s = contenders[i].decode_s;
        GODWIT_RETURN_IF_ERROR(
            journal_->Add(*rows[i], results_.RateOf(rows[i]->item, rows[i]->bytes)));
      }
    }
    return {};
  }

  // Encodes once, which is also a check: what is timed is what was measured.
  static Contender Prepare(const ItemView& item, Codec& codec, const Measurement& row) {
    Contender contender;
    contender.codec = &codec;
    contender.setting = row.used.value_or(row.setting);
    const auto start = std::chrono::steady_clock::now();
    const Result<std::span<const std::byte>> stream = codec.Encode(item, contender.setting);
    contender.last_encode_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!stream.ok()) {
      contender.status = stream.status();
    } else if (stream->size() - codec.uncounted_bytes() != row.bytes) {
      contender.status = Status(StatusCode::kInternal, "encodes to another size each time");
    } else {
      contender.stream.assign(stream->begin(), stream->end());
    }
    return contender;
  }

  // -------------------------------------------------------------------------------------- memory

  Status MeasureMemory() {
    for (const Source& source : sources_) {
      for (size_t c = 0; c < settings_.size(); ++c) {
        for (const double setting : settings_[c]) {
          if (Stopped()) return {};
          Measurement* const row = Find(source.name, c, setting);
          if (row == nullptr || row->encode_peak_bytes) continue;
          const Result<PeakMemory> peak = MeasurePeak(options_.peak_args, options_.codecs[c].spec,
                                                      row->used.value_or(setting), source.path);
          if (Stopped()) return {};
          Advance(1, source.name + ", memory");
          if (!peak.ok()) {
            GODWIT_RETURN_IF_ERROR(KeepFailure(source, row->codec, setting, peak.status()));
            continue;
          }
          row->encode_peak_bytes = peak->encode_bytes;
          row->decode_peak_bytes = peak->decode_bytes;
          GODWIT_RETURN_IF_ERROR(journal_->Add(*row, results_.RateOf(row->item, row->bytes)));
        }
      }
    }
    return {};
  }

  const RunOptions& options_;
  const RunEvents& events_;
  Results results_;
  std::map<std::tuple<std::string, size_t, double>, size_t> index_;  // of results_.measurements
  std::vector<Source> sources_;
  std::vector<std::vector<double>> settings_;  // of each codec
  std::optional<Journal> journal_;
  std::mutex mutex_;  // of all below and of results_, while there are threads
  bool stopped_ = false;
  double done_ = 0, total_ = 0;
};

}  // namespace

Result<RunOutcome> RunEvaluation(const RunOptions& options, const RunEvents& events) {
  return Run(options, events).Go();
}

}  // namespace godwit
