// codecs/image/decode_board.h: which pieces of a picture's decoding can go next, and who waits for
// whom. It knows neither latents nor pixels, so threads may share one under a lock.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "codecs/image/swift_layout.h"

namespace godwit::swift {

// Rows are rows of blocks of the picture.
struct DecodePiece {
  enum Kind : uint8_t { kNone, kLatents, kPixels } kind = kNone;
  size_t index = 0;  // the column of tiles of latents, the lane of pixels
  int part = 0;      // of a row of cells, see TileDecoder
  int64_t row = 0;   // of latents: the first of the row of cells
};

// Latents come by columns of tiles, rows of cells and their parts into a ring of rows; pixels by
// lanes, each of which reads the ring as it goes down.
class DecodeBoard {
 public:
  struct Shape {
    size_t columns = 0, lanes = 0;
    int parts = 0, rows_at_once = 1;  // of the tiles' decoders
    int64_t tile_rows = 0;            // whole cells
    int64_t first_row = 0;            // latents are decoded from here, where a tile begins,
    int64_t end_row = 0;              // to here at most
    int64_t capacity = 0;             // of the ring
  };
  struct Lane {
    int64_t row = 0;    // made so far
    int64_t end = 0;    // wanted now
    int64_t first = 0;  // the first row of latents that it still reads
    int64_t needs = 0;  // it can go on when latents are there up to here
    bool busy = false;
  };

  explicit DecodeBoard(const Shape& shape);

  // Takes a piece, if any can go. Threads differ in what they rather do, so that one goes on with
  // latents and others with pixels, and stay with the column they had.
  DecodePiece Take(bool rather_latents, const DecodePiece& last);
  // Latents up to here are whole in all columns.
  int64_t latents_end() const { return latents_end_; }
  // A piece of latents is done; of a lane, say where it is instead.
  void DoneLatents(const DecodePiece& piece);
  void SetLane(size_t index, const Lane& lane);
  // Nothing from `row` on is decoded any more.
  void StopAt(int64_t row) { shape_.end_row = row; }
  int64_t end_row() const { return shape_.end_row; }

 private:
  struct Column {
    std::array<int64_t, kLayers> done{};  // by part
    std::array<bool, kLayers> busy{};
  };
  DecodePiece TakeLatents(size_t first);
  DecodePiece TakePixels(size_t first);
  bool CanStart(const Column& column) const;

  Shape shape_;
  std::vector<Column> columns_;
  std::vector<Lane> lanes_;
  int64_t latents_end_ = 0;
  int64_t kept_ = 0;  // rows before are read no more
};

}  // namespace godwit::swift
