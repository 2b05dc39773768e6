#include "io/resample.h"

#include <soxr.h>

#include <string>

namespace godwit {

struct Resampler::State {
  ~State() { soxr_delete(soxr); }
  soxr_t soxr = nullptr;
  uint32_t channels = 1;

  // `in` of no frames and null data: the end.
  Status Process(const float* in, size_t frames, std::vector<float>& out) {
    constexpr size_t kFrames = 4096;
    std::vector<float> block(kFrames * channels);
    for (size_t taken = 0;;) {
      size_t used = 0, made = 0;
      const soxr_error_t error = soxr_process(soxr, in == nullptr ? nullptr : in + taken * channels,
                                              frames - taken, &used, block.data(), kFrames, &made);
      if (error != nullptr) return Status(StatusCode::kInternal, std::string("soxr: ") + error);
      taken += used;
      out.insert(out.end(), block.begin(), block.begin() + static_cast<ptrdiff_t>(made * channels));
      if (taken == frames && made < kFrames) return {};
    }
  }
};

Result<Resampler> Resampler::Create(uint32_t from_hz, uint32_t to_hz, uint32_t channels) {
  constexpr uint32_t kMaxRate = 10'000'000, kMaxChannels = 64;
  if (from_hz < 1 || to_hz < 1 || from_hz > kMaxRate || to_hz > kMaxRate || channels < 1 ||
      channels > kMaxChannels) {
    return Status(StatusCode::kInvalidArgument, "resampling needs rates and channels in range");
  }
  auto state = std::make_unique<State>();
  state->channels = channels;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  soxr_error_t error = nullptr;
  state->soxr = soxr_create(from_hz, to_hz, channels, &error, &io, &quality, nullptr);
  if (error != nullptr) return Status(StatusCode::kInternal, std::string("soxr: ") + error);
  return Resampler(std::move(state));
}

Resampler::Resampler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resampler::Resampler(Resampler&&) noexcept = default;
Resampler::~Resampler() = default;

Status Resampler::Push(std::span<const float> frames, std::vector<float>& out) {
  return state_->Process(frames.data(), frames.size() / state_->channels, out);
}
Status Resampler::Finish(std::vector<float>& out) { return state_->Process(nullptr, 0, out); }

}  // namespace godwit
