// eval/child_process.h: other programs, run to their end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace godwit {

struct ChildOutput {
  std::string out;          // its standard output, the first megabyte
  uint64_t peak_bytes = 0;  // resident memory of it and of what it waited for, at most
};

// `args[0]` is looked for on the PATH. Standard input is empty. A program that cannot be run, fails
// or is killed is kInternal, with the last line of its standard error.
Result<ChildOutput> RunChild(const std::vector<std::string>& args);

bool ProgramOnPath(std::string_view program);

// For a shell: 'text', whatever is in it.
std::string ShellQuoted(const std::string& text);

// A folder for temporary files, gone with the object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace godwit
