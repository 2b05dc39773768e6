// apps/main.cc: godwit COMMAND ...
#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/command.h"
#include "base/cpu.h"
#include "fmt/core.h"
#include "io/output_file.h"

namespace godwit {
namespace {

constexpr std::array<const Command*, 8> kCommands = {
    &kEncodeCommand, &kDecodeCommand, &kRepackCommand,  &kInfoCommand,
    &kVerifyCommand, &kModelsCommand, &kCompareCommand, &kEvalCommand};

std::string UsageText() {
  std::string text = "usage: godwit COMMAND [OPTIONS] ...\n\n";
  for (const Command* command : kCommands) {
    text += fmt::format("  {:<10}{}\n", command->name, command->summary);
  }
  return text +
         "  help      this, or the help of a command\n"
         "  version   version, SIMD level and build type; with --json as JSON\n\n"
         "godwit COMMAND --help says more. GODWIT_CPU=scalar|avx2|avx512 caps the SIMD level;\n"
         "GODWIT_MODELS names folders with models, between colons.\n";
}

int RunVersion(std::span<const std::string> args, const Console& console) {
  const std::string_view simd = SimdLevelName(BestSimdLevel());
  if (args.empty()) {
    console.out << fmt::format("godwit {} ({}, {})\n", GODWIT_VERSION, simd, GODWIT_BUILD_TYPE);
    return kExitOk;
  }
  if (args.size() != 1 || args[0] != "--json") {
    console.err << "godwit version: takes --json or nothing\n";
    return kExitUsage;
  }
  console.PrintJson(
      {{"version", GODWIT_VERSION}, {"simd", simd}, {"build_type", GODWIT_BUILD_TYPE}});
  return kExitOk;
}

void CheckEnvironment(std::ostream& err) {
  const char* const cap = std::getenv("GODWIT_CPU");
  if (cap == nullptr) return;
  for (const SimdLevel level : {SimdLevel::kScalar, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (cap == SimdLevelName(level)) return;
  }
  err << "godwit: GODWIT_CPU=" << cap << " is none of scalar, avx2 and avx512; ignored\n";
}

int RunCommand(std::string_view name, std::span<const std::string> args, Console& console) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const Command* c) { return c->name == name; });
  if (found == kCommands.end()) {
    console.err << "godwit: no command " << name << "; godwit help lists them\n";
    return kExitUsage;
  }
  console.name = "godwit " + std::string(name);
  return (*found)->run(args, console);
}

int Run(std::span<const std::string> args, Console& console) {
  if (args.empty()) {
    console.err << UsageText();
    return kExitUsage;
  }
  const std::string name = args[0];
  const std::span<const std::string> rest = args.subspan(1);
  if (name == "version" || name == "--version") return RunVersion(rest, console);
  if (name != "help" && name != "--help" && name != "-h") return RunCommand(name, rest, console);
  if (rest.empty()) {
    console.out << UsageText();
    return kExitOk;
  }
  const std::string help = "--help";
  return RunCommand(rest[0], std::span(&help, 1), console);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  godwit::RemoveOutputsOnSignal();
  godwit::CheckEnvironment(std::cerr);
  godwit::Console console{std::cout, std::cerr, "godwit"};
  int exit = godwit::kExitFailure;
  try {
    exit = godwit::Run(std::vector<std::string>(argv + 1, argv + argc), console);
  } catch (const std::bad_alloc&) {
    std::cerr << console.name << ": out of memory\n";
  } catch (const std::exception& error) {
    std::cerr << console.name << ": " << error.what() << '\n';
  }
  // A full disk must not pass as success.
  if (exit == godwit::kExitOk && !std::cout.flush()) {
    std::cerr << console.name << ": standard output: cannot be written\n";
    exit = godwit::kExitNotWritable;
  }
  return exit;
}
