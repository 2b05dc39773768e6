#include "codecs/image/swift_synthesis.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "models/row_runner.h"

namespace godwit::swift {
namespace {

template <size_t kRows, size_t kColumns>
Status Read(const SafeTensors& file, std::string_view name,
            std::array<std::array<uint8_t, kColumns>, kRows>& out) {
  GODWIT_ASSIGN_OR_RETURN(const auto data,
                          file.Get<uint8_t>(name, {int64_t{kRows}, int64_t{kColumns}}));
  for (size_t r = 0; r < kRows; ++r)
    std::copy_n(data.data() + r * kColumns, kColumns, out[r].data());
  return {};
}

// Rounded x * numerator / 2^shift away from zero at one half.
int16_t Scale(int32_t x, uint64_t numerator, int shift) {
  const uint64_t m =
      (static_cast<uint64_t>(std::abs(x)) * numerator + (uint64_t{1} << (shift - 1))) >> shift;
  const int32_t level = static_cast<int32_t>(std::min<uint64_t>(m, 32767));
  return static_cast<int16_t>(x < 0 ? -level : level);
}

int16_t Saturate16(int32_t v) { return static_cast<int16_t>(std::clamp(v, -32768, 32767)); }

int64_t Grown(int64_t size, int halo) { return size + 2 * halo; }

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

TileSynthesiser::TileSynthesiser(const SwiftModel& model, const ImageSynthesis* synthesis,
                                 SimdLevel level)
    : model_(&model), synthesis_(synthesis), kernels_(&BlockTransformKernelsFor(level)) {}

uint64_t TileSynthesiser::BytesFor(const ImageSynthesis* synthesis, int64_t max_h, int64_t max_w) {
  uint64_t bytes = static_cast<uint64_t>(max_w) * (kChannels * 2 + 3 * 64 * 2);
  if (synthesis == nullptr) return bytes;
  const int halo = synthesis->network().halo();
  bytes += static_cast<uint64_t>(Grown(max_h, halo) * Grown(max_w, halo)) * kNetworkInputs;
  bytes += static_cast<uint64_t>(Grown(max_w, halo)) * kChannels * 2;
  bytes += static_cast<uint64_t>(max_h * max_w) * kNetworkOutputs;
  return bytes + RowRunner::BytesFor(synthesis->network(), max_w, std::min<int64_t>(max_h, 8));
}

Result<TileSynthesiser> TileSynthesiser::Create(const SwiftModel& model,
                                                const ImageSynthesis* synthesis, SimdLevel level,
                                                int planes, int64_t max_h, int64_t max_w) {
  TileSynthesiser s(model, synthesis, level);
  s.coefficients_ = Tensor<int16_t>(1, max_w, kChannels);
  s.rows_ = Tensor<int16_t>(planes, 8, max_w * kBlockSide);
  if (synthesis == nullptr) {
    s.corrections_ = Tensor<uint8_t>(1, 1, kNetworkOutputs);
    return s;
  }
  const int halo = synthesis->network().halo();
  GODWIT_ASSIGN_OR_RETURN(NetworkRunner runner,
                          NetworkRunner::Create(synthesis->network(), level, max_h, max_w));
  s.runner_ = std::make_unique<NetworkRunner>(std::move(runner));
  s.features_ = Tensor<uint8_t>(Grown(max_h, halo), Grown(max_w, halo), kNetworkInputs);
  s.scaled_ = Tensor<int16_t>(1, Grown(max_w, halo), kChannels);
  s.corrections_ = Tensor<uint8_t>(max_h, max_w, kNetworkOutputs);
  return s;
}

void TileSynthesiser::FillFeatures(const LatentRows& latents, uint32_t step, uint32_t net_step,
                                   Rect rect) {
  const SynthesisTables& tables = synthesis_->tables();
  const uint64_t ratio = (uint64_t{step} << 16) / net_step;  // <= 2^16
  const uint64_t half_steps =
      (uint64_t{1} << 27) / net_step;     // f=4 to half steps, 24 fraction bits
  std::array<int16_t, 64> differences{};  // six of them
  for (int64_t y = 0; y < rect.h; ++y) {
    uint8_t* const row = features_.data() + y * rect.w * kNetworkInputs;
    const int64_t block_y = rect.y + y, above = std::max<int64_t>(block_y - 1, 0);
    for (size_t p = 0; p < static_cast<size_t>(latents.planes); ++p) {
      const int16_t* symbols = latents.Symbols(p, block_y, rect.x);
      if (step != net_step) {
        for (int64_t i = 0; i < rect.w * kChannels; ++i)
          scaled_.data()[i] = Scale(symbols[i], ratio, 16);
        symbols = scaled_.data();
      }
      for (int64_t x = 0; x < rect.w; ++x) {
        kernels_->compand(tables.compand.data(), symbols + x * kChannels, kChannels,
                          row + x * kNetworkInputs + static_cast<int64_t>(p) * kChannels);
      }
    }
    for (int64_t x = 0; x < rect.w; ++x) {
      uint8_t* const out = row + x * kNetworkInputs;
      const int64_t block_x = rect.x + x, before = std::max<int64_t>(block_x - 1, 0);
      for (size_t p = 0; p < static_cast<size_t>(latents.planes); ++p) {
        const int32_t dc = latents.Dc(p, block_y, block_x);
        differences[p] = Scale(dc - latents.Dc(p, block_y, before), half_steps, 24);
        differences[3 + p] = Scale(dc - latents.Dc(p, above, block_x), half_steps, 24);
      }
      for (size_t p = 0; p < kPlanes; ++p) {
        const auto level = [&](int16_t d) {
          const int m = tables.compand[static_cast<size_t>(std::min(std::abs(int{d}), 63))];
          return static_cast<uint8_t>(128 + (d < 0 ? -m : m));
        };
        out[p * kChannels] = level(differences[p]);
        out[kPlanes * kChannels + p] = level(differences[3 + p]);
      }
      if (latents.planes == 1) std::memset(out + kChannels, 128, 2 * kChannels);
      std::memcpy(out + kPlanes * kChannels + kPlanes, conditions_.data(), conditions_.size());
    }
  }
}

Status TileSynthesiser::Correct(const LatentRows& latents, int step_index, int layers,
                                Rect window) {
  const SynthesisTables& tables = synthesis_->tables();
  const auto l = static_cast<size_t>(layers);
  const int net_index = std::max<int>(step_index, tables.step_floor[l]);
  std::copy_n(tables.step_features[static_cast<size_t>(net_index)].data(), kStepFeatures,
              conditions_.data());
  std::copy_n(tables.layer_features[l].data(), kLayerFeatures, conditions_.data() + kStepFeatures);
  const int halo = synthesis_->network().halo();
  const int64_t y0 = std::max<int64_t>(window.y - halo, 0),
                x0 = std::max<int64_t>(window.x - halo, 0);
  const int64_t y1 = std::min(window.y + window.h + halo, latents.picture_h);
  const int64_t x1 = std::min(window.x + window.w + halo, latents.picture_w);
  const Rect rect{y0, x0, y1 - y0, x1 - x0};
  FillFeatures(latents, StepFromIndex(step_index), StepFromIndex(net_index), rect);
  const TensorView<const uint8_t> input{
      features_.data(), rect.h, rect.w, kNetworkInputs, rect.w * kNetworkInputs, kNetworkInputs};
  const TensorView<uint8_t> output{
      corrections_.data(),        window.h,       window.w, kNetworkOutputs,
      window.w * kNetworkOutputs, kNetworkOutputs};
  return runner_->Run(input, rect, latents.picture_h, latents.picture_w, window, output);
}

Status TileSynthesiser::Synthesise(const LatentRows& latents, int step_index, int layers,
                                   Rect window, TensorView<uint8_t> out) {
  const bool network = synthesis_ != nullptr;
  if (network) GODWIT_RETURN_IF_ERROR(Correct(latents, step_index, layers, window));
  const int net_index =
      network
          ? std::max<int>(step_index, synthesis_->tables().step_floor[static_cast<size_t>(layers)])
          : step_index;
  PlaneSteps steps;
  steps.step.fill(static_cast<int32_t>(StepFromIndex(step_index)));
  steps.correction.fill(static_cast<int32_t>(StepFromIndex(net_index)));
  const int64_t width = window.w * kBlockSide;
  for (int64_t y = 0; y < window.h; ++y) {
    for (size_t p = 0; p < static_cast<size_t>(latents.planes); ++p) {
      const uint8_t* const corrections =
          corrections_.data() + (network ? y * window.w * kNetworkOutputs : 0) + p * kChannels;
      kernels_->reconstruct(steps, latents.Symbols(p, window.y + y, window.x),
                            reinterpret_cast<const int8_t*>(corrections),
                            network ? kNetworkOutputs : 0, static_cast<size_t>(window.w),
                            coefficients_.data());
      for (int64_t x = 0; x < window.w;
           ++x) {  // symbol 0 is 0: what is there so far is the correction of DC
        int16_t& dc = coefficients_.data()[x * kChannels];
        dc = Saturate16(dc + latents.Dc(p, window.y + y, window.x + x));
      }
      kernels_->block_inverse(
          model_->transform, coefficients_.data(), static_cast<size_t>(window.w),
          rows_.data() + static_cast<int64_t>(p) * 8 * width, static_cast<size_t>(width));
    }
    for (int64_t row = 0; row < 8; ++row) {
      const int16_t* planes[3];
      for (int64_t p = 0; p < latents.planes; ++p) planes[p] = rows_.data() + (p * 8 + row) * width;
      uint8_t* const pixels = out.At(y * 8 + row, 0);
      if (latents.planes == 3) {
        kernels_->colour_inverse(model_->transform, planes, static_cast<size_t>(width), pixels);
      } else {
        kernels_->grey_inverse(model_->transform, planes[0], static_cast<size_t>(width), pixels);
      }
    }
  }
  return {};
}

}  // namespace godwit::swift
