// models/safetensors.h: bounded reader of the public safetensors layout, for files from strangers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

enum class TensorType : uint8_t { kI8, kU8, kI16, kU16, kF16, kI32, kU32, kF32 };

std::string_view TensorTypeName(TensorType type);  // as in the file: "I8"
size_t TensorTypeSize(TensorType type);            // bytes of one element

template <typename T>
constexpr TensorType TensorTypeOf() = delete;
template <>
constexpr TensorType TensorTypeOf<int8_t>() {
  return TensorType::kI8;
}
template <>
constexpr TensorType TensorTypeOf<uint8_t>() {
  return TensorType::kU8;
}
template <>
constexpr TensorType TensorTypeOf<int16_t>() {
  return TensorType::kI16;
}
template <>
constexpr TensorType TensorTypeOf<uint16_t>() {
  return TensorType::kU16;
}
template <>
constexpr TensorType TensorTypeOf<int32_t>() {
  return TensorType::kI32;
}
template <>
constexpr TensorType TensorTypeOf<uint32_t>() {
  return TensorType::kU32;
}
template <>
constexpr TensorType TensorTypeOf<float>() {
  return TensorType::kF32;
}

struct TensorEntry {
  TensorType type = TensorType::kU8;
  std::vector<int64_t> shape;       // empty: one element
  std::span<const std::byte> data;  // aligned to the element size
};

// Owns the file's bytes; entries and spans borrow from it and live as long as it does. Read-only
// after Parse(), so threads may share it.
class SafeTensors {
 public:
  static constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
  static constexpr uint64_t kMaxHeaderBytes = uint64_t{1} << 20;

  // Accepts a file whose tensors tile the data section without holes, each aligned to its element
  // size (the public writer sorts by element size, so its files are). Every failure is
  // kModelRefused and names the tensor or offset.
  static Result<SafeTensors> Parse(Bytes file, uint64_t max_bytes = kMaxFileBytes);
  SafeTensors(SafeTensors&&) noexcept = default;
  SafeTensors& operator=(SafeTensors&&) noexcept = default;

  const TensorEntry* Find(std::string_view name) const;  // null if absent
  // The elements of `name`, whose type and shape must be these; otherwise kModelRefused.
  template <typename T>
  Result<std::span<const T>> Get(std::string_view name,
                                 std::initializer_list<int64_t> shape) const {
    GODWIT_ASSIGN_OR_RETURN(const auto data, GetBytes(name, TensorTypeOf<T>(), shape));
    return std::span<const T>(reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T));
  }
  std::optional<std::string> Metadata(std::string_view key) const;

  const std::map<std::string, TensorEntry, std::less<>>& tensors() const { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  std::span<const std::byte> file() const { return file_; }

 private:
  SafeTensors() = default;
  Result<std::span<const std::byte>> GetBytes(std::string_view name, TensorType type,
                                              std::span<const int64_t> shape) const;
  Bytes file_;
  std::map<std::string, TensorEntry, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace godwit
