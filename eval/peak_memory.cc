#include "eval/peak_memory.h"

#include <charconv>
#include <fstream>

#include "eval/child_process.h"
#include "eval/eval_item.h"
#include "fmt/core.h"
#include "io/input_file.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr uint64_t kMaxStreamBytes = uint64_t{1} << 32;

// "VmRSS" or "VmHWM" of this process, in bytes; 0 where the system does not say.
uint64_t StatusBytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key + ":")) continue;
    const size_t digit = line.find_first_of("0123456789");
    if (digit == line.npos) return 0;
    uint64_t kib = 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), kib);
    return kib * 1024;
  }
  return 0;
}

void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << 5; }

Result<uint64_t> RunOnce(const std::vector<std::string>& args) {
  GODWIT_ASSIGN_OR_RETURN(const ChildOutput output, RunChild(args));
  uint64_t bytes = 0;
  const char* const text = output.out.data();
  const auto [end, error] = std::from_chars(text, text + output.out.size(), bytes);
  if (error != std::errc()) return Status(StatusCode::kInternal, "no peak memory was printed");
  return bytes;
}

}  // namespace

Result<uint64_t> MeasurePeakHere(const std::function<Result<CodecEntry>()>& find_codec,
                                 Medium medium, const std::string& path, double setting,
                                 int threads, bool decode, const std::string& stream_file) {
  GODWIT_ASSIGN_OR_RETURN(EvalItem original, ReadEvalItem(medium, path));
  Bytes stream;
  if (decode) {
    GODWIT_ASSIGN_OR_RETURN(stream, ReadFile(stream_file, kMaxStreamBytes));
  }
  ForgetPeak();
  const uint64_t before = StatusBytes("VmRSS");
  GODWIT_ASSIGN_OR_RETURN(const CodecEntry entry, find_codec());
  GODWIT_ASSIGN_OR_RETURN(const std::unique_ptr<Codec> codec, entry.create(threads));
  if (decode) {
    GODWIT_RETURN_IF_ERROR(codec->Decode(stream, ViewOf(original.item)));  // over the original
  } else {
    GODWIT_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes,
                            codec->Encode(ViewOf(std::as_const(original.item)), setting));
    stream.assign(bytes.begin(), bytes.end());
  }
  const uint64_t peak = StatusBytes("VmHWM");
  if (!decode) {
    GODWIT_ASSIGN_OR_RETURN(AtomicOutputFile file, AtomicOutputFile::Create(stream_file, true));
    GODWIT_RETURN_IF_ERROR(file.Write(stream));
    GODWIT_RETURN_IF_ERROR(file.Commit());
  }
  if (entry.runs_processes) return codec->child_peak_bytes();
  if (before == 0) return Status(StatusCode::kUnsupported, "this system tells no peak memory");
  return peak > before ? peak - before : 0;
}

Result<PeakMemory> MeasurePeak(const std::vector<std::string>& args, const std::string& codec,
                               double setting, const std::string& path) {
  GODWIT_ASSIGN_OR_RETURN(const TemporaryFolder folder, TemporaryFolder::Create());
  std::vector<std::string> command = args;
  command.insert(command.end(),
                 {"encode", codec, fmt::format("{}", setting), path, folder.File("stream")});
  PeakMemory peak;
  GODWIT_ASSIGN_OR_RETURN(peak.encode_bytes, RunOnce(command));
  command[args.size()] = "decode";
  GODWIT_ASSIGN_OR_RETURN(peak.decode_bytes, RunOnce(command));
  return peak;
}

}  // namespace godwit
