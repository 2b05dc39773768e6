// codecs/array/tile_syntax.h: what encoder and decoder of a tile share: where its samples lie, and
// those that are sent as they are. docs/format/array.md sections 3 and 4.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/array/array_header.h"
#include "codecs/array/predicted_tile.h"
#include "codecs/array/value_table.h"

namespace godwit::array {

enum class TileMethod : uint8_t { kPredicted = 0, kWavelet = 1, kLive = 2 };

inline PlaneGeometry GeometryOf(const BoxOrder& order) {
  return {order.places * order.channels, order.height, order.width};
}

// Where the samples of a box lie in the tile's own memory: the first, and the steps from place to
// place, channel to channel, row to row and column to column.
struct TileSteps {
  int64_t first = 0;
  std::array<int64_t, 4> step{};
};
inline TileSteps StepsInPlanes(const BoxOrder& order) {
  const PlaneGeometry g = GeometryOf(order);
  const int64_t plane = g.plane_stride();
  return {g.At(0, 0, 0), {order.channels * plane, plane, g.row_stride(), 1}};
}
// Channel after channel, without room between.
inline TileSteps StepsInBoxes(const BoxOrder& order) {
  const int64_t plane = order.height * order.width;
  return {0, {plane, order.places * plane, order.width, 1}};
}

// Calls f(offset in the array, offset in the tile) for all samples of `part`, which lies in
// `box`; `array` is the box that the array's samples fill.
template <typename F>
void ForEachSample(const ArrayHeader& header, const Box& array, const Box& box, const Box& part,
                   const TileSteps& steps, F f) {
  const BoxOrder order = OrderOf(header, box);
  std::array<int64_t, 4> in_array, in_planes, step = steps.step;
  int64_t stride = 1;
  for (size_t i = 4; i-- > 0;) {
    in_array[i] = stride;
    stride *= array.size[i];
    int64_t& s = step[static_cast<size_t>(order.role[i])];
    in_planes[i] = s;
    s *= box.size[i];
  }
  std::array<int64_t, 4> from{}, to{};
  const auto at = [&](size_t axis, int64_t i) {
    from[axis] = (axis > 0 ? from[axis - 1] : 0) +
                 (part.begin[axis] - array.begin[axis] + i) * in_array[axis];
    to[axis] = (axis > 0 ? to[axis - 1] : steps.first) +
               (part.begin[axis] - box.begin[axis] + i) * in_planes[axis];
  };
  for (int64_t a = 0; a < part.size[0]; ++a) {
    at(0, a);
    for (int64_t b = 0; b < part.size[1]; ++b) {
      at(1, b);
      for (int64_t c = 0; c < part.size[2]; ++c) {
        at(2, c);
        for (int64_t d = 0; d < part.size[3]; ++d) {
          at(3, d);
          f(from[3], to[3]);
        }
      }
    }
  }
}

// Samples that no whole number stands for, NaN among them: which, and their bits, in the order of
// the planes. `mask` and `values` have geometry.size() entries; of f64 so has `lower`, for the
// lower halves of their bits, else it is null.
template <typename Coder>
void CodeExceptions(Coder& coder, const PlaneGeometry& g, std::vector<uint8_t>& mask,
                    std::vector<int32_t>& values, std::vector<uint32_t>* lower) {
  CountedBit any, is_one[8], repeated;
  if (!CodeCounted(coder, any, !mask.empty())) {
    mask.clear();
    return;
  }
  mask.resize(static_cast<size_t>(g.size()));
  values.resize(mask.size());
  if (lower != nullptr) lower->resize(mask.size());
  int32_t last = 0;
  uint32_t last_lower = 0;
  for (int64_t p = 0; p < g.planes; ++p) {
    for (int64_t y = 0; y < g.height; ++y) {
      for (int64_t x = 0; x < g.width; ++x) {
        const auto at = static_cast<size_t>(g.At(p, y, x));
        const unsigned above = g.is_line() ? 0 : mask[at - static_cast<size_t>(g.row_stride())];
        const unsigned before = p == 0 ? 0 : mask[at - static_cast<size_t>(g.plane_stride())];
        mask[at] = CodeCounted(coder, is_one[mask[at - 1] + 2 * above + 4 * before], mask[at] != 0);
        if (mask[at] == 0) continue;
        const bool same =
            CodeCounted(coder, repeated,
                        values[at] == last && (lower == nullptr || (*lower)[at] == last_lower));
        if (!same) {
          last = static_cast<int32_t>(CodeWide(coder, static_cast<uint32_t>(values[at]), 32));
          if (lower != nullptr) {
            last_lower = static_cast<uint32_t>(CodeWide(coder, (*lower)[at], 32));
          }
        }
        values[at] = last;
        if (lower != nullptr) (*lower)[at] = last_lower;
      }
    }
  }
}

// Lower halves of f64 whose upper ones are the values: a counted bit, 1 if it is not 0, and then 32
// raw bits, plane by plane.
template <typename Coder>
void CodeLower(Coder& coder, PredictedTile& tile) {
  const PlaneGeometry& g = tile.geometry;
  tile.lower.resize(static_cast<size_t>(g.size()));
  CountedBit some[2];
  bool last = false;
  for (int64_t p = 0; p < g.planes; ++p) {
    for (int64_t y = 0; y < g.height; ++y) {
      for (int64_t x = 0; x < g.width; ++x) {
        uint32_t& half = tile.lower[static_cast<size_t>(g.At(p, y, x))];
        last = CodeCounted(coder, some[last], half != 0);
        half = last ? static_cast<uint32_t>(CodeWide(coder, half, 32)) : 0;
      }
    }
  }
}

// Whether values may be places in tables: those that are the bits of an f32.
inline bool HasTables(const ValueMap& map) {
  return map.kind == MapKind::kSingle ||
         (map.kind == MapKind::kOrdered && map.type == SampleType::kF32);
}
inline bool HasLower(const ValueMap& map) {
  return map.kind == MapKind::kOrdered && map.type == SampleType::kF64;
}

// Tables of the channels that have one, for ordered values; and what the values of each channel
// may be. Empty tables are none.
template <typename Coder>
Status CodeTables(Coder& coder, const ValueMap& map, PredictedTile& tile,
                  std::vector<ValueTable>& tables) {
  tile.ranges.assign(static_cast<size_t>(tile.channels), {map.low(), map.high()});
  tables.resize(tile.ranges.size());
  if (!HasTables(map)) return {};
  const PlaneGeometry& g = tile.geometry;
  const int64_t samples = g.planes / tile.channels * g.height * g.width;
  CountedBit has_table;
  for (size_t c = 0; c < tables.size(); ++c) {
    if (!CodeCounted(coder, has_table, !tables[c].values.empty())) continue;
    GODWIT_RETURN_IF_ERROR(CodeTable(coder, samples, tables[c]));
    tile.ranges[c] = {0, tables[c].places.back()};
  }
  return {};
}

// Calls f(value) for all values of a channel of the tile.
template <typename F>
void ForChannel(PredictedTile& tile, int64_t channel, F f) {
  const PlaneGeometry& g = tile.geometry;
  for (int64_t p = channel; p < g.planes; p += tile.channels) {
    for (int64_t y = 0; y < g.height; ++y) {
      int32_t* const row = tile.values.data() + g.At(p, y, 0);
      for (int64_t x = 0; x < g.width; ++x) f(row[x]);
    }
  }
}

}  // namespace godwit::array
