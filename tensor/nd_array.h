// tensor/nd_array.h: samples of any type with one to four axes, as array files hold them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace godwit {

static_assert(std::endian::native == std::endian::little, "files and streams are little-endian");

enum class SampleType : uint8_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kF64 };

inline constexpr int kSampleTypes = 8;

constexpr size_t SampleBytes(SampleType type) {
  constexpr std::array<uint8_t, kSampleTypes> kBytes = {1, 1, 2, 2, 4, 4, 4, 8};
  return kBytes[static_cast<size_t>(type)];
}

constexpr std::string_view SampleTypeName(SampleType type) {
  constexpr std::array<std::string_view, kSampleTypes> kNames = {"u8",  "i8",  "u16", "i16",
                                                                 "u32", "i32", "f32", "f64"};
  return kNames[static_cast<size_t>(type)];
}

// Calls f with a value of the samples' type, for `decltype`: what is written once for all types.
template <typename F>
decltype(auto) WithSampleType(SampleType type, F&& f) {
  switch (type) {
    case SampleType::kU8:
      return f(uint8_t{});
    case SampleType::kI8:
      return f(int8_t{});
    case SampleType::kU16:
      return f(uint16_t{});
    case SampleType::kI16:
      return f(int16_t{});
    case SampleType::kU32:
      return f(uint32_t{});
    case SampleType::kI32:
      return f(int32_t{});
    case SampleType::kF32:
      return f(float{});
    case SampleType::kF64:
      break;
  }
  return f(double{});
}

// Owns its samples: contiguous, the last axis fastest. Copying copies them.
struct NdArray {
  SampleType type = SampleType::kU8;
  Shape shape;  // rank 1 to 4; a side may be 0
  std::vector<std::byte> data;

  template <typename T>
  T* As() {
    return reinterpret_cast<T*>(data.data());
  }
  template <typename T>
  const T* As() const {
    return reinterpret_cast<const T*>(data.data());
  }
};

}  // namespace godwit
