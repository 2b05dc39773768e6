// models/builtin_models.h: the weight files inside the library; private to this folder. CMake
// writes builtin_models.cc from models/weights/*.safetensors.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace godwit {

struct BuiltinModel {
  std::string_view file;    // "swift-1.safetensors"
  std::string_view id_hex;  // from the SHA-256 that CMake took, so that no start of a program does
  std::span<const std::byte> bytes;
};

std::span<const BuiltinModel> BuiltinModels();

}  // namespace godwit
