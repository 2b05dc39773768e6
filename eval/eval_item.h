// eval/eval_item.h: files as what codecs are measured on.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "eval/item.h"
#include "eval/results.h"

namespace godwit {

struct EvalItem {
  Item item;
  ItemRecord record;  // named as the file, without folders
};

// Messages name the file.
Result<EvalItem> ReadEvalItem(Medium medium, const std::string& path,
                              const DecodeLimits& limits = {});

// SHA-256 in hex.
std::string HexDigest(std::span<const std::byte> bytes);

}  // namespace godwit
