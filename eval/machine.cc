#include "eval/machine.h"

#include <sys/utsname.h>

#include <fstream>
#include <string>
#include <thread>

#include "base/cpu.h"

namespace godwit {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;  // has its name
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

// What follows `key` and a separator in a file of lines; empty where it is not there.
std::string ValueIn(const char* path, const std::string& key, char separator) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const size_t start = line.find_first_not_of(" \t\"", line.find(separator) + 1);
    if (start == line.npos) return "";
    return line.substr(start, line.find_last_not_of('"') + 1 - start);
  }
  return "";
}

}  // namespace

MachineRecord ThisMachine() {
  MachineRecord machine;
  machine.cpu = ValueIn("/proc/cpuinfo", "model name", ':');
  if (machine.cpu.empty()) machine.cpu = "unknown";
  machine.simd = SimdLevelName(BestSimdLevel());
  machine.processors = static_cast<int>(std::thread::hardware_concurrency());
  machine.compiler = kCompiler;
  machine.system = ValueIn("/etc/os-release", "PRETTY_NAME", '=');
  utsname name{};
  if (::uname(&name) == 0) {
    if (!machine.system.empty()) machine.system += ", ";
    machine.system += std::string(name.sysname) + " " + name.machine;
  }
  return machine;
}

}  // namespace godwit
