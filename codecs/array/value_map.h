// codecs/array/value_map.h: samples as whole numbers and back, within an error or exactly.
// docs/format/array.md section 4.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "codecs/array/relative_scale.h"
#include "tensor/nd_array.h"

namespace godwit::array {

enum class MapKind : uint8_t {
  kWhole = 0,     // integers as they are
  kSteps = 1,     // integers in steps of `step`
  kOrdered = 2,   // f32: its bits, in the order of the numbers; f64: their upper half
  kScaled = 3,    // f32 and f64 in steps of mantissa * 2^exponent
  kWavelet = 4,   // any type in units of 2^exponent from `offset` on, for the wavelet method
  kRelative = 5,  // integers and f32 in steps that grow with them
  kSingle = 6,    // f64 that are f32: as kOrdered has these
  kLive = 7,      // as kWavelet, for the live method
};
// Whether values are units from an offset on.
constexpr bool InUnits(MapKind kind) { return kind == MapKind::kWavelet || kind == MapKind::kLive; }

struct ValueMap {
  MapKind kind = MapKind::kWhole;
  SampleType type = SampleType::kU8;
  uint64_t step = 1;      // kSteps: 2 to 2^33; in units: 1 to 2^40, in 2^-16 units
  uint32_t mantissa = 1;  // kScaled: 1 to 2^22
  int exponent = 0;       // kScaled, in units: see ExponentsOf()
  int64_t offset = 0;     // in units: within +-2^50 units
  std::shared_ptr<const RelativeScale> relative = {};  // kRelative
  uint32_t ratio = 0;                                  // kRelative: from 1 on, in 2^-32
  uint8_t least = 0;  // kRelative: least exponent field of f32 that has steps

  int32_t low() const;
  int32_t high() const;
};

inline constexpr int32_t kMaxScaled = 1 << 30;

constexpr bool IsReal(SampleType type) { return type >= SampleType::kF32; }

// Least and largest exponent of kScaled and of values in units.
std::pair<int, int> ExponentsOf(SampleType type);

// The least and the largest of an integer type.
int64_t LeastSample(SampleType type);
int64_t LargestSample(SampleType type);

// sign * size * 2^exponent as the nearest f32, ties to even, in whole numbers only; beyond the
// largest f32 that one. size < 2^53.
float FloatFromWhole(bool negative, uint64_t size, int exponent);

inline int32_t OrderedBits(float v) {
  const auto i = std::bit_cast<int32_t>(v);
  return i >= 0 ? i : i ^ 0x7fffffff;
}
inline float FromOrderedBits(int32_t i) {
  return std::bit_cast<float>(i >= 0 ? i : i ^ 0x7fffffff);
}

// What no value stands for as its bits; of f64 the upper half and the lower one, as DoubleOf()
// takes them.
inline void KeepBits(float v, size_t at, std::span<int32_t> upper, std::span<uint32_t>) {
  upper[at] = std::bit_cast<int32_t>(v);
}
inline void KeepBits(double v, size_t at, std::span<int32_t> upper, std::span<uint32_t> lower) {
  const auto bits = std::bit_cast<uint64_t>(v);
  upper[at] = static_cast<int32_t>(bits >> 32);
  lower[at] = static_cast<uint32_t>(bits);
}
inline double DoubleOf(int32_t upper, uint32_t lower) {
  return std::bit_cast<double>(uint64_t{static_cast<uint32_t>(upper)} << 32 | lower);
}

// What the whole number stands for.
int64_t IntegerFromWhole(const ValueMap& map, int32_t q);
float FloatFromWhole(const ValueMap& map, int32_t q);
// Of f64, but for the lower half of kOrdered.
double DoubleFromWhole(const ValueMap& map, int32_t q);

}  // namespace godwit::array
