#include "codecs/image/decode_board.h"

#include <algorithm>
#include <cassert>

namespace godwit::swift {

DecodeBoard::DecodeBoard(const Shape& shape)
    : shape_(shape),
      columns_(shape.columns),
      lanes_(shape.lanes),
      latents_end_(shape.first_row),
      kept_(shape.first_row) {
  for (Column& c : columns_) c.done.fill(shape.first_row);
}

DecodePiece DecodeBoard::Take(bool rather_latents, const DecodePiece& last) {
  const size_t column = last.kind == DecodePiece::kLatents ? last.index : 0;
  const size_t lane = last.kind == DecodePiece::kPixels ? last.index : 0;
  DecodePiece piece = rather_latents ? TakeLatents(column) : TakePixels(lane);
  if (piece.kind == DecodePiece::kNone)
    piece = rather_latents ? TakePixels(lane) : TakeLatents(column);
  return piece;
}

// The first part of the next row of cells.
bool DecodeBoard::CanStart(const Column& c) const {
  const int64_t row = c.done[0], whole = c.done[static_cast<size_t>(shape_.parts) - 1];
  if (row >= shape_.end_row || row + kCellBlocks > kept_ + shape_.capacity) return false;
  // Columns begin a row of tiles together, so that what is said of a bad one does not depend on
  // who was first.
  if (row % shape_.tile_rows == 0) return latents_end_ == row;
  return row - whole < shape_.rows_at_once * kCellBlocks;
}

DecodePiece DecodeBoard::TakeLatents(size_t first) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const size_t index = (first + i) % columns_.size();
    Column& c = columns_[index];
    for (int part = shape_.parts - 1; part >= 0; --part) {  // rows that were begun come first
      const auto pz = static_cast<size_t>(part);
      if (c.busy[pz] || !(part > 0 ? c.done[pz] < c.done[pz - 1] : CanStart(c))) continue;
      c.busy[pz] = true;
      return {DecodePiece::kLatents, index, part, c.done[pz]};
    }
  }
  return {};
}

// The lane that is furthest behind, so that latents are needed no longer than they must be.
DecodePiece DecodeBoard::TakePixels(size_t first) {
  size_t best = lanes_.size();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const size_t index = (first + i) % lanes_.size();
    const Lane& lane = lanes_[index];
    if (lane.busy || lane.row == lane.end || lane.needs > latents_end_) continue;
    if (best == lanes_.size() || lane.row < lanes_[best].row) best = index;
  }
  if (best == lanes_.size()) return {};
  lanes_[best].busy = true;
  return {DecodePiece::kPixels, best, 0, lanes_[best].row};
}

void DecodeBoard::DoneLatents(const DecodePiece& piece) {
  Column& c = columns_[piece.index];
  const auto pz = static_cast<size_t>(piece.part);
  assert(c.busy[pz] && c.done[pz] == piece.row);
  c.busy[pz] = false;
  c.done[pz] += kCellBlocks;
  if (piece.part + 1 < shape_.parts) return;
  latents_end_ = c.done[pz];
  for (const Column& other : columns_) latents_end_ = std::min(latents_end_, other.done[pz]);
}

void DecodeBoard::SetLane(size_t index, const Lane& lane) {
  lanes_[index] = lane;
  int64_t first = shape_.end_row;
  for (const Lane& l : lanes_) first = std::min(first, l.first);
  kept_ = std::max(first, shape_.first_row);
}

}  // namespace godwit::swift
