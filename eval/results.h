// eval/results.h: what an evaluation measured. docs/format/eval-results.md describes the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/medium.h"

namespace godwit {

struct ItemRecord {
  std::string name;                // of the file, without folders
  uint32_t width = 0, height = 0;  // of pictures
  std::string digest;              // SHA-256 of the samples, in hex
  // Of sounds.
  uint32_t rate_hz = 0, channels = 0;
  uint64_t frames = 0;
  // Of arrays.
  std::string type = {};
  std::vector<uint64_t> shape = {};
};

struct CodecRecord {
  std::string name, version, setting_name;
  std::vector<double> settings;  // smallest files first
  bool runs_processes = false;   // so its times include starting them, and files
  int threads = 1;
  Aim aim = Aim::kSetting;
};

// One item at one setting. NaN stands for what has no value: a picture too small for a metric,
// or equal pictures.
struct Measurement {
  std::string item, codec;
  double setting = 0;
  uint64_t bytes = 0;
  std::map<std::string, double> metrics;
  std::vector<double> encode_s, decode_s;  // of each repeat, as they came; empty: not timed
  std::optional<double> used;              // the codec's own setting, of Aim::kRate
  std::optional<double> delay_s;           // of sound
  std::optional<uint64_t> encode_peak_bytes, decode_peak_bytes;
};

// A decoded picture for the report, at about a wanted rate.
struct ReportPicture {
  std::string item, codec;
  double target_bpp = 0, setting = 0;
  uint64_t bytes = 0;
  std::map<std::string, double> metrics;
  std::string file;  // in the folder of the results
};

struct Failure {
  std::string item, codec;  // no codec: the item itself
  double setting = 0;
  std::string error;
};

// A published curve, from a file in the form of CompressAI: no pictures, no settings.
struct ImportedCurve {
  std::string name, description, source;
  // By our names of the metrics, "bpp", "encode_s" and "decode_s"; all of one length.
  std::map<std::string, std::vector<double>> columns;
};

struct MachineRecord {
  std::string cpu, simd, system, compiler;
  int processors = 0;
};

struct Results {
  Medium medium = Medium::kPicture;
  std::string program, command;  // "godwit 0.1.0"; the command line
  MachineRecord machine;
  int repeats = 0;
  std::vector<std::string> metrics;
  std::vector<ItemRecord> items;
  std::vector<CodecRecord> codecs;
  std::vector<Measurement> measurements;
  std::vector<ReportPicture> pictures;
  std::vector<Failure> failures;
  std::vector<ImportedCurve> imported;

  const ItemRecord* FindItem(const std::string& name) const;
  const CodecRecord* FindCodec(const std::string& name) const;
  // A stream of `item`, which must be there, in the medium's unit of rate: bits a pixel.
  // How much of the medium it is, in the unit of speeds: megapixels.
  double AmountOf(const std::string& item) const;
  // Of a stream of `item` with this rate.
  uint64_t BytesFor(const std::string& item, double rate) const;
  double RateOf(const std::string& item, uint64_t bytes) const;
};

// Puts measurements, pictures and failures into the order of codecs, items and settings.
void SortResults(Results* results);

// Adds what `from` has and `into` lacks; both keep their order. kInvalidArgument names what
// contradicts: an item with another digest, a codec of another version or with other threads, the
// same measurement with another size. Where both were timed, the times of `into` stay.
Status MergeResults(Results* into, const Results& from);

}  // namespace godwit
