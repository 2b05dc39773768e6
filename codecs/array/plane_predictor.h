// codecs/array/plane_predictor.h: linear prediction of a tile's planes in integers, from samples
// coded before and from other planes; weights come with the stream and may go on learning.
// docs/format/array.md section 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace godwit::array {

inline constexpr int kLeftPad1d = 32, kLeftPad2d = 4, kRightPad = 2, kRowPad = 2;
inline constexpr int kWeightBits = 16, kFractionBits = 3;
inline constexpr int kMaxReferences = 15;

// Planes of height x width with room around each, so that no neighbour needs a test: two rows
// above and below, some columns left and right. A line (height 1) has more room to its left and
// none above.
struct PlaneGeometry {
  int64_t planes = 0, height = 0, width = 0;

  bool is_line() const { return height == 1; }
  int64_t left() const { return is_line() ? kLeftPad1d : kLeftPad2d; }
  int64_t row_pad() const { return is_line() ? 0 : kRowPad; }
  int64_t row_stride() const { return left() + width + kRightPad; }
  int64_t plane_stride() const { return (height + 2 * row_pad()) * row_stride(); }
  int64_t At(int64_t plane, int64_t y, int64_t x) const {
    return plane * plane_stride() + (y + row_pad()) * row_stride() + left() + x;
  }
  int64_t size() const { return planes * plane_stride(); }
};

// The value of a tap is x[at] - x[minus], or x[at] where there is no minus; places count from the
// sample that is predicted.
struct Tap {
  int64_t at = 0, minus = 0;
};

// Taps without minus come first: they keep their weights.
struct TapSet {
  std::vector<Tap> taps;
  size_t levels = 0;
};

// `references` are distances in planes to planes coded before, at most kMaxReferences.
TapSet MakeTaps(const PlaneGeometry& geometry, const std::vector<int64_t>& references);

class PlanePredictor {
 public:
  // `weights` in 2^-16, one for each tap, and the bias in 2^-16 samples. `rate`: 0 for fixed
  // weights, else they follow the error with a step of 2^-rate (normalised LMS).
  void Start(const TapSet* taps, const std::vector<int32_t>& weights, int64_t bias, int rate);
  // In 2^-kFractionBits samples.
  int64_t Predict(const int32_t* at);
  // What the sample was, less the prediction rounded.
  void Learn(int64_t error);
  const std::vector<int32_t>& weights() const { return weights_; }

 private:
  const TapSet* taps_ = nullptr;
  std::vector<int32_t> weights_;
  std::vector<int64_t> inputs_;
  int64_t bias_ = 0;
  uint64_t energy_ = 0;
  int rate_ = 0;
};

}  // namespace godwit::array
