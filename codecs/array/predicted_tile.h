// codecs/array/predicted_tile.h: a tile of whole numbers, each coded after a prediction; written
// once for both directions. docs/format/array.md section 5.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "codecs/array/plane_predictor.h"
#include "codecs/array/residual_coder.h"

namespace godwit::array {

// What a plane is predicted with. Places in the stream are plane by plane.
struct PlaneModel {
  bool kept = false;                // the weights are those that the plane before ended with
  std::vector<int64_t> references;  // distances in planes
  std::vector<int32_t> weights;     // 2^-16, multiples of 2^-precision
  int64_t bias = 0;                 // 2^-16
};

struct ValueRange {
  int32_t low = 0, high = 0;
};

struct PredictedTile {
  PlaneGeometry geometry;
  int64_t channels = 1;             // planes that belong to one place on the first axis
  std::vector<ValueRange> ranges;   // of the values, by channel
  std::vector<int32_t> values;      // geometry.size(); coded ones inside, room around them
  std::vector<uint8_t> exceptions;  // empty, or geometry.size(): 1 where the value is not coded
  // Of f64, geometry.size() or none: the lower halves of values that are upper ones.
  std::vector<uint32_t> lower;
  int rate = 0;  // of learning
};

// The planes that plane p may refer to, nearest first: at earlier places of the first axis, then
// earlier channels at this place.
std::vector<int64_t> ReferencesOf(const PredictedTile& tile, int64_t plane);

// Fills the room left of row y and, at the top, above; called before the row is coded.
void BeginRow(const PlaneGeometry& g, int32_t* values, int64_t plane, int64_t y);
void EndRow(const PlaneGeometry& g, int32_t* values, int64_t plane, int64_t y);
// In the first row what is above follows what is left.
inline void FollowLeft(const PlaneGeometry& g, int32_t* at) {
  const int64_t up = g.row_stride();
  const int32_t left = at[-1];
  at[-up - 1] = at[-up] = at[-up + 1] = at[-up + 2] = at[-2 * up] = at[-2 * up + 1] = left;
}
void EndPlane(const PlaneGeometry& g, int32_t* values, int64_t plane);

class PlaneCoder {
 public:
  explicit PlaneCoder(PredictedTile& tile)
      : tile_(tile), g_(tile.geometry), errors_(static_cast<size_t>(tile.geometry.size())) {}

  // The weights, then the values of plane p: read into the tile, or written from it. A decoded
  // value outside low .. high is limited and remembered.
  template <typename Coder>
  void Code(Coder& coder, int64_t plane, PlaneModel& model) {
    CodeModel(coder, plane, model);
    taps_ = MakeTaps(g_, model.references);
    predictor_.Start(&taps_, model.weights, model.bias, tile_.rate);
    const std::vector<int64_t>& r = model.references;
    first_ = r.empty() ? 0 : r[0] * g_.plane_stride();
    second_ = r.size() < 2 ? 0 : r[1] * g_.plane_stride();
    near_ = far_ = 0;
    range_ = tile_.ranges[static_cast<size_t>(plane % tile_.channels)];
    for (int64_t y = 0; y < g_.height; ++y) {
      BeginRow(g_, tile_.values.data(), plane, y);
      for (int64_t x = 0; x < g_.width; ++x) CodeSample(coder, g_.At(plane, y, x), y == 0);
      EndRow(g_, tile_.values.data(), plane, y);
    }
    EndPlane(g_, tile_.values.data(), plane);
    last_weights_ = predictor_.weights();
    last_references_ = model.references;
    last_bias_ = model.bias;
  }
  bool outside() const { return outside_; }

 private:
  template <typename Coder>
  void CodeModel(Coder& coder, int64_t plane, PlaneModel& model) {
    const std::vector<int64_t> possible = ReferencesOf(tile_, plane);
    const bool may_keep = !last_weights_.empty() && possible.size() >= last_references_.size();
    model.kept = may_keep && CodeCounted(coder, kept_, model.kept);
    if (model.kept) {
      model.references = last_references_;
      model.weights = last_weights_;
      model.bias = last_bias_;
      return;
    }
    // How many of the nearest planes are used.
    const size_t used = std::min<size_t>(
        static_cast<size_t>(CodeGamma(coder, reference_count_, model.references.size())),
        possible.size());
    model.references.assign(possible.begin(), possible.begin() + static_cast<ptrdiff_t>(used));
    const TapSet taps = MakeTaps(g_, model.references);
    model.weights.resize(taps.taps.size());
    model.bias = CodeSignedGamma(coder, bias_, model.bias);
    model.bias = std::clamp(model.bias, -(int64_t{1} << 47), int64_t{1} << 47);
    for (size_t i = 0; i < model.weights.size(); ++i) {
      const bool level = i < taps.levels;
      const int shift = kWeightBits - (level ? kLevelPrecision : kPrecision);
      int64_t w = CodeSignedGamma(coder, weight_[level], model.weights[i] >> shift);
      w = std::clamp<int64_t>(w, -(1 << 24), 1 << 24) * (1 << shift);
      model.weights[i] = static_cast<int32_t>(std::clamp<int64_t>(w, -(1 << 24), 1 << 24));
    }
  }

  template <typename Coder>
  void CodeSample(Coder& coder, int64_t at, bool first_row) {
    int32_t* const value = tile_.values.data() + at;
    int32_t* const error = errors_.data() + at;
    if (first_row && !g_.is_line()) FollowLeft(g_, value);
    int64_t predicted = predictor_.Predict(value);
    predicted = std::clamp(predicted, int64_t{range_.low} * (1 << kFractionBits),
                           int64_t{range_.high} * (1 << kFractionBits));
    constexpr int64_t kHalf = 1 << (kFractionBits - 1);
    const int64_t rounded = (predicted + kHalf) >> kFractionBits;
    if (!tile_.exceptions.empty() && tile_.exceptions[static_cast<size_t>(at)] != 0) {
      *value = static_cast<int32_t>(rounded);
      *error = 0;
      return;
    }
    const Surroundings s = Around(error, predicted & ((1 << kFractionBits) - 1));
    const int64_t residual = residuals_.Code(coder, s, int64_t{*value} - rounded);
    int64_t v = rounded + residual;
    if (v < range_.low || v > range_.high) {
      outside_ = true;
      v = std::clamp<int64_t>(v, range_.low, range_.high);
    }
    *value = static_cast<int32_t>(v);
    const int64_t e = v - rounded;
    *error = static_cast<int32_t>(std::clamp<int64_t>(e, -kMaxError, kMaxError));
    predictor_.Learn(e);
    const auto size = static_cast<int64_t>(*error < 0 ? -*error : *error);
    near_ += (size * 256 - near_) / 8;
    far_ += (size * 256 - far_) / 64;
  }

  Surroundings Around(const int32_t* error, int64_t fraction) const {
    const auto size = [&](int64_t at) {
      const int32_t e = error[at];
      return static_cast<uint32_t>(e < 0 ? -e : e);
    };
    const int64_t up = -g_.row_stride();
    Surroundings s;
    s.fraction = static_cast<int>(fraction);
    const auto near = static_cast<uint32_t>(near_ >> 4);
    s.far = static_cast<uint32_t>(far_ >> 4);
    uint32_t other = 0;
    if (first_ != 0) {
      const auto at = [&](int64_t plane) {
        return size(-plane) * 2 + size(-plane - 1) + size(-plane + 1);
      };
      other = second_ != 0 ? (at(first_) * 3 + at(second_)) : at(first_) * 4;
    }
    s.other = other;
    uint32_t last;
    if (g_.is_line()) {
      s.near = (size(-1) * 6 + size(-2) * 4 + size(-3) * 3 + size(-4) * 2 + size(-5));
      s.sizes = {size(-1), size(-2), first_ != 0 ? size(-first_) : size(-3),
                 second_ != 0 ? size(-second_) : size(-4)};
      last = Sign3(error[-2]);
      s.expected = first_ != 0 ? (s.near * 3 + near * 4 + s.far * 2 + other * 3 + 6) / 12
                               : (s.near * 2 + near * 4 + s.far * 2 + 4) / 8;
    } else {
      s.near = size(-1) * 4 + size(up) * 4 + size(up - 1) * 2 + size(up + 1) * 2 + size(-2) * 2 +
               size(2 * up) * 2;
      s.sizes = {size(-1), size(up), first_ != 0 ? size(-first_) : size(up + 1), size(up - 1)};
      last = Sign3(error[up]);
      s.expected =
          first_ != 0 ? (s.near * 4 + other * 3 + near + 4) / 8 : (s.near * 7 + near + 4) / 8;
    }
    s.signs = Sign3(error[-1]) * 9 + last * 3 + (first_ != 0 ? Sign3(error[-first_]) : 0);
    return s;
  }

 public:
  static constexpr int kPrecision = 10, kLevelPrecision = 14;

 private:
  static constexpr int64_t kMaxError = int64_t{1} << 24;  // as context

  PredictedTile& tile_;
  const PlaneGeometry g_;
  std::vector<int32_t> errors_;
  TapSet taps_;
  PlanePredictor predictor_;
  ResidualCoder residuals_;
  CountedBit kept_;
  GammaModel reference_count_, bias_, weight_[2];
  std::vector<int32_t> last_weights_;
  std::vector<int64_t> last_references_;
  int64_t last_bias_ = 0;
  ValueRange range_;
  int64_t first_ = 0, second_ = 0;  // distances to the nearest references in samples, 0: none
  int64_t near_ = 0, far_ = 0;      // running sizes of errors, 1/256
  bool outside_ = false;
};

}  // namespace godwit::array
