#include "codecs/image/swift_features.h"

#include <algorithm>
#include <cstring>

namespace godwit::swift {
namespace {

constexpr uint8_t kZero = 128;  // the byte that stands for 0

template <size_t kRows, size_t kColumns>
Status Read(const SafeTensors& file, std::string_view name,
            std::array<std::array<uint8_t, kColumns>, kRows>& out) {
  GODWIT_ASSIGN_OR_RETURN(const auto data,
                          file.Get<uint8_t>(name, {int64_t{kRows}, int64_t{kColumns}}));
  for (size_t r = 0; r < kRows; ++r)
    std::copy_n(data.data() + r * kColumns, kColumns, out[r].data());
  return {};
}

}  // namespace

Result<SynthesisTables> SynthesisTables::Load(const SafeTensors& file) {
  SynthesisTables t;
  GODWIT_ASSIGN_OR_RETURN(const auto compand, file.Get<uint8_t>("input.compand", {64}));
  std::copy_n(compand.data(), 64, t.compand.data());
  GODWIT_RETURN_IF_ERROR(Read(file, "input.step", t.step_features));
  GODWIT_RETURN_IF_ERROR(Read(file, "input.layers", t.layer_features));
  GODWIT_ASSIGN_OR_RETURN(const auto floor, file.Get<uint16_t>("input.step_floor", {kLayers + 1}));
  std::copy_n(floor.data(), kLayers + 1, t.step_floor.data());
  for (const uint8_t level : t.compand) {
    if (level > 127)
      return Status(StatusCode::kModelRefused, "tensor input.compand: entry beyond 127");
  }
  if (t.compand[0] != 0)
    return Status(StatusCode::kModelRefused, "tensor input.compand: entry 0 is not 0");
  for (const uint16_t f : t.step_floor) {
    if (f > kMaxStepIndex)
      return Status(StatusCode::kModelRefused, "tensor input.step_floor: entry beyond 351");
  }
  return t;
}

FeatureWriter::FeatureWriter(const SynthesisTables& tables, const BlockTransformKernels& kernels,
                             int step_index, int layers, int64_t max_width)
    : tables_(&tables),
      kernels_(&kernels),
      half_steps_((uint32_t{1} << 27) /
                  StepFromIndex(tables.NetworkStepIndex(step_index, layers))) {
  const int net_index = tables.NetworkStepIndex(step_index, layers);
  const uint32_t step = StepFromIndex(step_index), net_step = StepFromIndex(net_index);
  ratio_ = static_cast<uint32_t>((uint64_t{step} << 16) / net_step);  // <= 2^16
  std::copy_n(tables.step_features[static_cast<size_t>(net_index)].data(), kStepFeatures,
              conditions_.data());
  std::copy_n(tables.layer_features[static_cast<size_t>(layers)].data(), kLayerFeatures,
              conditions_.data() + kStepFeatures);
  levels_.resize(static_cast<size_t>(2 * max_width));
  if (step != net_step) scaled_.resize(static_cast<size_t>(max_width * kChannels));
}

uint64_t FeatureWriter::BytesFor(int64_t max_width) {
  return static_cast<uint64_t>(max_width) * (2 + kChannels * sizeof(int16_t));
}

void FeatureWriter::FillConstants(TensorView<uint8_t> memory) const {
  for (int64_t y = 0; y < memory.height; ++y) {
    for (int64_t x = 0; x < memory.width; ++x) {
      uint8_t* const out = memory.At(y, x);
      std::memset(out, kZero, kPlanes * kChannels + kPlanes);
      std::memcpy(out + kPlanes * kChannels + kPlanes, conditions_.data(), conditions_.size());
    }
  }
}

void FeatureWriter::Fill(const LatentRows& latents, Rect rect, TensorView<uint8_t> out) {
  const auto width = static_cast<size_t>(rect.w);
  const auto stride = static_cast<size_t>(out.col_stride);
  uint8_t* const left = levels_.data();
  uint8_t* const above = left + rect.w;
  for (int64_t y = 0; y < rect.h; ++y) {
    const int64_t row = rect.y + y;
    for (size_t p = 0; p < static_cast<size_t>(latents.planes); ++p) {
      const int16_t* symbols = latents.Symbols(p, row, rect.x);
      if (!scaled_.empty()) {  // rounded, away from zero at one half
        for (size_t i = 0; i < width * kChannels; ++i) {
          const uint32_t m =
              (static_cast<uint32_t>(std::abs(symbols[i])) * ratio_ + (1 << 15)) >> 16;
          scaled_[i] = static_cast<int16_t>(symbols[i] < 0 ? -static_cast<int32_t>(m)
                                                           : static_cast<int32_t>(m));
        }
        symbols = scaled_.data();
      }
      uint8_t* const to = out.At(y, 0) + p * kChannels;
      kernels_->compand(tables_->compand.data(), symbols, width, to, stride);

      const int16_t* const dc = latents.Dc(p, row, rect.x);
      const int16_t* const dc_above = row > 0 ? latents.Dc(p, row - 1, rect.x) : dc;
      const size_t first = rect.x == 0 ? 1 : 0;  // of those that have a block to the left
      left[0] = kZero;
      const int16_t* const from = dc + first;
      kernels_->compand_differences(tables_->compand.data(), half_steps_, from, from - 1,
                                    width - first, left + first);
      kernels_->compand_differences(tables_->compand.data(), half_steps_, dc, dc_above, width,
                                    above);
      uint8_t* const to_above = out.At(y, 0) + kPlanes * kChannels + p;
      for (size_t x = 0; x < width; ++x) {
        to[x * stride] = left[x];
        to_above[x * stride] = above[x];
      }
    }
  }
}

}  // namespace godwit::swift
