// models/safetensors_writer.h: writes files that SafeTensors reads; for tests and tools.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "models/safetensors.h"

namespace godwit {

class SafeTensorsWriter {
 public:
  // Copies the elements. A name added again replaces the earlier tensor.
  void Add(std::string_view name, TensorType type, std::vector<int64_t> shape,
           std::span<const std::byte> data);
  template <typename T>
  void Add(std::string_view name, std::vector<int64_t> shape, std::span<const T> values) {
    Add(name, TensorTypeOf<T>(), std::move(shape), std::as_bytes(values));
  }
  void SetMetadata(std::string_view key, std::string_view value);
  // The file: largest elements first, then by name, so that every tensor is aligned.
  Bytes Finish() const;

 private:
  struct Item {
    TensorType type;
    std::vector<int64_t> shape;
    Bytes data;
  };
  std::map<std::string, Item, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace godwit
