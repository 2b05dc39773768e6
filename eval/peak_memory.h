// eval/peak_memory.h: what a codec takes in memory, measured in a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/codec.h"

namespace godwit {

// In that process. Prepares an item, then measures how far resident memory rises above that at
// its highest while the codec is made and encodes (writing the stream to `stream_file`) or, with
// `decode`, reads that file and decodes. Models count. For codecs that run processes: their own.
Result<uint64_t> MeasurePeakHere(const std::function<Result<CodecEntry>()>& find_codec,
                                 Medium medium, const std::string& path, double setting,
                                 int threads, bool decode, const std::string& stream_file);

struct PeakMemory {
  uint64_t encode_bytes = 0, decode_bytes = 0;
};

// From outside: runs this program with `args`, then "encode" or "decode", codec, setting, item
// and stream file, and takes the number that it prints.
Result<PeakMemory> MeasurePeak(const std::vector<std::string>& args, const std::string& codec,
                               double setting, const std::string& path);

}  // namespace godwit
