#include "codecs/image/swift_synthesis.h"

#include <algorithm>

namespace godwit::swift {
namespace {

constexpr int64_t kStepRows = 4;  // of blocks: a row of cells

// Blocks that go from symbols to pixels at once: their coefficients and samples stay in L1.
constexpr int64_t kPieceBlocks = 32;

int16_t Saturate16(int32_t v) { return static_cast<int16_t>(std::clamp(v, -32768, 32767)); }

}  // namespace

LaneSynthesiser::LaneSynthesiser(const SwiftModel& model, SimdLevel level,
                                 const SynthesisInput& input, Rect lane)
    : model_(&model), kernels_(&BlockTransformKernelsFor(level)), lane_(lane), row_(lane.y) {
  steps_.step = static_cast<int32_t>(StepFromIndex(input.step_index));
  coefficients_ = Tensor<int16_t>(1, kPieceBlocks, kChannels);
  rows_ = Tensor<int16_t>(input.planes, kBlockSide, kPieceBlocks * kBlockSide);
  line_ = Tensor<uint8_t>(1, kPieceBlocks * kBlockSide, input.planes);
}

uint64_t LaneSynthesiser::BytesFor(const ImageSynthesis* synthesis, int64_t width) {
  const auto piece = static_cast<uint64_t>(kPieceBlocks * kChannels) * sizeof(int16_t);
  const uint64_t bytes = piece * (1 + kPlanes) + kPieceBlocks * kBlockSide * kPlanes;
  if (synthesis == nullptr) return bytes + kNetworkOutputs;
  const Network& network = synthesis->network();
  return bytes + static_cast<uint64_t>(kStepRows * width * kNetworkOutputs) +
         FeatureWriter::BytesFor(width + 2 * network.halo()) +
         RowRunner::BytesFor(network, width, kStepRows) + RowRunner::RestBytesFor(network);
}

Result<LaneSynthesiser> LaneSynthesiser::Create(const SwiftModel& model,
                                                const ImageSynthesis* synthesis, SimdLevel level,
                                                const SynthesisInput& input, Rect lane) {
  LaneSynthesiser s(model, level, input, lane);
  if (synthesis == nullptr) {
    s.corrections_ = Tensor<uint8_t>(1, 1, kNetworkOutputs);
    return s;
  }
  const Network& network = synthesis->network();
  s.halo_ = network.halo();
  const SynthesisTables& tables = synthesis->tables();
  const int net_index = tables.NetworkStepIndex(input.step_index, input.layers);
  s.steps_.correction = static_cast<int32_t>(StepFromIndex(net_index));
  s.corrections_ = Tensor<uint8_t>(kStepRows, lane.w, kNetworkOutputs);
  GODWIT_ASSIGN_OR_RETURN(RowRunner runner, RowRunner::Create(network, level, lane.w, kStepRows));
  GODWIT_RETURN_IF_ERROR(runner.Start(input.picture_h, input.picture_w, lane));
  s.features_ = std::make_unique<FeatureWriter>(tables, *s.kernels_, input.step_index, input.layers,
                                                lane.w + 2 * network.halo());
  s.features_->FillConstants(runner.input_memory());
  Tensor<uint8_t> rest(1, 1, kNetworkInputs);
  s.features_->FillConstants(rest.view());
  runner.SetRest(rest.data());
  s.runner_ = std::make_unique<RowRunner>(std::move(runner));
  return s;
}

// The pixels of a row of at most kPieceBlocks blocks, as many as `out` has.
void LaneSynthesiser::MakePixels(const LatentRows& latents, Rect rect, TensorView<uint8_t> out) {
  const auto blocks = static_cast<size_t>(rect.w), width = blocks * kBlockSide;
  const bool network = runner_ != nullptr;
  const uint8_t* const corrections =
      network ? corrections_.view().At(rect.y - row_, rect.x - lane_.x) : corrections_.data();
  for (size_t p = 0; p < static_cast<size_t>(latents.planes); ++p) {
    int16_t* const c = coefficients_.data();
    kernels_->reconstruct(steps_, latents.Symbols(p, rect.y, rect.x),
                          reinterpret_cast<const int8_t*>(corrections + p * kChannels),
                          network ? kNetworkOutputs : 0, blocks, c);
    const int16_t* const dc = latents.Dc(p, rect.y, rect.x);
    for (size_t x = 0; x < blocks; ++x) {  // symbol 0 is 0: so far it is the correction of DC
      c[x * kChannels] = Saturate16(c[x * kChannels] + dc[x]);
    }
    kernels_->block_inverse(model_->transform, c, blocks,
                            rows_.view().At(static_cast<int64_t>(p), 0), width);
  }
  // Kernels write whole blocks: what is cut off at the right goes by way of a row of its own.
  const bool cut = out.width < static_cast<int64_t>(width);
  for (int64_t y = 0; y < out.height; ++y) {
    const int16_t* planes[kPlanes] = {};
    for (int64_t p = 0; p < latents.planes; ++p)
      planes[p] = rows_.view().At(p, 0) + static_cast<size_t>(y) * width;
    uint8_t* const to = cut ? line_.data() : out.At(y, 0);
    if (latents.planes == 3) {
      kernels_->colour_inverse(model_->transform, planes, width, to);
    } else {
      kernels_->grey_inverse(model_->transform, planes[0], width, to);
    }
    if (cut) std::copy_n(to, out.width * latents.planes, out.At(y, 0));
  }
}

int64_t LaneSynthesiser::FirstRow() const {
  if (runner_ == nullptr) return row_;
  // A network begins above the lane; from then on differences of DC want one row before.
  const int64_t before = row_ == lane_.y ? halo_ + 1 : 1;
  return std::max<int64_t>(row_ - before, 0);
}

int64_t LaneSynthesiser::NextEnd(int64_t end) {
  if (runner_ == nullptr) return std::min(row_ + kStepRows, end);
  const RowRunner::Step& step = runner_->Next(kStepRows, end);
  return std::max(step.input_rect.y + step.input_rect.h, step.out_rect.y + step.out_rect.h);
}

Status LaneSynthesiser::Step(const LatentRows& latents, int64_t end, TensorView<uint8_t> out) {
  const int64_t begin = row_;
  int64_t next = std::min(begin + kStepRows, end);
  if (runner_ != nullptr) {
    const RowRunner::Step& step = runner_->Next(kStepRows, end);
    features_->Fill(latents, step.input_rect, step.input);
    next = step.out_rect.y + step.out_rect.h;
    GODWIT_RETURN_IF_ERROR(
        runner_->Run(corrections_.view().Window(0, 0, step.out_rect.h, lane_.w)));
  }
  for (int64_t y = begin; y < next; ++y) {
    for (int64_t x = 0; x < lane_.w; x += kPieceBlocks) {
      const int64_t w = std::min(kPieceBlocks, lane_.w - x);
      const int64_t top = (y - begin) * kBlockSide, left = x * kBlockSide;
      MakePixels(latents, {y, lane_.x + x, 1, w},
                 out.Window(top, left, std::min<int64_t>(kBlockSide, out.height - top),
                            std::min(w * kBlockSide, out.width - left)));
    }
  }
  row_ = next;
  return {};
}

Status LaneSynthesiser::Synthesise(const LatentRows& latents, int64_t end,
                                   TensorView<uint8_t> out) {
  const int64_t begin = row_;
  while (row_ < end) {
    const int64_t made = (row_ - begin) * kBlockSide;
    GODWIT_RETURN_IF_ERROR(Step(latents, end, out.Window(made, 0, out.height - made, out.width)));
  }
  return {};
}

}  // namespace godwit::swift
