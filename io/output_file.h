// io/output_file.h: outputs that are there whole or not at all.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

// Writes to a temporary file beside the target and renames it at Commit(); destroyed before that,
// it leaves nothing behind and an older target as it was. "-" is standard output, and a device or
// pipe (/dev/null) is written directly: neither can be taken back. Every failure is kNotWritable
// and names the path. Guards against a crash of the program, not of the machine: no fsync.
class AtomicOutputFile {
 public:
  // Refuses an existing file unless `overwrite`, and "-" where standard output is a terminal.
  // A symbolic link is followed: the file that it names is replaced, with its permissions kept.
  static Result<AtomicOutputFile> Create(const std::string& path, bool overwrite);
  AtomicOutputFile(AtomicOutputFile&&) noexcept;
  AtomicOutputFile& operator=(AtomicOutputFile&&) noexcept;
  ~AtomicOutputFile();
  // Buffered. An error is remembered: later calls, Commit() included, return it again.
  Status Write(std::span<const std::byte> bytes);
  // Sends on what Write() holds back, for those who listen while it comes.
  Status Flush();
  // Call once, last. A target that appeared since Create() is refused too, unless `overwrite`.
  Status Commit();

 private:
  struct State;
  explicit AtomicOutputFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// From now on SIGINT, SIGTERM and SIGHUP remove the temporary files of outputs that are open
// (the first 64 of them) before they end the program. A signal that is ignored stays ignored.
void RemoveOutputsOnSignal();

}  // namespace godwit
