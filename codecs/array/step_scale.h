// codecs/array/step_scale.h: values in parts of a step. docs/format/array.md section 10.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace godwit::array {

// In 1/64 of a step that is given in 2^-16 units.
class StepScale {
 public:
  explicit StepScale(uint64_t step) {
    const int dropped = std::max(0, static_cast<int>(std::bit_width(step)) - 32);
    const uint64_t top = step >> dropped;
    const int bits = static_cast<int>(std::bit_width(top));
    factor_ = static_cast<int64_t>((uint64_t{1} << (bits + 29)) / top);
    shift_ = bits + 7 + dropped;
  }
  // |v| <= 2^30: the product is within 2^60.
  int64_t Scaled(int32_t v) const { return (v * factor_ + (int64_t{1} << (shift_ - 1))) >> shift_; }

 private:
  int shift_;
  int64_t factor_;
};

}  // namespace godwit::array
