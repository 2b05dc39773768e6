// models/registry.h: finds weight files by what streams say of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "models/safetensors.h"

namespace godwit {

// The first 8 bytes, little-endian, of the SHA-256 of a whole file. Printed and typed as the 16
// hex digits of those bytes in order, so as `sha256sum` begins.
uint64_t ModelIdOf(std::span<const std::byte> file);
std::string ModelIdHex(uint64_t id);
std::optional<uint64_t> ParseModelId(std::string_view hex);  // exactly 16 digits

// Sizes of synthesis networks, cheapest first; a codec need not have all.
inline constexpr std::array<std::string_view, 4> kSynthesisSizes = {"small", "medium", "large",
                                                                    "huge"};
bool IsSynthesisSize(std::string_view name);
// Sizes of entropy models, cheapest first; the last is that of files that name none.
inline constexpr std::array<std::string_view, 2> kEntropySizes = {"mid", "full"};
bool IsEntropySize(std::string_view name);

// What a file's metadata say. Unknown kinds are listed and never found.
struct ModelEntry {
  uint64_t id = 0;
  std::string path;         // empty: built in
  std::string file;         // without folders
  uint64_t bytes = 0;       // of the file
  std::string codec, kind;  // "swift"; "stream", "synthesis" or "entropy"
  std::string name, version, description;
  // Of a synthesis or entropy model: the stream model that it serves; 0: all of its codec.
  uint64_t stream_id = 0;
  std::string size;  // of a synthesis or entropy model, as its file says
  bool is_default = false;
  Status status;  // not ok: damaged, so never found; the members above may be empty
};

// The built-in models, then folders in the order in which they were added; the first that fits is
// taken. A folder's files are first read when nothing before it fits. Not for several threads.
class ModelRegistry {
 public:
  // kUnreadable where there is no such folder. Of a folder, *.safetensors is looked at.
  Status AddFolder(const std::string& folder);
  // GODWIT_MODELS (folders between colons), then the install folder, as built and as seen from the
  // running program. Those that are not there are passed over.
  void AddDefaultFolders();

  // Damaged files are as good as missing here. kModelMissing names the id and where it was sought.
  Result<SafeTensors> FindStreamModel(uint64_t id);
  // Of a synthesis that serves all streams of its codec, `stream_id` is 0.
  Result<SafeTensors> FindSynthesis(std::string_view codec, uint64_t stream_id,
                                    std::string_view size);
  // The weights of an entropy model: those whose id begins with the four bytes `id`, or of a size
  // the newest version in the first place that has any.
  Result<SafeTensors> FindEntropy(uint64_t stream_id, uint32_t id);
  Result<SafeTensors> FindEntropy(uint64_t stream_id, std::string_view size);
  // What the first of these finds, or null.
  const ModelEntry* FindEntropyEntry(uint64_t stream_id, uint32_t id);
  // The stream model to encode `codec` with. The first place that has any decides: of its models
  // the one marked as the default, else the newest version.
  Result<uint64_t> DefaultStreamModel(std::string_view codec);

  // Everything there is, in order, duplicates and damaged files included.
  const std::deque<ModelEntry>& List();
  // The entry of `id`, or null. Entries stay where they are as long as the registry does.
  const ModelEntry* Find(uint64_t id);
  Result<SafeTensors> Load(const ModelEntry& entry) const;
  // "the program, /usr/share/godwit/models"
  std::string Places() const;

 private:
  struct Place {
    std::string folder;  // empty: built in
    size_t first = 0;    // of its entries
    size_t end = 0;
  };
  struct EntryRange {
    std::deque<ModelEntry>::const_iterator first, last;
    auto begin() const { return first; }
    auto end() const { return last; }
  };
  // The place's entries; reads them at the first call, places in order.
  EntryRange Entries(size_t place);
  template <typename Fits>
  const ModelEntry* FindIf(Fits fits);

  std::vector<Place> places_{Place{}};
  size_t read_ = 0;                 // places whose entries are there
  std::deque<ModelEntry> entries_;  // pointers into it outlive the reading of more folders
};

// A file that was named, not found. kUnreadable, or kModelRefused if it is no safetensors file;
// messages do not name the path.
Result<SafeTensors> ReadModelFile(const std::string& path);

}  // namespace godwit
