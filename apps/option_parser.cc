#include "apps/option_parser.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "fmt/core.h"

namespace godwit {
namespace {

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr size_t kHelpColumn = 26;

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

}  // namespace

std::optional<uint64_t> ParseCount(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    double factor;
  };
  static constexpr Unit kUnits[] = {{"Ki", 1024.0},
                                    {"Mi", 1024.0 * 1024},
                                    {"Gi", 1024.0 * 1024 * 1024},
                                    {"k", 1e3},
                                    {"K", 1e3},
                                    {"M", 1e6},
                                    {"G", 1e9},
                                    {"", 1}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const std::string_view digits = text.substr(0, text.size() - unit.suffix.size());
    if (digits.empty() || digits.find_first_not_of("0123456789.") != digits.npos)
      return std::nullopt;
    const std::optional<double> number = ParseNumber<double>(digits);
    if (!number) return std::nullopt;
    const double value = std::floor(*number * unit.factor);
    if (!(value >= 1 && value <= 0x1p53)) return std::nullopt;  // exact in a double
    return static_cast<uint64_t>(value);
  }
  return std::nullopt;
}

struct OptionParser::State {
  explicit State(Console& c) : console(c) {}
  Console& console;
  std::string summary, usage, help;
  CLI::App app;
  std::vector<std::vector<std::string>> exclusive;

  void Describe(const Option& option) {
    std::string left = "  ";
    const size_t comma = option.names.find(',');
    if (comma != option.names.npos) {
      left += fmt::format("{}, {}", option.names.substr(0, comma), option.names.substr(comma + 1));
    } else {
      left += (option.names.starts_with("--") ? "    " : "") + std::string(option.names);
    }
    if (!option.value.empty()) left += " " + std::string(option.value);
    if (left.size() + 2 > kHelpColumn) left += "\n" + std::string(kHelpColumn, ' ');
    left.resize(std::max(left.size(), kHelpColumn), ' ');
    help += left;
    for (const char c : option.help) {
      help += c;
      if (c == '\n') help += std::string(kHelpColumn, ' ');
    }
    help += '\n';
  }

  // `take` returns what is wrong with the value, or nothing.
  void Add(const Option& option, std::function<std::string(const std::string&)> take) {
    Describe(option);
    const std::string name(option.names.substr(option.names.find(',') + 1));  // npos + 1 is 0
    app.add_option_function<std::string>(
        std::string(option.names), [name, take = std::move(take)](const std::string& text) {
          if (const std::string wrong = take(text); !wrong.empty()) {
            throw CLI::ValidationError(fmt::format("{} {}: {}", name, text, wrong));
          }
        });
  }
};

OptionParser::OptionParser(Console& console, std::string_view summary)
    : state_(std::make_unique<State>(console)) {
  state_->summary = summary;
  state_->app.set_help_flag("-h,--help");
}
OptionParser::~OptionParser() = default;

void OptionParser::Positional(std::string_view name, std::string* value) {
  state_->usage += " " + std::string(name);
  state_->app.add_option(std::string(name), *value)->required();
}

void OptionParser::Positionals(std::string_view name, std::vector<std::string>* values) {
  state_->usage += " " + std::string(name) + "...";
  state_->app.add_option(std::string(name), *values)->required();
}

void OptionParser::Flag(const Option& option, bool* value) {
  state_->Describe(option);
  state_->app.add_flag(std::string(option.names), *value);
}

void OptionParser::Text(const Option& option, std::string* value) {
  state_->Add(option, [value](const std::string& text) {
    *value = text;
    return std::string(text.empty() ? "is empty" : "");
  });
}

void OptionParser::Texts(const Option& option, std::vector<std::string>* values) {
  state_->Describe(option);
  state_->app.add_option(std::string(option.names), *values)->expected(1)->take_all();
}

void OptionParser::Choice(const Option& option, std::string* value,
                          std::vector<std::string> choices) {
  state_->Add(option, [value, choices = std::move(choices)](const std::string& text) {
    *value = text;
    const bool known = std::find(choices.begin(), choices.end(), text) != choices.end();
    return known ? "" : "is none of " + Join(choices, ", ");
  });
}

void OptionParser::Integer(const Option& option, int* value, int low, int high) {
  state_->Add(option, [=](const std::string& text) {
    const std::optional<int> number = ParseNumber<int>(text);
    if (!number || *number < low || *number > high) {
      return fmt::format("is no whole number from {} to {}", low, high);
    }
    *value = *number;
    return std::string();
  });
}

void OptionParser::Real(const Option& option, std::optional<double>* value, double low,
                        double high) {
  state_->Add(option, [=](const std::string& text) {
    const std::optional<double> number = ParseNumber<double>(text);
    if (!number || !(*number >= low && *number <= high)) {  // NaN fails
      return fmt::format("is no number from {} to {}", low, high);
    }
    *value = *number;
    return std::string();
  });
}

void OptionParser::Count(const Option& option, std::optional<uint64_t>* value) {
  state_->Add(option, [=](const std::string& text) {
    *value = ParseCount(text);
    return std::string(*value ? "" : "is no count like 5000, 50k, 1.5M or 64Mi");
  });
}

void OptionParser::Count(const Option& option, uint64_t* value) {
  state_->Add(option, [=](const std::string& text) {
    const std::optional<uint64_t> count = ParseCount(text);
    *value = count.value_or(0);
    return std::string(count ? "" : "is no count like 5000, 50k, 1.5M or 64Mi");
  });
}

void OptionParser::Exclusive(std::vector<std::string> names) {
  state_->exclusive.push_back(std::move(names));
}

std::optional<int> OptionParser::Parse(std::span<const std::string> args) {
  Console& console = state_->console;
  Flag({"--json", "", "results as JSON on standard output"}, &console.json);
  Flag({"--quiet", "", "say nothing when all goes well"}, &console.quiet);
  Flag({"-v,--verbose", "", "say more"}, &console.verbose);
  state_->Describe({"-h,--help", "", "print this"});
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    state_->app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    console.out << fmt::format("usage: {} [OPTIONS]{}\n\n{}\n\n{}", console.name, state_->usage,
                               state_->summary, state_->help);
    return kExitOk;
  } catch (const CLI::Error& error) {
    return console.FailUsage(error.what());
  }
  for (const std::vector<std::string>& names : state_->exclusive) {
    const auto given = [&](const std::string& name) { return state_->app.count(name) > 0; };
    if (std::count_if(names.begin(), names.end(), given) > 1) {
      return console.FailUsage("only one of " + Join(names, ", ") + " may be given");
    }
  }
  return std::nullopt;
}

}  // namespace godwit
