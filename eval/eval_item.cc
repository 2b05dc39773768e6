#include "eval/eval_item.h"

#include <filesystem>

#include "eval/eval_picture.h"
#include "fmt/core.h"
#include "models/sha256.h"

namespace godwit {
namespace {

Result<EvalItem> ReadPicture(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(EvalPicture picture, ReadEvalPicture(path, limits));
  EvalItem read;
  read.record.width = static_cast<uint32_t>(picture.rgb.width());
  read.record.height = static_cast<uint32_t>(picture.rgb.height());
  read.record.digest = picture.digest;
  read.item = std::move(picture.rgb);
  return read;
}

}  // namespace

Result<EvalItem> ReadEvalItem(Medium, const std::string& path, const DecodeLimits& limits) {
  Result<EvalItem> read = ReadPicture(path, limits);
  if (read.ok()) read->record.name = std::filesystem::path(path).filename().string();
  return read;
}

std::string HexDigest(std::span<const std::byte> bytes) {
  std::string hex;
  for (const uint8_t v : Sha256(bytes)) hex += fmt::format("{:02x}", v);
  return hex;
}

}  // namespace godwit
