#include "eval/picture_error.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace godwit {

void PictureError::Add(TensorView<const uint8_t> a, TensorView<const uint8_t> b) {
  assert(a.height == b.height && a.width == b.width && a.channels == b.channels);
  const int64_t colours = ColourChannels(a.channels);
  for (int64_t y = 0; y < a.height; ++y) {
    for (int64_t x = 0; x < a.width; ++x) {
      const uint8_t *p = a.At(y, x), *q = b.At(y, x);
      for (int64_t c = 0; c < colours; ++c) {
        const int d = std::abs(p[c] - q[c]);
        sum_ += static_cast<uint64_t>(d * d);
        max_error_ = std::max(max_error_, d);
      }
      if (colours < a.channels) {
        max_alpha_error_ = std::max(max_alpha_error_, std::abs(p[colours] - q[colours]));
      }
    }
  }
  count_ += static_cast<uint64_t>(a.height * a.width * colours);
}

double PictureError::mse() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

double PictureError::psnr_db() const {
  return sum_ == 0 ? std::numeric_limits<double>::infinity()
                   : 10 * std::log10(255.0 * 255.0 / mse());
}

}  // namespace godwit
