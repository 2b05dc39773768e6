#include "codecs/array/value_map.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace godwit::array {
namespace {

// Types of 32 bits without sign are shifted down, so that whole numbers have 32 bits with one.
constexpr int64_t kU32Shift = int64_t{1} << 31;

int64_t Shift(SampleType type) { return type == SampleType::kU32 ? kU32Shift : 0; }

int64_t RoundedRatio(int64_t v, int64_t step) {
  const int64_t half = step / 2;
  return v >= 0 ? (v + half) / step : -((-v + half) / step);
}

}  // namespace

int64_t LeastSample(SampleType type) {
  switch (type) {
    case SampleType::kI8:
      return -(1 << 7);
    case SampleType::kI16:
      return -(1 << 15);
    case SampleType::kI32:
      return -(int64_t{1} << 31);
    default:
      return 0;
  }
}
int64_t LargestSample(SampleType type) {
  const bool has_sign =
      type == SampleType::kI8 || type == SampleType::kI16 || type == SampleType::kI32;
  return (int64_t{1} << (8 * SampleBytes(type) - has_sign)) - 1;
}

int32_t ValueMap::low() const {
  switch (kind) {
    case MapKind::kWhole:
      return static_cast<int32_t>(LeastSample(type) - Shift(type));
    case MapKind::kSteps:
      return static_cast<int32_t>(
          RoundedRatio(LeastSample(type) - Shift(type), static_cast<int64_t>(step)));
    case MapKind::kOrdered:
    case MapKind::kSingle:
      return INT32_MIN;
    case MapKind::kRelative:
      return IsReal(type) || LeastSample(type) < 0 ? -relative->last() : 0;
    case MapKind::kScaled:
    case MapKind::kWavelet:
    case MapKind::kLive:
      return -kMaxScaled;
  }
  return 0;
}
int32_t ValueMap::high() const {
  switch (kind) {
    case MapKind::kWhole:
      return static_cast<int32_t>(LargestSample(type) - Shift(type));
    case MapKind::kSteps:
      return static_cast<int32_t>(
          RoundedRatio(LargestSample(type) - Shift(type), static_cast<int64_t>(step)));
    case MapKind::kOrdered:
    case MapKind::kSingle:
      return INT32_MAX;
    case MapKind::kRelative:
      return relative->last();
    case MapKind::kScaled:
    case MapKind::kWavelet:
    case MapKind::kLive:
      return kMaxScaled;
  }
  return 0;
}

std::pair<int, int> ExponentsOf(SampleType type) {
  switch (type) {
    case SampleType::kF32:
      return {-200, 127};
    case SampleType::kF64:
      return {-1100, 960};
    default:
      return {-12, 32};
  }
}

float FloatFromWhole(bool negative, uint64_t size, int exponent) {
  assert(size < (uint64_t{1} << 53));
  const uint32_t sign = negative ? 0x80000000u : 0;
  if (size == 0) return 0;
  // The significand's unit: 24 bits of it, or the unit of subnormals.
  const auto bits = static_cast<int>(std::bit_width(size));
  const int shift = std::max(bits - 24, -149 - exponent);
  uint64_t m;
  if (shift <= 0) {
    m = size << -shift;
  } else if (shift > 60) {
    m = 0;
  } else {
    m = size >> shift;
    const uint64_t rest = size - (m << shift), half = uint64_t{1} << (shift - 1);
    if (rest > half || (rest == half && (m & 1) != 0)) ++m;
  }
  // One formula for subnormals, normals and a significand rounded up to 2^24.
  const uint64_t packed = (static_cast<uint64_t>(exponent + shift + 149) << 23) + m;
  constexpr uint64_t kLargest = 0x7f7fffff;
  return std::bit_cast<float>(sign | static_cast<uint32_t>(std::min(packed, kLargest)));
}

int64_t IntegerFromWhole(const ValueMap& map, int32_t q) {
  if (InUnits(map.kind)) {
    const int64_t w = q + map.offset;
    const int e = map.exponent;
    constexpr int64_t kMost = int64_t{1} << 62;
    const int64_t v = e >= 0 ? std::clamp(w, -(kMost >> e), kMost >> e) * (int64_t{1} << e)
                             : (w + (int64_t{1} << (-e - 1))) >> -e;
    return std::clamp(v, LeastSample(map.type), LargestSample(map.type));
  }
  if (map.kind == MapKind::kRelative) {
    const int64_t size = map.relative->WordOf(q < 0 ? -q : q);
    return std::clamp(q < 0 ? -size : size, LeastSample(map.type), LargestSample(map.type));
  }
  const int64_t v = map.kind == MapKind::kSteps ? q * static_cast<int64_t>(map.step) : q;
  return std::clamp(v + Shift(map.type), LeastSample(map.type), LargestSample(map.type));
}

float FloatFromWhole(const ValueMap& map, int32_t q) {
  if (map.kind == MapKind::kOrdered || map.kind == MapKind::kSingle) return FromOrderedBits(q);
  if (map.kind == MapKind::kRelative) {
    const uint32_t word = map.relative->WordOf(q < 0 ? -q : q);
    return std::bit_cast<float>(word | (q < 0 ? 0x80000000u : 0));
  }
  if (InUnits(map.kind)) {
    const int64_t w = q + map.offset;
    return FloatFromWhole(w < 0, static_cast<uint64_t>(w < 0 ? -w : w), map.exponent);
  }
  const auto size = static_cast<uint64_t>(q < 0 ? -int64_t{q} : int64_t{q});
  return FloatFromWhole(q < 0, size * map.mantissa, map.exponent);
}

double DoubleFromWhole(const ValueMap& map, int32_t q) {
  // Products are below 2^53 and exponents such that nothing overflows, so that ldexp() is exact or,
  // of subnormals, rounds to nearest, ties to even.
  if (InUnits(map.kind)) {
    return std::ldexp(static_cast<double>(q + map.offset), map.exponent);
  }
  if (map.kind == MapKind::kScaled) {
    return q == 0 ? 0 : std::ldexp(static_cast<double>(int64_t{q} * map.mantissa), map.exponent);
  }
  return static_cast<double>(FloatFromWhole(map, q));
}

}  // namespace godwit::array
