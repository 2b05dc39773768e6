// train/crop_file.h: what the programs of this folder read: weight files, and crops of pictures.
// They are called by scripts: whatever is wrong with a file ends the program with code 3.
//
// A file of crops holds for each u32 height, width, step index, planes, then its interleaved
// samples. There are three planes and at most 64 cells side by side.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "codecs/image/swift_cell_row.h"
#include "codecs/image/swift_model.h"
#include "io/input_file.h"
#include "models/safetensors.h"
#include "tensor/tensor.h"

namespace godwit::swift {

[[noreturn]] inline void Refuse(const char* path, const char* why) {
  std::printf("%s: %s\n", path, why);
  std::exit(3);
}
template <typename T>
T Need(const char* path, Result<T> result) {
  if (!result.ok()) Refuse(path, result.status().message().c_str());
  return *std::move(result);
}

inline SafeTensors OpenTensors(const char* path) {
  return Need(path, SafeTensors::Parse(Need(path, ReadFile(path, uint64_t{1} << 26))));
}

inline std::FILE* OpenFile(const char* path, const char* mode) {
  std::FILE* const file = std::fopen(path, mode);
  if (file == nullptr) Refuse(path, "cannot be opened");
  return file;
}

inline constexpr int64_t kMaxCropCells = 64;

struct Crop {
  int step_index = 0;
  Tensor<uint8_t> samples;
  double pixels() const { return double(samples.height()) * double(samples.width()); }
};

class CropFile {
 public:
  explicit CropFile(const char* path) : path_(path), file_(OpenFile(path, "rb")) {}
  CropFile(const CropFile&) = delete;
  CropFile& operator=(const CropFile&) = delete;
  ~CropFile() { std::fclose(file_); }
  // False at the end.
  bool Next(Crop& crop) {
    uint32_t head[4];
    if (std::fread(head, sizeof head, 1, file_) != 1) return false;
    if (head[0] > 1 << 16 || head[1] > kMaxCropCells * kCell || head[3] != kPlanes)
      Refuse(path_, "not a crop of at most 64 cells and three planes");
    crop.step_index = static_cast<int>(head[2]);
    crop.samples = Tensor<uint8_t>(head[0], head[1], head[3]);
    const auto size = static_cast<size_t>(crop.samples.size());
    if (std::fread(crop.samples.data(), 1, size, file_) != size) Refuse(path_, "ends in a crop");
    return true;
  }

 private:
  const char* path_;
  std::FILE* file_;
};

}  // namespace godwit::swift
