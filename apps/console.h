// apps/console.h: results on one stream, talk on the other.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>
#include <string_view>

#include "apps/exit_code.h"
#include "base/status.h"

namespace godwit {

struct Console {
  std::ostream& out;     // results
  std::ostream& err;     // everything else
  std::string name;      // "godwit encode", before each message
  bool json = false;     // results as JSON
  bool quiet = false;    // no notes: silent on success
  bool verbose = false;  // details too

  void Note(std::string_view text) const;
  // What a user must know who goes on with half of it; said even when quiet.
  void Warn(std::string_view text) const;
  void Detail(std::string_view text) const;
  // One line, whatever `status` says; returns the exit code.
  ExitCode Fail(const Status& status) const;
  ExitCode FailUsage(std::string_view text) const;
  // One line. What is no UTF-8 (file names may be anything) is replaced.
  void PrintJson(const nlohmann::ordered_json& value) const;
};

}  // namespace godwit
