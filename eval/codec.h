// eval/codec.h: what an evaluated codec is: samples in memory to bytes in memory and back, at a
// setting. codec_table.h lists them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "eval/item.h"

namespace godwit {

// One coder with its buffers: not for several threads at once. It is given items of its entry's
// medium only.
class Codec {
 public:
  virtual ~Codec() = default;
  // The stream stays valid until the next call.
  virtual Result<std::span<const std::byte>> Encode(const ItemView& item, double setting) = 0;
  // `item` has the size of the one that was encoded; a stream of another one is an error.
  virtual Status Decode(std::span<const std::byte> stream, const MutableItemView& item) = 0;
  // Of the last stream: bytes that are there for its file alone and are not counted.
  virtual uint64_t uncounted_bytes() const { return 0; }
  // Of sound: at most so long after a sample has come do the packets that have come hold all that a
  // decoder needs for it.
  virtual Result<double> DelaySeconds(const ItemView&, double /*setting*/) {
    return Status(StatusCode::kUnsupported, "has no delay");
  }
  // Of the processes that the last call started; 0 where it started none.
  virtual uint64_t child_peak_bytes() const { return 0; }
};

// A codec with its options chosen.
struct CodecEntry {
  Medium medium = Medium::kPicture;
  std::string name;             // "avif:6"; of command lines: the name that they were given
  std::string spec;             // as the user wrote it: FindCodec(spec) gives this again
  std::string version;          // of the libraries; model ids for our own
  std::string setting_name;     // "quality", "quantiser", "distance"
  std::vector<double> ladder;   // default settings, smallest files first
  double settings_per_one = 1;  // settings are whole numbers divided by this
  Aim aim = Aim::kSetting;      // never kRate
  bool lossless_only = false;   // of kError: only at 0
  bool (*takes)(const ItemView&) = nullptr;  // null: every item of the medium
  bool runs_processes = false;               // so its times include starting them, and files
  std::function<Result<std::unique_ptr<Codec>>(int threads)> create;
};

// The default ladder, or `points` settings spread over it; at least 2.
std::vector<double> SettingsOf(const CodecEntry& codec, int points);

// The setting between those of `ladder`'s ends whose stream of `item` comes nearest to
// `target_bytes`. By bisection: streams grow along the ladder but for a few bytes here and there.
Result<double> SettingForSize(const CodecEntry& entry, Codec& codec, const ItemView& item,
                              uint64_t target_bytes);

}  // namespace godwit
