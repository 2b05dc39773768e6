// codecs/image/full_row.h: one row of cells from one entropy model to the other.
#pragma once

#include <algorithm>
#include <cstdint>

#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_model.h"

namespace godwit::swift {

// Copies the latents of `from` to `to`, of the same tile and row, whose NextRow() or StartTile()
// was called; `to` is then as an encoder's analysis leaves it.
inline void TakeLatents(const SwiftModel& model, int step_index, SimdLevel level,
                        const CellRow& from, CellRow& to) {
  for (size_t p = 0; p < static_cast<size_t>(to.planes); ++p) {
    std::copy_n(from.coarse[p].data() + from.BorderedCell(0) * kCoarse, from.cells_w * kCoarse,
                to.coarse[p].data() + to.BorderedCell(0) * kCoarse);
    std::fill_n(to.cell_nonzero[p].data(), to.cells_w, uint64_t{0});
    for (int64_t y = 0; y < kCellBlocks; ++y) {
      for (int64_t x = 0; x < to.blocks_w(); ++x) {
        const int16_t* const q = from.Symbols(p, y, x);
        uint64_t nonzero = 0;
        for (size_t c = 1; c < kChannels; ++c) nonzero |= uint64_t{q[c] != 0} << c;
        std::copy_n(q, kChannels, to.Symbols(p, y, x));
        to.nonzero[p].data()[y * to.blocks_w() + x] = nonzero;
        to.cell_nonzero[p].data()[x / kCellBlocks] |= nonzero;
      }
    }
  }
  const uint32_t step = StepFromIndex(step_index);
  ReconstructDc(model, step, level, to);
  StartEdges(step, level, to);
}

}  // namespace godwit::swift
