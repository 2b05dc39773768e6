#include "eval/array_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace godwit {
namespace {

// Calls f(index, value) for each sample.
template <typename F>
void EachSample(const NdArray& array, F f) {
  WithSampleType(array.type, [&](auto type) {
    using T = decltype(type);
    const T* const samples = array.As<T>();
    const size_t count = array.data.size() / sizeof(T);
    for (size_t i = 0; i < count; ++i) f(i, static_cast<double>(samples[i]));
  });
}

}  // namespace

ArrayRange RangeOf(const NdArray& array) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  EachSample(array, [&](size_t, double v) {
    if (!std::isfinite(v)) return;
    least = std::min(least, v);
    largest = std::max(largest, v);
  });
  return least > largest ? ArrayRange{} : ArrayRange{least, largest};
}

ArrayError ErrorOf(const NdArray& a, const NdArray& b) {
  std::vector<double> other;
  other.reserve(a.data.size() / SampleBytes(a.type));
  EachSample(b, [&](size_t, double v) { other.push_back(v); });
  ArrayError error;
  double sum = 0;
  EachSample(a, [&](size_t i, double v) {
    const double w = other[i];
    if (std::isnan(v) && std::isnan(w)) return;
    const double d = v == w ? 0 : std::abs(v - w);
    error.max = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::max(error.max, d);
    sum += d * d;
  });
  error.mean_square = other.empty() ? 0 : sum / static_cast<double>(other.size());
  return error;
}

double ErrorBound(const NdArray& array, double part_of_range) {
  if (part_of_range == 0) return 0;
  const double bound = RangeOf(array).width() * part_of_range;
  const bool is_float = array.type == SampleType::kF32 || array.type == SampleType::kF64;
  return is_float ? bound : std::max(1.0, std::nearbyint(bound));
}

double LargestError(const NdArray& original, const NdArray& decoded) {
  const double width = RangeOf(original).width();
  return width > 0 ? ErrorOf(original, decoded).max / width
                   : std::numeric_limits<double>::quiet_NaN();
}

double RangePsnr(const NdArray& original, const NdArray& decoded) {
  const double width = RangeOf(original).width();
  return width > 0 ? 10 * std::log10(width * width / ErrorOf(original, decoded).mean_square)
                   : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace godwit
