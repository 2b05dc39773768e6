// eval/eval_item.h: files as what codecs are measured on.
#pragma once

#include <optional>
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

// What a file is, by its suffix; nothing where that says nothing.
std::optional<Medium> MediumOfFile(const std::string& path);

struct FoundItems {
  Medium medium = Medium::kPicture;
  std::vector<std::string> paths;
};
// Files of one medium: those named, and those in folders by their suffix, in the order of their
// names; folders inside are not entered. `medium`: what is looked for; where absent, what is there,
// and kInvalidArgument where that is not one. kUnreadable where there are none.
Result<FoundItems> FindItems(const std::vector<std::string>& paths, std::optional<Medium> medium);

// SHA-256 in hex.
std::string HexDigest(std::span<const std::byte> bytes);

}  // namespace godwit
