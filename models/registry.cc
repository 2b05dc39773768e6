#include "models/registry.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "models/builtin_models.h"
#include "models/sha256.h"

namespace godwit {
namespace {

namespace fs = std::filesystem;

Result<Bytes> ReadBytes(const std::string& path) {
  const auto unreadable = [] { return Status(StatusCode::kUnreadable, std::strerror(errno)); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (file == nullptr) return unreadable();
  Bytes bytes;
  std::array<std::byte, size_t{1} << 16> block;
  while (const size_t n = std::fread(block.data(), 1, block.size(), file.get())) {
    if (bytes.size() + n > SafeTensors::kMaxFileBytes) {
      return Status(StatusCode::kModelRefused,
                    "larger than " + std::to_string(SafeTensors::kMaxFileBytes) + " bytes");
    }
    bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<ptrdiff_t>(n));
  }
  if (std::ferror(file.get()) != 0) return unreadable();
  return bytes;
}

ModelEntry Describe(const Result<SafeTensors>& model, std::optional<uint64_t> known_id) {
  ModelEntry entry;
  if (!model.ok()) {
    entry.status = model.status();
    return entry;
  }
  const auto text = [&](std::string_view key) { return model->Metadata(key).value_or(""); };
  entry.id = known_id ? *known_id : ModelIdOf(model->file());
  entry.bytes = model->file().size();
  entry.codec = text("godwit.codec");
  entry.kind = text("godwit.kind");
  entry.name = text("godwit.name");
  entry.version = text("godwit.version");
  entry.description = text("godwit.description");
  entry.is_default = text("godwit.default") == "1";
  entry.size = text(entry.kind == "entropy" ? "godwit.entropy.size" : "godwit.synthesis.size");
  if (entry.kind == "entropy" && entry.size.empty()) entry.size = kEntropySizes.back();
  if (entry.kind == "synthesis" || entry.kind == "entropy") {
    const std::string key = "godwit." + entry.kind + ".stream";
    const std::optional<uint64_t> id = ParseModelId(text(key.c_str()));
    if (!id) {
      entry.status = Status(StatusCode::kModelRefused, "metadata " + key + " is not 16 hex digits");
    } else {
      entry.stream_id = *id;
    }
  } else if (entry.kind != "stream") {
    entry.status =
        Status(StatusCode::kModelRefused,
               "metadata godwit.kind is none of \"stream\", \"synthesis\" and \"entropy\"");
  }
  return entry;
}

void AppendBuiltin(std::deque<ModelEntry>& entries) {
  for (const BuiltinModel& model : BuiltinModels()) {
    ModelEntry entry = Describe(SafeTensors::Parse(Bytes(model.bytes.begin(), model.bytes.end())),
                                ParseModelId(model.id_hex));
    entry.file = model.file;
    entries.push_back(std::move(entry));
  }
}

void AppendFolder(const std::string& folder, std::deque<ModelEntry>& entries) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".safetensors") paths.push_back(it->path().string());
  }
  std::sort(paths.begin(), paths.end());  // folders have no order of their own
  for (const std::string& path : paths) {
    ModelEntry entry = Describe(ReadModelFile(path), std::nullopt);
    entry.path = path;
    entry.file = fs::path(path).filename().string();
    entries.push_back(std::move(entry));
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool IsSynthesisSize(std::string_view name) {
  return std::find(kSynthesisSizes.begin(), kSynthesisSizes.end(), name) != kSynthesisSizes.end();
}
bool IsEntropySize(std::string_view name) {
  return std::find(kEntropySizes.begin(), kEntropySizes.end(), name) != kEntropySizes.end();
}

uint64_t ModelIdOf(std::span<const std::byte> file) {
  const Sha256Digest digest = Sha256(file);
  uint64_t id = 0;
  for (size_t i = 0; i < 8; ++i) id |= uint64_t{digest[i]} << (8 * i);
  return id;
}

std::string ModelIdHex(uint64_t id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (int i = 0; i < 8; ++i, id >>= 8) hex += {kDigits[id >> 4 & 15], kDigits[id & 15]};
  return hex;
}

std::optional<uint64_t> ParseModelId(std::string_view hex) {
  if (hex.size() != 16) return std::nullopt;
  uint64_t id = 0;
  for (size_t i = 0; i < 8; ++i) {
    const int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id |= static_cast<uint64_t>(high * 16 + low) << (8 * i);
  }
  return id;
}

Result<SafeTensors> ReadModelFile(const std::string& path) {
  GODWIT_ASSIGN_OR_RETURN(Bytes bytes, ReadBytes(path));
  return SafeTensors::Parse(std::move(bytes));
}

Status ModelRegistry::AddFolder(const std::string& folder) {
  std::error_code error;
  fs::directory_iterator it(folder, error);
  if (error) return Status(StatusCode::kUnreadable, folder + ": " + error.message());
  places_.push_back({folder});
  return {};
}

void ModelRegistry::AddDefaultFolders() {
  std::vector<std::string> folders;
  if (const char* const list = std::getenv("GODWIT_MODELS"); list != nullptr) {
    for (std::string_view rest = list; !rest.empty();) {
      const size_t colon = std::min(rest.find(':'), rest.size());
      folders.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  folders.emplace_back(GODWIT_INSTALLED_MODELS);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path folder = (program.parent_path() / GODWIT_MODELS_FROM_PROGRAM).lexically_normal();
    if (folder != GODWIT_INSTALLED_MODELS) folders.push_back(folder.string());
  }
  for (const std::string& folder : folders) {
    if (!folder.empty()) (void)AddFolder(folder);
  }
}

ModelRegistry::EntryRange ModelRegistry::Entries(size_t place) {
  for (; read_ <= place; ++read_) {
    Place& next = places_[read_];
    next.first = entries_.size();
    if (next.folder.empty()) {
      AppendBuiltin(entries_);
    } else {
      AppendFolder(next.folder, entries_);
    }
    next.end = entries_.size();
  }
  const Place& p = places_[place];
  const auto at = [&](size_t i) { return entries_.cbegin() + static_cast<ptrdiff_t>(i); };
  return {at(p.first), at(p.end)};
}

template <typename Fits>
const ModelEntry* ModelRegistry::FindIf(Fits fits) {
  for (size_t place = 0; place < places_.size(); ++place) {
    for (const ModelEntry& entry : Entries(place)) {
      if (entry.status.ok() && fits(entry)) return &entry;
    }
  }
  return nullptr;
}

const ModelEntry* ModelRegistry::Find(uint64_t id) {
  return FindIf([&](const ModelEntry& entry) { return entry.id == id; });
}

Result<SafeTensors> ModelRegistry::FindStreamModel(uint64_t id) {
  const ModelEntry* const entry =
      FindIf([&](const ModelEntry& e) { return e.kind == "stream" && e.id == id; });
  if (entry == nullptr) {
    return Status(StatusCode::kModelMissing,
                  "stream model " + ModelIdHex(id) + " is not in " + Places());
  }
  return Load(*entry);
}

Result<SafeTensors> ModelRegistry::FindSynthesis(std::string_view codec, uint64_t stream_id,
                                                 std::string_view size) {
  const ModelEntry* const entry = FindIf([&](const ModelEntry& e) {
    return e.kind == "synthesis" && e.codec == codec && e.stream_id == stream_id && e.size == size;
  });
  if (entry == nullptr) {
    return Status(StatusCode::kModelMissing, std::string(size) + " synthesis for stream model " +
                                                 ModelIdHex(stream_id) + " is not in " + Places());
  }
  return Load(*entry);
}

const ModelEntry* ModelRegistry::FindEntropyEntry(uint64_t stream_id, uint32_t id) {
  return FindIf([&](const ModelEntry& e) {
    return e.kind == "entropy" && e.stream_id == stream_id && static_cast<uint32_t>(e.id) == id;
  });
}

Result<SafeTensors> ModelRegistry::FindEntropy(uint64_t stream_id, uint32_t id) {
  const ModelEntry* const entry = FindEntropyEntry(stream_id, id);
  if (entry != nullptr) return Load(*entry);
  return Status(StatusCode::kModelMissing, "entropy model " + ModelIdHex(id).substr(0, 8) +
                                               " for stream model " + ModelIdHex(stream_id) +
                                               " is not in " + Places());
}

Result<SafeTensors> ModelRegistry::FindEntropy(uint64_t stream_id, std::string_view size) {
  for (size_t place = 0; place < places_.size(); ++place) {
    const ModelEntry* best = nullptr;
    for (const ModelEntry& e : Entries(place)) {
      const bool fits =
          e.status.ok() && e.kind == "entropy" && e.stream_id == stream_id && e.size == size;
      if (fits && (best == nullptr || ::strverscmp(e.version.c_str(), best->version.c_str()) > 0)) {
        best = &e;
      }
    }
    if (best != nullptr) return Load(*best);
  }
  return Status(StatusCode::kModelMissing, std::string(size) + " entropy model for stream model " +
                                               ModelIdHex(stream_id) + " is not in " + Places());
}

Result<uint64_t> ModelRegistry::DefaultStreamModel(std::string_view codec) {
  for (size_t place = 0; place < places_.size(); ++place) {
    const ModelEntry* best = nullptr;
    for (const ModelEntry& entry : Entries(place)) {
      if (!entry.status.ok() || entry.kind != "stream" || entry.codec != codec) continue;
      const bool better =
          best == nullptr || (entry.is_default != best->is_default
                                  ? entry.is_default
                                  : ::strverscmp(entry.version.c_str(), best->version.c_str()) > 0);
      if (better) best = &entry;
    }
    if (best != nullptr) return best->id;
  }
  return Status(StatusCode::kModelMissing,
                "no stream model for codec " + std::string(codec) + " in " + Places());
}

const std::deque<ModelEntry>& ModelRegistry::List() {
  Entries(places_.size() - 1);
  return entries_;
}

Result<SafeTensors> ModelRegistry::Load(const ModelEntry& entry) const {
  if (!entry.path.empty()) return ReadModelFile(entry.path);
  for (const BuiltinModel& model : BuiltinModels()) {
    if (model.file != entry.file) continue;
    return SafeTensors::Parse(Bytes(model.bytes.begin(), model.bytes.end()));
  }
  return Status(StatusCode::kModelMissing, entry.file + " is not built in");
}

std::string ModelRegistry::Places() const {
  std::string places = "the program";
  for (const Place& place : places_) {
    if (!place.folder.empty()) places += ", " + place.folder;
  }
  return places;
}

}  // namespace godwit
