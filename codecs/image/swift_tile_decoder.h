// codecs/image/swift_tile_decoder.h: the substreams of one tile to its latents, row of cells by row
// of cells.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/cpu.h"
#include "base/status.h"
#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_model.h"
#include "entropy/range_coder.h"

namespace godwit::swift {

struct ContextState;
struct FullModel;
struct FullState;

// Where a row of cells goes: four rows of blocks of each plane.
struct LatentTarget {
  std::array<int16_t*, kPlanes> symbols{};  // [row][column][64]
  std::array<int16_t*, kPlanes> dc{};       // [row][column]
  int64_t columns = 0;                      // from row to row, in blocks
};

// Owns the state of one tile at a time; Start() and DecodeRow() allocate nothing.
class TileDecoder {
 public:
  // `full` for streams with `full` entropy coding, else null.
  TileDecoder(const SwiftModel& model, const FullModel* full, SimdLevel level, int planes,
              int64_t max_cells_w);
  TileDecoder(TileDecoder&&) noexcept;
  ~TileDecoder();
  static uint64_t BytesFor(const FullModel* full, int planes, int64_t max_cells_w);

  // A tile of cells_w x cells_h cells. `substreams` has one span per layer that is decoded, which
  // must stay until the last row; an empty one is a layer of zeros, and so are further layers.
  void Start(std::span<const std::span<const std::byte>> substreams, int step_index,
             int64_t cells_w, int64_t cells_h);
  // The next row of cells. After the last one, errors of all substreams: kCorrupt or kTruncated,
  // with the layer. What is decoded of a damaged tile before is some symbols or other.
  Status DecodeRow(const LatentTarget& out);
  // The row that was decoded last; its symbols are in `out`.
  const CellRow& row() const { return row_; }

 private:
  struct Layer {
    bool coded = false;
    RangeDecoder decoder{{}};
  };

  void DecodeLayer(int layer, Layer& from);

  const SwiftModel& model_;
  const FullModel* full_;
  SimdLevel level_;
  int step_index_ = 0, layers_ = 0;
  int64_t rows_left_ = 0;
  std::array<Layer, kLayers> substreams_;
  CellRow row_;
  std::unique_ptr<ContextState> state_;
  std::unique_ptr<FullState> full_state_;
};

}  // namespace godwit::swift
