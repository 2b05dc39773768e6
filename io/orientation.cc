#include "io/orientation.h"

#include <cassert>
#include <cstring>

namespace godwit {
namespace {

struct Walk {
  int64_t count, from_step, to_step;  // samples
};

// The inner walk runs along a row of `out` or of `stored`, whichever the caller finds cheaper.
template <size_t kChannels>
void CopyPixels(const uint8_t* from, uint8_t* to, Walk outer, Walk inner) {
  for (int64_t i = 0; i < outer.count; ++i) {
    const uint8_t* f = from + i * outer.from_step;
    uint8_t* t = to + i * outer.to_step;
    for (int64_t j = 0; j < inner.count; ++j, f += inner.from_step, t += inner.to_step) {
      std::memcpy(t, f, kChannels);
    }
  }
}

}  // namespace

void PlaceOriented(TensorView<const uint8_t> stored, int64_t first_row, int64_t stored_height,
                   int orientation, TensorView<uint8_t> out) {
  assert(orientation >= 1 && orientation <= 8 && stored.channels == out.channels);
  // EXIF 2.3, tag 0x0112: where the stored first row and first column lie in the upright picture.
  const bool row_last =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool column_last =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool transposed = OrientationTransposes(orientation);
  assert(out.height == (transposed ? stored.width : stored_height));
  assert(out.width == (transposed ? stored_height : stored.width));
  const int64_t row_step = transposed ? out.col_stride : out.row_stride;
  const int64_t column_step = transposed ? out.row_stride : out.col_stride;
  uint8_t* const to = out.data + (row_last ? stored_height - 1 - first_row : first_row) * row_step +
                      (column_last ? stored.width - 1 : 0) * column_step;
  const Walk rows{stored.height, stored.row_stride, row_last ? -row_step : row_step};
  const Walk columns{stored.width, stored.col_stride, column_last ? -column_step : column_step};
  // Transposed, a strip's column is a run of neighbours in `out`: one cache line, not many.
  const Walk outer = transposed ? columns : rows, inner = transposed ? rows : columns;
  static constexpr decltype(&CopyPixels<1>) kCopy[] = {CopyPixels<1>, CopyPixels<2>, CopyPixels<3>,
                                                       CopyPixels<4>};
  kCopy[out.channels - 1](stored.data, to, outer, inner);
}

}  // namespace godwit
