#include "codecs/array/unit_load.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "codecs/array/tile_syntax.h"

namespace godwit::array {
namespace {

constexpr int kValueBits = 20;  // of the range of samples

// Whether a sample may be so many units; of f64 the largest may not, and are sent as they are.
bool HasUnits(double sample) { return std::abs(sample) < 0x1p970; }

int32_t UnitsOf(const ValueMap& map, double sample) {
  const double units = std::ldexp(sample, -map.exponent) - static_cast<double>(map.offset);
  return static_cast<int32_t>(std::lround(std::clamp(units, -1e9, 1e9)));
}

}  // namespace

UnitSamples LoadUnits(const NdArray& array, const ArrayHeader& header, const Box& box,
                      const BoxOrder& order) {
  const Box whole = WholeBox(header);
  UnitSamples loaded;
  loaded.values.resize(
      static_cast<size_t>(order.channels * order.places * order.height * order.width));
  WithSampleType(header.type, [&](auto type) {
    using T = decltype(type);
    const T* const samples = array.As<T>();
    int32_t last = 0;
    bool finite = true;
    ForEachSample(header, whole, box, box, StepsInBoxes(order), [&](int64_t from, int64_t to) {
      const auto v = static_cast<double>(samples[from]);
      if (HasUnits(v)) {
        last = UnitsOf(header.map, v);
      } else {
        finite = false;
      }
      loaded.values[static_cast<size_t>(to)] = last;
    });
    if constexpr (!std::is_integral_v<T>) {
      if (finite) return;
      const auto size = static_cast<size_t>(GeometryOf(order).size());
      loaded.exceptions.resize(size);
      loaded.bits.resize(size);
      if (std::is_same_v<T, double>) loaded.lower.resize(size);
      ForEachSample(header, whole, box, box, StepsInPlanes(order), [&](int64_t from, int64_t to) {
        if (HasUnits(static_cast<double>(samples[from]))) return;
        loaded.exceptions[static_cast<size_t>(to)] = 1;
        KeepBits(samples[from], static_cast<size_t>(to), loaded.bits, loaded.lower);
      });
    }
  });
  return loaded;
}

ValueMap UnitMap(const NdArray& array, double step) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  WithSampleType(array.type, [&](auto type) {
    using T = decltype(type);
    const T* const samples = array.As<T>();
    const size_t count = array.data.size() / sizeof(T);
    for (size_t i = 0; i < count; ++i) {
      const auto v = static_cast<double>(samples[i]);
      if (!HasUnits(v)) continue;
      least = std::min(least, v);
      largest = std::max(largest, v);
    }
  });
  if (least > largest) least = largest = 0;
  ValueMap map;
  map.kind = MapKind::kWavelet;
  map.type = array.type;
  int bits = 0;
  std::frexp(std::max(largest - least, step), &bits);  // the range is below 2^bits
  const auto [least_exponent, largest_exponent] = ExponentsOf(array.type);
  // The offset must be a number of units below 2^50, too.
  int offset_bits = 0;
  std::frexp(std::max(std::abs(least), std::abs(largest)), &offset_bits);
  map.exponent =
      std::clamp(std::max(bits - kValueBits, offset_bits - 49), least_exponent, largest_exponent);
  map.offset = std::llround(std::ldexp(least / 2 + largest / 2, -map.exponent));
  const double units = std::ldexp(step, 16 - map.exponent);
  map.step = static_cast<uint64_t>(std::clamp(std::round(units), 256.0, std::ldexp(1, 40)));
  return map;
}

}  // namespace godwit::array
