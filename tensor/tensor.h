// tensor/tensor.h: Tensor owns memory, TensorView borrows it. One type never means both.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace godwit {

inline constexpr size_t kTensorAlign = 64;  // bytes: a cache line and an AVX-512 register

// Up to four axes, outermost first; images and activations are {height, width, channels}.
struct Shape {
  std::array<int64_t, 4> dims{1, 1, 1, 1};
  int rank = 0;
  static Shape Of(int64_t a) { return {{a, 1, 1, 1}, 1}; }
  static Shape Of(int64_t a, int64_t b) { return {{a, b, 1, 1}, 2}; }
  static Shape Of(int64_t a, int64_t b, int64_t c) { return {{a, b, c, 1}, 3}; }
  int64_t count() const { return dims[0] * dims[1] * dims[2] * dims[3]; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

// Borrowed samples {height, width, channels}; strides in elements, channels adjacent.
template <typename T>
struct TensorView {
  T* data = nullptr;
  int64_t height = 0, width = 0, channels = 1;
  int64_t row_stride = 0;  // from (y, x) to (y + 1, x)
  int64_t col_stride = 0;  // from (y, x) to (y, x + 1), >= channels

  T* At(int64_t y, int64_t x) const {
    assert(y >= 0 && y < height && x >= 0 && x < width);
    return data + y * row_stride + x * col_stride;
  }
  TensorView Window(int64_t y, int64_t x, int64_t h, int64_t w) const {
    assert(y >= 0 && x >= 0 && h >= 0 && w >= 0 && y + h <= height && x + w <= width);
    return {data + y * row_stride + x * col_stride, h, w, channels, row_stride, col_stride};
  }
  operator TensorView<const T>() const {
    return {data, height, width, channels, row_stride, col_stride};
  }
};

// Owns aligned, zero-filled samples {height, width, channels}. Move-only; Clone() copies by name.
template <typename T>
class Tensor {
 public:
  Tensor() = default;
  Tensor(int64_t height, int64_t width, int64_t channels = 1)
      : height_(height), width_(width), channels_(channels) {
    assert(height >= 0 && width >= 0 && channels >= 0);
    const size_t bytes = static_cast<size_t>(height * width * channels) * sizeof(T);
    const size_t rounded = (bytes + kTensorAlign - 1) / kTensorAlign * kTensorAlign;
    if (rounded == 0) return;
    data_.reset(static_cast<T*>(std::aligned_alloc(kTensorAlign, rounded)));
    if (data_ == nullptr) throw std::bad_alloc();
    std::memset(static_cast<void*>(data_.get()), 0, rounded);
  }
  Tensor Clone() const {
    Tensor copy(height_, width_, channels_);
    if (size() > 0) std::memcpy(copy.data(), data(), static_cast<size_t>(size()) * sizeof(T));
    return copy;
  }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }
  int64_t size() const { return height_ * width_ * channels_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  TensorView<T> view() {
    return {data(), height_, width_, channels_, width_ * channels_, channels_};
  }
  TensorView<const T> view() const {
    return {data(), height_, width_, channels_, width_ * channels_, channels_};
  }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T[], Free> data_;
  int64_t height_ = 0, width_ = 0, channels_ = 0;
};

}  // namespace godwit
