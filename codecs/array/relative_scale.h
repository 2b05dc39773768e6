// codecs/array/relative_scale.h: magnitudes in steps that grow with them, so that no sample is off
// by more than a part of itself. docs/format/array.md section 4.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "tensor/nd_array.h"

namespace godwit::array {

// A magnitude is a word: an integer's size, or the bits of an f32 without its sign. Words are cut
// into segments, eight for a doubling; in each, steps are the largest odd ones whose half is at
// most the part of the segment's first word. Steps are numbered through.
class RelativeScale {
 public:
  // `ratio` in 2^-32, from 1. `least`: of f32 the exponent field, 1 to 254, from which on there are
  // steps; what is smaller has number 0, as 0 has. Of integers 0. Null for others, where there
  // would be 2^31 steps or more, and for f64.
  static std::shared_ptr<const RelativeScale> Create(SampleType type, uint32_t ratio,
                                                     uint8_t least);

  // Of a word up to the largest.
  int32_t NumberOf(uint32_t word) const;
  // The word that stands for a step, the one in its middle; of a number from 0 to last().
  uint32_t WordOf(int32_t number) const;
  int32_t last() const { return last_; }

 private:
  struct Segment {
    uint64_t start = 0, length = 0, step = 1;
    uint64_t first = 0;  // number of its first step
  };
  std::vector<Segment> segments_;
  int32_t last_ = 0;
};

}  // namespace godwit::array
