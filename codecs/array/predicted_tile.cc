#include "codecs/array/predicted_tile.h"

namespace godwit::array {

std::vector<int64_t> ReferencesOf(const PredictedTile& tile, int64_t plane) {
  constexpr int64_t kBefore = 3, kChannels2d = 6;
  const int64_t channel = plane % tile.channels, place = plane / tile.channels;
  std::vector<int64_t> references;
  for (int64_t i = 1; i <= std::min(kBefore, place); ++i) references.push_back(i * tile.channels);
  const int64_t most = std::min<int64_t>(tile.geometry.is_line() ? kMaxReferences : kChannels2d,
                                         kMaxReferences - static_cast<int64_t>(references.size()));
  for (int64_t i = 1; i <= std::min(most, channel); ++i) references.push_back(i);
  return references;
}

void BeginRow(const PlaneGeometry& g, int32_t* values, int64_t plane, int64_t y) {
  int32_t* const row = values + g.At(plane, y, 0);
  const int32_t start = y > 0 ? row[-g.row_stride()] : 0;
  std::fill(row - g.left(), row, start);
}

void EndRow(const PlaneGeometry& g, int32_t* values, int64_t plane, int64_t y) {
  int32_t* const end = values + g.At(plane, y, g.width);
  std::fill(end, end + kRightPad, end[-1]);
}

void EndPlane(const PlaneGeometry& g, int32_t* values, int64_t plane) {
  const int32_t* const last = values + g.At(plane, g.height - 1, 0) - g.left();
  for (int64_t y = g.height; y < g.height + g.row_pad(); ++y) {
    std::copy(last, last + g.row_stride(), values + g.At(plane, y, 0) - g.left());
  }
}

}  // namespace godwit::array
