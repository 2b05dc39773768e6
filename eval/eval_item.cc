#include "eval/eval_item.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "eval/eval_picture.h"
#include "eval/eval_sound.h"
#include "fmt/core.h"
#include "io/any_array.h"
#include "models/sha256.h"

namespace godwit {
namespace {

struct Suffix {
  std::string_view text;
  Medium medium;
};
constexpr std::array<Suffix, 19> kSuffixes = {{
    {".png", Medium::kPicture},  {".ppm", Medium::kPicture},  {".pgm", Medium::kPicture},
    {".pnm", Medium::kPicture},  {".pam", Medium::kPicture},  {".jpg", Medium::kPicture},
    {".jpeg", Medium::kPicture}, {".webp", Medium::kPicture}, {".wav", Medium::kSound},
    {".flac", Medium::kSound},   {".ogg", Medium::kSound},    {".oga", Medium::kSound},
    {".opus", Medium::kSound},   {".mp3", Medium::kSound},    {".aif", Medium::kSound},
    {".aiff", Medium::kSound},   {".npy", Medium::kArray},    {".nii", Medium::kArray},
    {".nii.gz", Medium::kArray},
}};

// What WAV holds may be taken as an array, too.
bool MayBe(const std::string& path, Medium medium) {
  const std::optional<Medium> is = MediumOfFile(path);
  return is == medium || (medium == Medium::kArray && is == Medium::kSound);
}

Result<std::vector<std::string>> FilesIn(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> found;
  std::filesystem::directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && MediumOfFile(entry->path().string())) {
      found.push_back(entry->path().string());
    }
  }
  if (error) return Status(StatusCode::kUnreadable, folder + ": " + error.message());
  std::sort(found.begin(), found.end());
  return found;
}

Result<EvalItem> ReadPicture(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(EvalPicture picture, ReadEvalPicture(path, limits));
  EvalItem read;
  read.record.width = static_cast<uint32_t>(picture.rgb.width());
  read.record.height = static_cast<uint32_t>(picture.rgb.height());
  read.record.digest = picture.digest;
  read.item = std::move(picture.rgb);
  return read;
}

Result<EvalItem> ReadArray(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(NdArray array, ReadArrayFile(path, limits));
  if (array.data.empty()) return Status(StatusCode::kUnreadable, path + ": has no samples");
  EvalItem read;
  read.record.type = SampleTypeName(array.type);
  for (int i = 0; i < array.shape.rank; ++i) {
    read.record.shape.push_back(static_cast<uint64_t>(array.shape.dims[static_cast<size_t>(i)]));
  }
  read.record.digest = HexDigest(array.data);
  read.item = std::move(array);
  return read;
}

Result<EvalItem> ReadSound(const std::string& path, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(Sound sound, ReadEvalSound(path, limits));
  EvalItem read;
  read.record.rate_hz = sound.rate_hz;
  read.record.channels = sound.channels;
  read.record.frames = sound.frames();
  read.record.digest = HexDigest(std::as_bytes(std::span<const float>(sound.samples)));
  read.item = std::move(sound);
  return read;
}

}  // namespace

std::optional<Medium> MediumOfFile(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Suffix& suffix : kSuffixes) {
    if (name.ends_with(suffix.text)) return suffix.medium;
  }
  return std::nullopt;
}

Result<FoundItems> FindItems(const std::vector<std::string>& paths, std::optional<Medium> medium) {
  struct Found {
    std::string folder;  // empty: named by itself
    std::vector<std::string> files;
  };
  std::vector<Found> all;
  std::error_code error;
  for (const std::string& path : paths) {
    if (std::filesystem::is_directory(path, error)) {
      GODWIT_ASSIGN_OR_RETURN(std::vector<std::string> files, FilesIn(path));
      if (medium) std::erase_if(files, [&](const std::string& f) { return !MayBe(f, *medium); });
      all.push_back({path, std::move(files)});
    } else if (std::filesystem::exists(path, error)) {
      all.push_back({"", {path}});
    } else {
      return Status(StatusCode::kUnreadable, path + ": no such folder or file");
    }
  }
  for (const Found& found : all) {
    for (const std::string& file : found.files) {
      const std::optional<Medium> said = MediumOfFile(file);
      const Medium is = said.value_or(medium.value_or(Medium::kPicture));
      if (!medium) medium = is;
      if (*medium == is || MayBe(file, *medium)) continue;
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}: is of {}, and others are of {}; --media says which are meant",
                                file, WordsOf(is).many, WordsOf(*medium).many));
    }
  }
  FoundItems items{medium.value_or(Medium::kPicture), {}};
  for (const Found& found : all) {
    if (found.files.empty()) {
      return Status(StatusCode::kUnreadable,
                    fmt::format("{}: no {} here", found.folder,
                                medium ? WordsOf(*medium).many : "pictures, sounds or arrays"));
    }
    items.paths.insert(items.paths.end(), found.files.begin(), found.files.end());
  }
  return items;
}

Result<EvalItem> ReadEvalItem(Medium medium, const std::string& path, const DecodeLimits& limits) {
  Result<EvalItem> read = medium == Medium::kPicture ? ReadPicture(path, limits)
                          : medium == Medium::kSound ? ReadSound(path, limits)
                                                     : ReadArray(path, limits);
  if (read.ok()) read->record.name = std::filesystem::path(path).filename().string();
  return read;
}

std::string HexDigest(std::span<const std::byte> bytes) {
  std::string hex;
  for (const uint8_t v : Sha256(bytes)) hex += fmt::format("{:02x}", v);
  return hex;
}

}  // namespace godwit
