// eval/item.h: what codecs are measured on: pictures, sounds or arrays, whole in memory.
#pragma once

#include <cassert>
#include <cstdint>
#include <variant>
#include <vector>

#include "eval/medium.h"
#include "tensor/nd_array.h"
#include "tensor/tensor.h"

namespace godwit {

// Interleaved samples, full scale 1.
struct Sound {
  uint32_t rate_hz = 0, channels = 0;
  int bits = 16;  // of the file: up to 24 of integers, 32 for floats
  std::vector<float> samples;
  size_t frames() const { return channels == 0 ? 0 : samples.size() / channels; }
};

// Borrowed. Pictures are RGB, samples adjacent and rows without gaps.
using ItemView = std::variant<TensorView<const uint8_t>, const Sound*, const NdArray*>;
using MutableItemView = std::variant<TensorView<uint8_t>, Sound*, NdArray*>;

inline Medium MediumOf(const ItemView& item) { return static_cast<Medium>(item.index()); }

// The caller knows the medium.
inline TensorView<const uint8_t> PictureOf(const ItemView& item) {
  assert(MediumOf(item) == Medium::kPicture);
  return *std::get_if<TensorView<const uint8_t>>(&item);
}
inline TensorView<uint8_t> PictureOf(const MutableItemView& item) {
  return *std::get_if<TensorView<uint8_t>>(&item);
}
inline const Sound& SoundOf(const ItemView& item) {
  assert(MediumOf(item) == Medium::kSound);
  return **std::get_if<const Sound*>(&item);
}
inline Sound& SoundOf(const MutableItemView& item) { return **std::get_if<Sound*>(&item); }
inline const NdArray& ArrayOf(const ItemView& item) {
  assert(MediumOf(item) == Medium::kArray);
  return **std::get_if<const NdArray*>(&item);
}
inline NdArray& ArrayOf(const MutableItemView& item) { return **std::get_if<NdArray*>(&item); }

// Owns one.
using Item = std::variant<Tensor<uint8_t>, Sound, NdArray>;

ItemView ViewOf(const Item& item);
MutableItemView ViewOf(Item& item);
// Of the same size, for a decoder to fill.
Item BlankLike(const ItemView& item);

}  // namespace godwit
