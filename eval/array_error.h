// eval/array_error.h: how far two arrays are apart.
#pragma once

#include "tensor/nd_array.h"

namespace godwit {

// Least and largest finite sample; zeros where there is none.
struct ArrayRange {
  double least = 0, largest = 0;
  double width() const { return largest - least; }
};
ArrayRange RangeOf(const NdArray& array);

// Both of one type and shape. NaN in both is no error; in one, an infinite one.
struct ArrayError {
  double max = 0, mean_square = 0;
};
ArrayError ErrorOf(const NdArray& a, const NdArray& b);

// Of this part of the array's range, 0 for 0; of integers the nearest whole number (of
// two the even one), at least 1.
double ErrorBound(const NdArray& array, double part_of_range);

// Metrics: the largest error in parts of the range, and PSNR with the range as its peak, in dB; NaN
// for an array without a range.
double LargestError(const NdArray& original, const NdArray& decoded);
double RangePsnr(const NdArray& original, const NdArray& decoded);

}  // namespace godwit
