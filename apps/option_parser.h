// apps/option_parser.h: a command's arguments, and the help text that they make. The one place
// that knows CLI11.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/console.h"

namespace godwit {

// "-q,--quality": one letter, a comma, the long name; either may be missing.
struct Option {
  std::string_view names;
  std::string_view value;  // what the help calls the value: "Q"
  std::string_view help;   // further lines after '\n'
};

// Keeps pointers to the variables; they are set by Parse().
class OptionParser {
 public:
  // `console` takes --json, --quiet and --verbose, and the messages.
  OptionParser(Console& console, std::string_view summary);
  ~OptionParser();

  void Positional(std::string_view name, std::string* value);
  void Positionals(std::string_view name, std::vector<std::string>* values);  // one or more

  void Flag(const Option& option, bool* value);
  void Text(const Option& option, std::string* value);
  void Texts(const Option& option, std::vector<std::string>* values);  // may come again
  void Choice(const Option& option, std::string* value, std::vector<std::string> choices);
  void Integer(const Option& option, int* value, int low, int high);
  void Real(const Option& option, std::optional<double>* value, double low, double high);
  // A positive number of bytes or pixels, ParseCount().
  void Count(const Option& option, uint64_t* value);
  void Count(const Option& option, std::optional<uint64_t>* value);
  // At most one of these long names may be given.
  void Exclusive(std::vector<std::string> names);

  // Nothing if the command may go on, else the exit code: help was printed, or a mistake reported.
  std::optional<int> Parse(std::span<const std::string> args);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "1500", "64k", "1.5M", "2G" (thousands), "64Ki", "1Mi" (of 1024). Nothing for anything else,
// zero included; fractions of one are cut off.
std::optional<uint64_t> ParseCount(std::string_view text);

}  // namespace godwit
