// Threads' orders, played by a generator: whatever goes first, nothing goes too early and all goes.
#include "codecs/image/decode_board.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace godwit::swift {
namespace {

// What the pieces that are done so far allow, counted apart from the board.
class Player {
 public:
  Player(const DecodeBoard::Shape& shape, int64_t halo)
      : shape_(shape),
        halo_(halo),
        board_(shape),
        done_(shape.columns, std::vector<int64_t>(static_cast<size_t>(shape.parts))),
        made_(shape.lanes) {
    for (size_t i = 0; i < made_.size(); ++i) Place(i);
  }

  void Play(uint32_t seed, size_t threads) {
    std::mt19937 random(seed);
    std::vector<DecodePiece> running, last(threads);
    while (true) {
      while (running.size() < threads) {
        const size_t thread = random() % threads;
        const DecodePiece piece = board_.Take(random() % 2 != 0, last[thread]);
        if (piece.kind == DecodePiece::kNone) break;
        last[thread] = piece;
        Check(piece, running);
        running.push_back(piece);
      }
      if (running.empty()) break;
      const size_t which = random() % running.size();
      Finish(running[which]);
      running.erase(running.begin() + static_cast<ptrdiff_t>(which));
    }
    EXPECT_EQ(board_.latents_end(), shape_.end_row);
    for (const int64_t row : made_) EXPECT_EQ(row, shape_.end_row);
  }

 private:
  int64_t FirstOf(size_t lane) const { return std::max<int64_t>(made_[lane] - halo_ - 1, 0); }
  int64_t NeedsOf(size_t lane) const { return std::min(made_[lane] + 4 + halo_, shape_.end_row); }
  void Place(size_t lane) {
    const bool at_end = made_[lane] == shape_.end_row;
    board_.SetLane(lane, {made_[lane], shape_.end_row, at_end ? shape_.end_row : FirstOf(lane),
                          NeedsOf(lane), false});
  }
  void Check(const DecodePiece& piece, const std::vector<DecodePiece>& running) {
    if (piece.kind == DecodePiece::kPixels) {
      for (const auto& column : done_) ASSERT_GE(column.back(), NeedsOf(piece.index));
      for (const DecodePiece& other : running)
        ASSERT_FALSE(other.kind == piece.kind && other.index == piece.index);
      return;
    }
    const auto& column = done_[piece.index];
    const auto part = static_cast<size_t>(piece.part);
    ASSERT_EQ(column[part], piece.row);
    if (part > 0) {
      ASSERT_GT(column[part - 1], piece.row);
    }
    ASSERT_GE(column.back(), piece.row + 4 - 4 * shape_.rows_at_once);
    for (const DecodePiece& other : running) {
      if (other.kind != piece.kind || other.index != piece.index) continue;
      ASSERT_TRUE(other.part != piece.part && other.row != piece.row);
    }
    if (piece.row % shape_.tile_rows == 0 && part == 0) {  // all of the row of tiles before
      for (const auto& other : done_) ASSERT_GE(other.back(), piece.row);
    }
    for (size_t lane = 0; lane < made_.size(); ++lane) {  // nothing that is read is overwritten
      if (made_[lane] == shape_.end_row) continue;
      ASSERT_LE(piece.row + 4 - shape_.capacity, FirstOf(lane));
    }
  }
  void Finish(const DecodePiece& piece) {
    if (piece.kind == DecodePiece::kPixels) {
      made_[piece.index] = std::min(made_[piece.index] + 4, shape_.end_row);
      return Place(piece.index);
    }
    done_[piece.index][static_cast<size_t>(piece.part)] += 4;
    board_.DoneLatents(piece);
  }

  DecodeBoard::Shape shape_;
  int64_t halo_;
  DecodeBoard board_;
  std::vector<std::vector<int64_t>> done_;
  std::vector<int64_t> made_;
};

TEST(DecodeBoardTest, NothingGoesTooEarlyAndAllGoes) {
  uint32_t seed = 1;
  for (const size_t columns : {1, 2, 5}) {
    for (const size_t lanes : {1, 3}) {
      for (const int parts : {2, 8}) {
        for (const int rows_at_once : {1, 2, 4}) {
          for (const int64_t tile_rows : {4, 16, 64}) {
            for (const size_t threads : {1, 2, 7}) {
              const int64_t halo = seed % 5;
              DecodeBoard::Shape shape{.columns = columns,
                                       .lanes = lanes,
                                       .parts = parts,
                                       .rows_at_once = rows_at_once,
                                       .tile_rows = tile_rows,
                                       .end_row = 64,
                                       .capacity = 20 + 4 * (seed % 4)};
              SCOPED_TRACE(seed);
              Player(shape, halo).Play(seed++, threads);
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST(DecodeBoardTest, NothingIsDecodedFromTheRowOnWhereItStops) {
  DecodeBoard board(
      {.columns = 1, .lanes = 0, .parts = 2, .tile_rows = 8, .end_row = 32, .capacity = 32});
  int pieces = 0;
  board.StopAt(8);
  for (DecodePiece p; (p = board.Take(true, p)).kind != DecodePiece::kNone; ++pieces)
    board.DoneLatents(p);
  EXPECT_EQ(pieces, 4);
  EXPECT_EQ(board.latents_end(), 8);
}

}  // namespace
}  // namespace godwit::swift
