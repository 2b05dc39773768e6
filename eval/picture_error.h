// eval/picture_error.h: how far two pictures are apart, strip by strip.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace godwit {

// Channels of 1..4 that are colour; the others are alpha.
constexpr int64_t ColourChannels(int64_t channels) { return channels <= 2 ? 1 : 3; }

class PictureError {
 public:
  // Both of one shape.
  void Add(TensorView<const uint8_t> a, TensorView<const uint8_t> b);
  double mse() const;      // of all colour samples together
  double psnr_db() const;  // of mse(), peak 255; infinite for equal colours
  int max_error() const { return max_error_; }
  int max_alpha_error() const { return max_alpha_error_; }

 private:
  uint64_t sum_ = 0, count_ = 0;
  int max_error_ = 0, max_alpha_error_ = 0;
};

}  // namespace godwit
