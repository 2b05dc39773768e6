// codecs/array/array_header.h: what a stream says about its array, and the array cut into tiles.
// docs/format/array.md sections 2 and 3.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "codecs/array/value_map.h"
#include "tensor/nd_array.h"

namespace godwit {

// What an encoder promised; for people, decoding does not need it.
enum class ArrayPromise : uint8_t { kNone = 0, kLossless = 1, kMaxError = 2, kRelativeError = 3 };

struct ArrayHeader {
  SampleType type = SampleType::kU8;
  Shape shape;
  uint8_t channel_axes = 0;  // bit i: axis i holds channels; the others are transformed
  // Sides of a tile by axis; channel axes are never cut.
  std::array<int64_t, 4> tile{1, 1, 1, 1};
  array::ValueMap map;
  // MapKind::kWavelet: at most so many levels along places, rows and columns, and the model whose
  // probabilities tiles start with; 0 for none. kLive has one in any case.
  std::array<uint8_t, 3> levels{};
  uint8_t live_levels = 0;  // kLive: of packets
  uint64_t model_id = 0;
  ArrayPromise promise = ArrayPromise::kNone;
  double max_error = 0;  // kMaxError; of kRelativeError, in parts of each sample

  friend bool IsChannelAxis(const ArrayHeader& h, int axis) { return h.channel_axes >> axis & 1; }
};

struct ArrayStream {
  ArrayHeader header;
  // Bodies of the tile sections, borrowed from the file, first axis slowest; and where they are.
  std::vector<std::span<const std::byte>> tiles;
  std::vector<uint64_t> offsets;
};

// Checks the whole container, its CRCs and the header against `limits`; decodes nothing.
// kUnsupported for a file that holds something else than an array.
Result<ArrayStream> ParseArrayStream(std::span<const std::byte> file,
                                     const DecodeLimits& limits = {});

namespace array {

// A box of the array: from `begin`, `size` samples along each axis.
struct Box {
  std::array<int64_t, 4> begin{0, 0, 0, 0}, size{1, 1, 1, 1};
};

inline Box WholeBox(const ArrayHeader& header) { return {{0, 0, 0, 0}, header.shape.dims}; }

// Tiles along each axis and in all; 0 for an array without samples.
std::array<int64_t, 4> TileCounts(const ArrayHeader& header);
int64_t TileCount(const ArrayHeader& header);
Box TileBox(const ArrayHeader& header, int64_t index);

// The axes of a box as planes: all channel axes together, and of the others, those longer than
// one in the array, the last as width, the one before as height, the one before that as place.
struct BoxOrder {
  int64_t channels = 1, places = 1, height = 1, width = 1;
  // For each axis of the array, which of place, channel, y, x it belongs to (0..3).
  std::array<int, 4> role{0, 0, 0, 0};
};
BoxOrder OrderOf(const ArrayHeader& header, const Box& box);

// Bytes of work that a tile of this box takes while it is decoded.
uint64_t WorkBytes(const ArrayHeader& header, const Box& box);

Bytes WriteHead(const ArrayHeader& header);
Result<ArrayHeader> ParseHead(std::span<const std::byte> body, const DecodeLimits& limits);

}  // namespace array

}  // namespace godwit
