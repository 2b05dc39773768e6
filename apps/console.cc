#include "apps/console.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace godwit {
namespace {

void WriteLine(std::ostream& stream, std::string_view name, std::string_view text) {
  std::string line = std::string(name) + ": " + std::string(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  stream << line << std::endl;
}

}  // namespace

void Console::Note(std::string_view text) const {
  if (!quiet) WriteLine(err, name, text);
}

void Console::Warn(std::string_view text) const { WriteLine(err, name, text); }

void Console::Detail(std::string_view text) const {
  if (verbose && !quiet) WriteLine(err, name, text);
}

ExitCode Console::Fail(const Status& status) const {
  WriteLine(err, name, status.message());
  return ExitCodeOf(status.code());
}

ExitCode Console::FailUsage(std::string_view text) const {
  WriteLine(err, name, std::string(text) + " (see " + name + " --help)");
  return kExitUsage;
}

void Console::PrintJson(const nlohmann::ordered_json& value) const {
  out << value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace godwit
