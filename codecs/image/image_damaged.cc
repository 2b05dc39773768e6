// ParseDamagedImage(): what is whole in a file that is not; docs/format/image.md section 7.
#include <algorithm>
#include <optional>

#include "codecs/image/image_header.h"
#include "codecs/image/image_sections.h"
#include "codecs/image/image_syntax.h"
#include "io/container.h"

namespace godwit {
namespace {

constexpr size_t kMostNotes = 8;

// What is missing of a picture in the order of rows. Packets say how many layers a row had; here a
// row may lack some where something is damaged before the next row, or the picture's end, follows.
class RowLosses {
 public:
  RowLosses(uint64_t rows, size_t most_layers, std::vector<ImageLoss>& losses)
      : rows_(rows), most_layers_(most_layers), losses_(losses) {}

  void Add(const ImageSectionInfo& layers) {
    const auto row = static_cast<uint64_t>(layers.tile_row);
    if (row >= next_) {
      LoseUpTo(row);
      next_ = row + 1;
    }
    layers_ = layers.first_layer + layers.layers;
    damage_ = left_out_ = false;
  }
  void SeeDamage() { damage_ = true; }
  void LeaveOut(uint64_t row) { left_out_ = left_out_ || row + 1 == next_; }
  void Finish() { LoseUpTo(rows_); }

 private:
  void LoseUpTo(uint64_t row) {
    const bool more = static_cast<size_t>(layers_) < most_layers_;
    if (next_ > 0 && (left_out_ || (damage_ && more && row == next_))) {
      Lose({.tile_row = next_ - 1, .layers = layers_});
    }
    for (; next_ < row; ++next_) Lose({.tile_row = next_});
  }
  void Lose(const ImageLoss& loss) {
    losses_.reserve(rows_);  // no more than was held to the limits
    losses_.push_back(loss);
  }

  uint64_t rows_, next_ = 0;  // next_: behind the last row that has something
  size_t most_layers_;
  int layers_ = 0;  // of that row
  bool damage_ = false, left_out_ = false;
  std::vector<ImageLoss>& losses_;
};

// Whether layers can be used, or build on some that are lost.
bool BuildsOnLost(const Section& section, const ImageStream& s, uint64_t* row_of_tiles) {
  if (section.type != static_cast<uint8_t>(SectionType::kLayers)) return false;
  ByteReader reader(section.body);
  if (s.header.order == ImageOrder::kLayers) {
    const Result<uint8_t> range = reader.U8();
    return range.ok() && (*range & 15u) > s.layers.size();
  }
  const Result<uint64_t> row = reader.Varint();
  const Result<uint8_t> range = reader.U8();
  if (!row.ok() || !range.ok() || (*range & 15) == 0) return false;
  *row_of_tiles = *row;
  // A profile or tags may stand between the layers of a row.
  const auto last = std::find_if(s.sections.rbegin(), s.sections.rend(),
                                 [](const ImageSectionInfo& info) { return info.tile_row >= 0; });
  return last == s.sections.rend() || last->tile_row != static_cast<int64_t>(*row) ||
         last->first_layer + last->layers < (*range & 15);
}

// What was passed over, for people: the first of it.
class Notes {
 public:
  explicit Notes(std::vector<std::string>& notes) : notes_(notes) {}
  void Add(std::string text) {
    if (++count_ <= kMostNotes) notes_.push_back(std::move(text));
  }
  void AddGaps(std::span<const SectionFinder::Gap> gaps) {
    for (; gaps_ < gaps.size(); ++gaps_) {
      Add("bytes " + std::to_string(gaps[gaps_].begin) + " to " +
          std::to_string(gaps[gaps_].end - 1) + " are damaged");
    }
  }
  size_t gaps() const { return gaps_; }  // that were added
  void Finish() {
    if (count_ > kMostNotes)
      notes_.push_back("and " + std::to_string(count_ - kMostNotes) + " more places are damaged");
  }

 private:
  std::vector<std::string>& notes_;
  size_t count_ = 0, gaps_ = 0;
};

}  // namespace

Result<ImageStream> ParseDamagedImage(std::span<const std::byte> file, const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(SectionFinder finder, SectionFinder::Open(file));
  ImageStream s;
  Notes notes(s.damage);
  std::optional<RowLosses> rows;
  bool left_out = false;
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, finder.Next());
    if (rows && finder.gaps().size() > notes.gaps()) rows->SeeDamage();
    notes.AddGaps(finder.gaps());
    if (!section) break;
    const uint64_t offset = section->offset;
    uint64_t row = 0;
    if (!s.sections.empty() && BuildsOnLost(*section, s, &row)) {
      notes.Add("layers at byte " + std::to_string(offset) + " build on lost ones");
      left_out = true;
      if (rows) rows->LeaveOut(row);
      continue;
    }
    const size_t before = s.sections.size();
    GODWIT_RETURN_IF_ERROR(AsCorrupt(ReadSection(*section, limits, /*gaps=*/true, s))
                               .WithPrefix("section at byte " + std::to_string(offset) + ": "));
    if (before == 0 && s.header.order == ImageOrder::kRows)
      rows.emplace(TileGrid(s.header).down, s.layers.size(), s.losses);
    if (s.sections.size() > before && s.sections.back().tile_row >= 0) rows->Add(s.sections.back());
  }
  notes.Finish();
  const TileGrid grid(s.header);
  s.truncated = left_out;
  if (!rows) {
    s.tile_rows = s.layers.empty() ? 0 : grid.down;
    // A file may have fewer than eight layers; what is damaged then may be others.
    s.truncated |= !finder.gaps().empty() && s.layers.size() < swift::kLayers;
  } else if (s.tile_rows > 0) {
    for (auto& layer : s.layers) layer.resize(grid.count());
    s.tile_rows = grid.down;
    rows->Finish();
  }
  if (s.tile_rows == 0) return Status(StatusCode::kTruncated, "no row of tiles is whole");
  if (s.header.has_alpha && s.alpha.empty()) s.truncated = true;
  return s;
}

}  // namespace godwit
