#include "codecs/image/image_conceal.h"

#include <algorithm>

#include "codecs/image/full_model.h"
#include "codecs/image/image_syntax.h"
#include "codecs/image/swift_tile_decoder.h"

namespace godwit {
namespace {

using swift::kCell;
using swift::kCellBlocks;
using swift::kPlanes;

int64_t Cells(int64_t pixels) { return (pixels + kCell - 1) / kCell; }

int64_t RoundedQuotient(int64_t a, int64_t b) {
  const int64_t twice = 2 * a + b, divisor = 2 * b;
  return twice / divisor - (twice % divisor < 0 ? 1 : 0);
}

// Means over stretches of a line that reach `reach` to both sides, as far as the line goes.
class LineMeans {
 public:
  explicit LineMeans(std::span<const int16_t> line) : sum_(line.size() + 1) {
    for (size_t i = 0; i < line.size(); ++i) sum_[i + 1] = sum_[i] + line[i];
  }
  int64_t At(size_t column, size_t reach) const {
    const size_t begin = column - std::min(column, reach);
    const size_t end = std::min(column + reach + 1, sum_.size() - 1);
    return RoundedQuotient(sum_[end] - sum_[begin], static_cast<int64_t>(end - begin));
  }

 private:
  std::vector<int64_t> sum_;
};

using Planes = std::array<std::vector<int16_t>, kPlanes>;

// DC of the blocks of rows of tiles, as their coarse layers give it.
class CoarseDecoder {
 public:
  CoarseDecoder(const ImageStream& stream, const ImageModel& model, SimdLevel level)
      : stream_(stream),
        grid_(stream.header),
        columns_(Cells(stream.header.width) * kCellBlocks),
        tile_(model.swift(), stream.header.full ? model.full() : nullptr, level,
              stream.header.planes, Cells(grid_.TileWidth(0))),
        symbols_(static_cast<size_t>(kCellBlocks * Cells(grid_.TileWidth(0)) * kCellBlocks *
                                     swift::kChannels)),
        dc_(static_cast<size_t>(kCellBlocks * Cells(grid_.TileWidth(0)) * kCellBlocks)) {}

  static uint64_t BytesFor(const ImageStream& stream, const ImageModel& model) {
    const int64_t cells = Cells(TileGrid(stream.header).TileWidth(0));
    return swift::TileDecoder::BytesFor(stream.header.full ? model.full() : nullptr,
                                        stream.header.planes, cells) +
           static_cast<uint64_t>(kCellBlocks * cells * kCellBlocks * (swift::kChannels + 1)) *
               sizeof(int16_t);
  }
  int64_t columns() const { return columns_; }
  size_t planes() const { return stream_.header.planes; }

  // Of the first `cells` rows of cells of row `ty`: [row of blocks][column].
  Result<Planes> Decode(uint64_t ty, int64_t cells) {
    Planes dc;
    for (size_t p = 0; p < planes(); ++p)
      dc[p].resize(static_cast<size_t>(cells * kCellBlocks * columns_));
    for (uint64_t tx = 0; tx < grid_.across; ++tx)
      GODWIT_RETURN_IF_ERROR(DecodeTile(tx, ty, cells, dc));
    return dc;
  }
  // Its last or its first row of blocks.
  Result<Planes> DecodeEdge(uint64_t ty, bool last) {
    const int64_t cells = last ? Cells(grid_.TileHeight(ty)) : 1;
    GODWIT_ASSIGN_OR_RETURN(Planes dc, Decode(ty, cells));
    for (size_t p = 0; p < planes(); ++p) {
      if (last) dc[p].erase(dc[p].begin(), dc[p].end() - columns_);
      dc[p].resize(static_cast<size_t>(columns_));
    }
    return dc;
  }

 private:
  Status DecodeTile(uint64_t tx, uint64_t ty, int64_t cells, Planes& dc) {
    const size_t index = ty * grid_.across + tx;
    std::array<std::span<const std::byte>, 2> coarse;
    const size_t layers = std::min(coarse.size(), stream_.layers.size());
    for (size_t l = 0; l < layers; ++l) {
      if (index < stream_.layers[l].size()) coarse[l] = stream_.layers[l][index];
    }
    tile_.Start({coarse.data(), layers}, stream_.header.step_index, Cells(grid_.TileWidth(tx)),
                Cells(grid_.TileHeight(ty)));
    const auto left = static_cast<int64_t>(tx * grid_.tile_width / kBlockSide);
    swift::LatentTarget target;  // symbols are zeros and DC is read from the row, so one will do
    target.symbols.fill(symbols_.data());
    target.dc.fill(dc_.data());
    target.columns = Cells(grid_.TileWidth(tx)) * kCellBlocks;
    for (int64_t y = 0; y < cells; ++y) {
      GODWIT_RETURN_IF_ERROR(
          tile_.DecodeRow(target).WithPrefix("tile " + std::to_string(index) + ", "));
      const swift::CellRow& row = tile_.row();
      for (int64_t b = 0; b < kCellBlocks; ++b) {
        for (size_t p = 0; p < planes(); ++p) {
          std::copy_n(row.dc[p].data() + row.Bordered(b, 0), target.columns,
                      dc[p].data() + (y * kCellBlocks + b) * columns_ + left);
        }
      }
    }
    return {};
  }

  const ImageStream& stream_;
  TileGrid grid_;
  int64_t columns_;
  swift::TileDecoder tile_;
  std::vector<int16_t> symbols_, dc_;
};

// A row that is known to have had more than layer 0, which is all that it has.
bool IsCoarse(const ImageLoss& loss) { return loss.layers == 1 && loss.of > 0; }

int64_t BlocksDown(const TileGrid& grid, uint64_t first, uint64_t end) {
  const auto top = static_cast<int64_t>(first * grid.tile_height);
  const auto bottom = static_cast<int64_t>(std::min(end * grid.tile_height, grid.height));
  return Cells(bottom - top) * kCellBlocks;
}

Result<ConcealedRows> FillGap(CoarseDecoder& decoder, const TileGrid& grid, uint64_t first,
                              uint64_t end) {
  ConcealedRows gap;
  gap.first = first;
  gap.end = end;
  gap.columns = decoder.columns();
  Planes above, below;
  if (first > 0) {
    GODWIT_ASSIGN_OR_RETURN(above, decoder.DecodeEdge(first - 1, /*last=*/true));
  }
  if (end < grid.down) {
    GODWIT_ASSIGN_OR_RETURN(below, decoder.DecodeEdge(end, /*last=*/false));
  }
  for (size_t p = 0; p < decoder.planes(); ++p) {
    gap.dc[p].resize(static_cast<size_t>(BlocksDown(grid, first, end) * gap.columns));
    FillBetween(above[p], below[p], gap.dc[p]);
  }
  return gap;
}

Result<ConcealedRows> SmoothRow(CoarseDecoder& decoder, const TileGrid& grid, uint64_t ty) {
  ConcealedRows row;
  row.first = ty;
  row.end = ty + 1;
  row.columns = decoder.columns();
  GODWIT_ASSIGN_OR_RETURN(row.dc, decoder.Decode(ty, Cells(grid.TileHeight(ty))));
  for (size_t p = 0; p < decoder.planes(); ++p) SmoothCells(row.columns, row.dc[p]);
  return row;
}

}  // namespace

void SmoothCells(int64_t columns, std::span<int16_t> dc) {
  const int64_t across = columns / kCellBlocks,
                down = static_cast<int64_t>(dc.size()) / columns / kCellBlocks;
  std::vector<int16_t> cell(static_cast<size_t>(across * down));
  for (int64_t y = 0; y < down; ++y) {
    for (int64_t x = 0; x < across; ++x) {
      cell[static_cast<size_t>(y * across + x)] =
          dc[static_cast<size_t>((y * columns + x) * kCellBlocks)];
    }
  }
  // Eighths of a cell from the middle of the first: where a block's middle lies.
  const auto place = [](int64_t block) { return 2 * block + 1 - kCellBlocks; };
  for (int64_t by = 0; by < down * kCellBlocks; ++by) {
    const int64_t v = place(by), fy = v & 7, y0 = std::max<int64_t>(v >> 3, 0),
                  y1 = std::min((v >> 3) + 1, down - 1);
    for (int64_t bx = 0; bx < columns; ++bx) {
      const int64_t u = place(bx), fx = u & 7, x0 = std::max<int64_t>(u >> 3, 0),
                    x1 = std::min((u >> 3) + 1, across - 1);
      const auto at = [&](int64_t y, int64_t x) -> int64_t {
        return cell[static_cast<size_t>(y * across + x)];
      };
      const int64_t sum = (8 - fy) * ((8 - fx) * at(y0, x0) + fx * at(y0, x1)) +
                          fy * ((8 - fx) * at(y1, x0) + fx * at(y1, x1));
      dc[static_cast<size_t>(by * columns + bx)] = static_cast<int16_t>((sum + 32) >> 6);
    }
  }
}

void FillBetween(std::span<const int16_t> above, std::span<const int16_t> below,
                 std::span<int16_t> out) {
  const size_t columns = std::max(above.size(), below.size()), rows = out.size() / columns;
  const LineMeans from_above(above), from_below(below);
  for (size_t y = 0; y < rows; ++y) {
    const auto down = static_cast<int64_t>(y + 1), up = static_cast<int64_t>(rows - y);
    for (size_t x = 0; x < columns; ++x) {
      int64_t value = 0;
      if (above.empty()) {
        value = from_below.At(x, rows - 1 - y);
      } else if (below.empty()) {
        value = from_above.At(x, y);
      } else {
        value = RoundedQuotient(up * from_above.At(x, y) + down * from_below.At(x, rows - 1 - y),
                                up + down);
      }
      out[y * columns + x] = static_cast<int16_t>(value);
    }
  }
}

uint64_t ConcealedBytes(const ImageStream& stream, const ImageModel& model) {
  if (stream.losses.empty()) return 0;
  const TileGrid grid(stream.header);
  uint64_t rows = 0;
  for (const ImageLoss& loss : stream.losses) {
    if (loss.layers == 0 || IsCoarse(loss))
      rows += static_cast<uint64_t>(BlocksDown(grid, loss.tile_row, loss.tile_row + 1));
  }
  rows += 2 * grid.tile_height / kBlockSide;  // those around, while they are decoded
  const auto columns = static_cast<uint64_t>(Cells(stream.header.width) * kCellBlocks);
  return rows * columns * stream.header.planes * sizeof(int16_t) +
         CoarseDecoder::BytesFor(stream, model);
}

Result<std::vector<ConcealedRows>> ConcealLosses(const ImageStream& stream, const ImageModel& model,
                                                 SimdLevel level) {
  const TileGrid grid(stream.header);
  std::vector<ConcealedRows> concealed;
  if (stream.losses.empty()) return concealed;
  CoarseDecoder decoder(stream, model, level);
  for (size_t i = 0; i < stream.losses.size();) {
    const uint64_t first = stream.losses[i].tile_row;
    if (stream.losses[i].layers > 0) {
      if (!IsCoarse(stream.losses[i++])) continue;
      GODWIT_ASSIGN_OR_RETURN(ConcealedRows row, SmoothRow(decoder, grid, first));
      concealed.push_back(std::move(row));
      continue;
    }
    uint64_t end = first;
    for (; i < stream.losses.size() && stream.losses[i].layers == 0 &&
           stream.losses[i].tile_row == end;
         ++i)
      ++end;
    if (first == 0 && end == grid.down) {
      return Status(StatusCode::kTruncated, "no row of tiles is whole");
    }
    GODWIT_ASSIGN_OR_RETURN(ConcealedRows gap, FillGap(decoder, grid, first, end));
    concealed.push_back(std::move(gap));
  }
  return concealed;
}

}  // namespace godwit
