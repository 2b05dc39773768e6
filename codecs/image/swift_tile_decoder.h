// codecs/image/swift_tile_decoder.h: the substreams of one tile to its latents, row of cells by row
// of cells.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

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

// Owns the state of one tile at a time; Start() and decoding allocate nothing.
//
// A row of cells is decoded in parts, its layers. A part needs the one before it in its row and the
// same of the row above, so threads may decode several rows side by side:
//   decoder.Start(..);
//   .. DecodePart(part, row, target) for each part < parts() of each row, any time that part - 1 of
//      the row and the part of row - 1 are done, and all parts of row - rows_at_once ..
//   decoder.Finish();
class TileDecoder {
 public:
  // `full` for streams with `full` entropy coding, else null.
  TileDecoder(const SwiftModel& model, const FullModel* full, SimdLevel level, int planes,
              int64_t max_cells_w, int rows_at_once = 1);
  TileDecoder(TileDecoder&&) noexcept;
  ~TileDecoder();
  static uint64_t BytesFor(const FullModel* full, int planes, int64_t max_cells_w,
                           int rows_at_once = 1);

  // A tile of cells_w x cells_h cells. `substreams` has one span per layer that is decoded, which
  // must stay until the last row; an empty one is a layer of zeros, and so are further layers.
  void Start(std::span<const std::span<const std::byte>> substreams, int step_index,
             int64_t cells_w, int64_t cells_h);
  // Parts of a row with so many layers.
  static int PartsOf(int layers) { return std::max(layers, 2); }
  int parts() const { return PartsOf(layers_); }
  // `out` is the same for all parts of a row, and whole after the last.
  void DecodePart(int part, int64_t row, const LatentTarget& out);
  // After the last row, errors of all substreams: kCorrupt or kTruncated, with the layer. What is
  // decoded of a damaged tile before is some symbols or other.
  Status Finish() const;

  // For one thread: the next row of cells, and after the last one Finish().
  Status DecodeRow(const LatentTarget& out);
  // The row that DecodeRow() decoded last; its symbols are in `out`.
  const CellRow& row() const { return RowAt(next_row_ - 1); }

 private:
  struct Layer {
    bool coded = false;
    RangeDecoder decoder{{}};
  };

  const CellRow& RowAt(int64_t row) const { return rows_[static_cast<size_t>(row) % rows_.size()]; }
  void StartRow(int64_t row, const LatentTarget& out);
  void DecodeLayer(int layer, CellRow& row);

  const SwiftModel& model_;
  const FullModel* full_;
  SimdLevel level_;
  int step_index_ = 0, layers_ = 0;
  int64_t cells_w_ = 0, cells_h_ = 0, next_row_ = 0;
  std::array<Layer, kLayers> substreams_;
  std::vector<CellRow> rows_;  // in turn; one more than are decoded at once, for what lies above
  std::unique_ptr<ContextState> state_;
  std::unique_ptr<FullState> full_state_;
};

}  // namespace godwit::swift
