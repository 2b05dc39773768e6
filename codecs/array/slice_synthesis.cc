#include "codecs/array/slice_synthesis.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "codecs/array/step_scale.h"
#include "models/row_runner.h"

namespace godwit::array {
namespace {

constexpr int64_t kLanePatches = 256;  // columns of patches that go through the network at once
constexpr int64_t kStepRows = 4;
constexpr int32_t kMostScaled = 1 << 24;
constexpr int kZero = 128;  // the byte that stands for 0

// Exact to 64, then eighths, up to 127: as an input byte.
uint8_t Companded(int32_t v) {
  const int32_t size = std::min(std::abs(v), 64 + 63 * 8);
  const int32_t level = std::min(size, 64) + (std::max(size, 64) - 64) / 8;
  return static_cast<uint8_t>(kZero + (v < 0 ? -level : level));
}

class Corrector {
 public:
  Corrector(const WaveletShape& shape, uint64_t step, ValueBounds bounds, int32_t* samples)
      : places_(shape.sides[0]),
        height_(shape.sides[1]),
        width_(shape.sides[2]),
        patch_rows_((height_ + kPatchSide - 1) / kPatchSide),
        patch_columns_((width_ + kPatchSide - 1) / kPatchSide),
        step_(static_cast<int64_t>(step)),
        scale_(step),
        bounds_(bounds),
        samples_(samples) {
    for (std::vector<int32_t>* const slice : {here_, after_, before_}) {
      const bool is_used = slice == here_ || places_ > (slice == after_ ? 1 : 2);
      if (is_used) slice->resize(static_cast<size_t>(patch_rows_ * patch_columns_) * kPatchSamples);
    }
    means_.resize(static_cast<size_t>(patch_rows_ * patch_columns_));
  }

  Status Run(const Network& network, SimdLevel level) {
    const int64_t lane = std::min(patch_columns_, kLanePatches);
    GODWIT_ASSIGN_OR_RETURN(RowRunner runner, RowRunner::Create(network, level, lane, kStepRows));
    Tensor<uint8_t> corrections(kStepRows, lane, kPatchSamples);
    LoadSlice(0, *here_);
    for (int64_t z = 0; z < places_; ++z) {
      if (z + 1 < places_) LoadSlice(z + 1, *after_);
      FindMeans();
      for (int64_t x = 0; x < patch_columns_; x += lane) {
        const Rect rect{0, x, patch_rows_, std::min(lane, patch_columns_ - x)};
        GODWIT_RETURN_IF_ERROR(runner.Start(patch_rows_, patch_columns_, rect));
        while (!runner.done()) {
          const RowRunner::Step& step = runner.Next(kStepRows);
          Fill(z, step.input_rect, step.input);
          const TensorView<uint8_t> out = corrections.view().Window(0, 0, step.out_rect.h, rect.w);
          const Rect made = step.out_rect;
          GODWIT_RETURN_IF_ERROR(runner.Run(out));
          Apply(z, made, out);
        }
      }
      std::swap(before_, here_);
      std::swap(here_, after_);
    }
    return {};
  }

 private:
  // Sample (y, x) of a slice: patch after patch, so that a patch is 64 side by side.
  int32_t* Patch(std::vector<int32_t>& slice, int64_t row, int64_t column) const {
    return slice.data() + (row * patch_columns_ + column) * kPatchSamples;
  }

  void LoadSlice(int64_t z, std::vector<int32_t>& slice) {
    int32_t* const from = samples_ + z * height_ * width_;
    for (int64_t row = 0; row < patch_rows_; ++row) {
      for (int64_t dy = 0; dy < kPatchSide; ++dy) {
        int32_t* const line = from + std::min(row * kPatchSide + dy, height_ - 1) * width_;
        for (int64_t column = 0; column < patch_columns_; ++column) {
          int32_t* const to = Patch(slice, row, column) + dy * kPatchSide;
          for (int64_t dx = 0; dx < kPatchSide; ++dx) {
            const int32_t v = line[std::min(column * kPatchSide + dx, width_ - 1)];
            const int64_t scaled = scale_.Scaled(std::clamp(v, bounds_.least, bounds_.largest));
            to[dx] = static_cast<int32_t>(std::clamp<int64_t>(scaled, -kMostScaled, kMostScaled));
          }
        }
      }
    }
  }

  void FindMeans() {
    for (size_t i = 0; i < means_.size(); ++i) {
      int32_t sum = kPatchSamples / 2;
      for (size_t k = 0; k < kPatchSamples; ++k) sum += (*here_)[i * kPatchSamples + k];
      means_[i] = sum >> 6;
    }
  }

  // The slices beside the first and the last are as these.
  void Fill(int64_t z, Rect rect, TensorView<uint8_t> out) {
    for (int64_t y = 0; y < rect.h; ++y) {
      for (int64_t x = 0; x < rect.w; ++x) {
        const int64_t row = rect.y + y, column = rect.x + x;
        const int32_t* const here = Patch(*here_, row, column);
        const int32_t* const before = z > 0 ? Patch(*before_, row, column) : here;
        const int32_t* const after = z + 1 < places_ ? Patch(*after_, row, column) : here;
        const int32_t* const mean = means_.data() + row * patch_columns_ + column;
        uint8_t* const to = out.At(y, x);
        for (int i = 0; i < kPatchSamples; ++i) {
          to[i] = Companded((here[i] - *mean + 1) >> 1);
          to[kPatchSamples + i] = Companded((before[i] - here[i] + 1) >> 1);
          to[2 * kPatchSamples + i] = Companded((after[i] - here[i] + 1) >> 1);
        }
        to[3 * kPatchSamples] = Companded(column > 0 ? *mean - mean[-1] : 0);
        to[3 * kPatchSamples + 1] = Companded(row > 0 ? *mean - mean[-patch_columns_] : 0);
      }
    }
  }

  // Adds corrections, in 1/128 of the step.
  void Apply(int64_t z, Rect rect, TensorView<uint8_t> corrections) {
    constexpr int64_t kMost = int64_t{1} << 30;
    for (int64_t y = 0; y < rect.h * kPatchSide; ++y) {
      const int64_t line = rect.y * kPatchSide + y;
      if (line >= height_) break;
      int32_t* const to = samples_ + (z * height_ + line) * width_;
      const int64_t end = std::min((rect.x + rect.w) * kPatchSide, width_);
      for (int64_t x = rect.x * kPatchSide; x < end; ++x) {
        const uint8_t* const patch =
            corrections.At(y / kPatchSide, x / kPatchSide - rect.x) + y % kPatchSide * kPatchSide;
        const auto c = static_cast<int8_t>(patch[x % kPatchSide]);
        const int64_t v = std::clamp(to[x], bounds_.least, bounds_.largest) +
                          ((c * step_ + (int64_t{1} << 22)) >> 23);
        to[x] = static_cast<int32_t>(std::clamp(v, -kMost, kMost));
      }
    }
  }

  const int64_t places_, height_, width_, patch_rows_, patch_columns_;
  const int64_t step_;
  const StepScale scale_;
  const ValueBounds bounds_;
  int32_t* const samples_;
  std::vector<int32_t> slices_[3], means_;
  std::vector<int32_t>*before_ = &slices_[0], *here_ = &slices_[1], *after_ = &slices_[2];
};

}  // namespace

ValueBounds BoundsOf(const ValueMap& map) {
  if (IsReal(map.type)) return {};
  const auto value = [&](int64_t sample) {
    const int64_t w = map.exponent >= 0 ? sample >> map.exponent : sample << -map.exponent;
    constexpr int64_t kMost = int64_t{1} << 30;
    return static_cast<int32_t>(std::clamp(w - map.offset, -kMost, kMost));
  };
  return {value(LeastSample(map.type)), value(LargestSample(map.type))};
}

uint64_t SliceWorkBytes(const ArraySynthesis& synthesis, const BoxOrder& order) {
  if (order.height < 2 || order.width < 2) return 0;
  // In floating point, since sides up to 2^40 are looked at before they are refused.
  const double patches = (static_cast<double>(order.height) / kPatchSide + 1) *
                         (static_cast<double>(order.width) / kPatchSide + 1);
  const auto slices = static_cast<double>(std::min<int64_t>(order.places, 3));
  const int64_t lane = std::min((order.width + kPatchSide - 1) / kPatchSide, kLanePatches);
  const double bytes =
      patches * (slices * kPatchSamples + 1) * sizeof(int32_t) +
      static_cast<double>(kStepRows * lane * kPatchSamples) +
      static_cast<double>(RowRunner::BytesFor(synthesis.network(), lane, kStepRows));
  return bytes < 1e18 ? static_cast<uint64_t>(bytes) : ~uint64_t{0} >> 1;
}

Status CorrectSlices(const ArraySynthesis& synthesis, SimdLevel level, const WaveletShape& shape,
                     uint64_t step, ValueBounds bounds, int32_t* samples) {
  if (!HasSlices(shape)) return {};
  return Corrector(shape, step, bounds, samples).Run(synthesis.network(), level);
}

}  // namespace godwit::array
