// apps/command.h: what main.cc knows of a command. Each is one file and a line in its table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "apps/console.h"

namespace godwit {

struct Command {
  std::string_view name, summary;
  // Gets what follows the command's name; returns an exit code.
  int (*run)(std::span<const std::string> args, Console& console);
};

extern const Command kEncodeCommand, kDecodeCommand, kInfoCommand, kVerifyCommand, kModelsCommand,
    kCompareCommand, kEvalCommand, kRepackCommand;

}  // namespace godwit
