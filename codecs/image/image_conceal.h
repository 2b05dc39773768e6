// codecs/image/image_conceal.h: what stands in the place of rows of tiles that are lost;
// docs/format/image.md section 7.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "codecs/image/image_header.h"
#include "codecs/image/image_model.h"
#include "codecs/image/swift_layout.h"

namespace godwit {

// Rows of tiles one below the other, lost or with their coarsest layer alone: the DC of their
// blocks. All other latents are 0.
struct ConcealedRows {
  uint64_t first = 0, end = 0;                          // rows of tiles
  int64_t columns = 0;                                  // blocks across the picture
  std::array<std::vector<int16_t>, swift::kPlanes> dc;  // [row of blocks][column]
};

// Rows of blocks between the lines of blocks above and below it, one of which may be empty. `out`
// has whole rows of as many blocks.
void FillBetween(std::span<const int16_t> above, std::span<const int16_t> below,
                 std::span<int16_t> out);

// Rows of whole cells, each flat, made smooth: bilinear between the middles of cells.
void SmoothCells(int64_t columns, std::span<int16_t> dc);

// Bytes that ConcealLosses() takes.
uint64_t ConcealedBytes(const ImageStream& stream, const ImageModel& model);

// Decodes the coarse layers of what stream.losses names, and of the rows around what is lost.
// kTruncated where no row is there.
Result<std::vector<ConcealedRows>> ConcealLosses(const ImageStream& stream, const ImageModel& model,
                                                 SimdLevel level);

}  // namespace godwit
