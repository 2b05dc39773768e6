#include "codecs/image/swift_network_aim.h"

#include <algorithm>
#include <cstdlib>

#include "codecs/image/swift_synthesis.h"

namespace godwit::swift {
namespace {

constexpr float kOutputStep = 1.0f / 64;  // of a step of the network's output

// The network undoes part of what a symbol changes, measured on training pictures at `large`: by
// 0.05, 0.1 and 0.2 of it at steps 34, 101 and 240; most in low bands and in chroma. Aims that
// leave this out take larger steps than help. Twice this is as bad as none.
constexpr float kGivesWay = 0.08f;  // at step index kReferenceIndex
constexpr float kDcGivesWay = 0.1f;
constexpr int kReferenceIndex = 245;
constexpr float kMostGivesWay = 0.5f;
constexpr float kPull = 0.9f;  // of the gradient: all symbols move at once

// 2^((index - kReferenceIndex) / 48), at most 1.8, by the table of steps.
float ByStep(int index) {
  constexpr int kZero = 170;
  const int at = std::clamp(kZero + (index - kReferenceIndex) * 2 / 3, 0, kMaxStepIndex);
  return std::min(static_cast<float>(StepFromIndex(at)) / static_cast<float>(StepFromIndex(kZero)),
                  1.8f);
}

float GivesWay(int index, size_t plane, size_t channel) {
  const size_t frequency = channel / 8 + channel % 8;
  const float by_band = frequency <= 2 ? 1.4f : frequency <= 6 ? 1.0f : 0.4f;
  return std::min(kGivesWay * ByStep(index) * by_band * (plane > 0 ? 2.0f : 1.0f), kMostGivesWay);
}

}  // namespace

bool NetworkAim::Serves(int step_index, int layers) const {
  return synthesis_.tables().NetworkStepIndex(step_index, layers) == step_index;
}

NetworkAim::NetworkAim(const ImageSynthesis& synthesis, SimdLevel level, int64_t max_cells_w,
                       int64_t max_cells_h)
    : synthesis_(synthesis),
      network_(synthesis.network(), level, max_cells_h * kCellBlocks, max_cells_w * kCellBlocks),
      kernels_(BlockTransformKernelsFor(level)) {}

uint64_t NetworkAim::BytesFor(const ImageSynthesis& synthesis, int64_t max_cells_w,
                              int64_t max_cells_h) {
  const int64_t w = max_cells_w * kCellBlocks;
  return NetworkGradient::BytesFor(synthesis.network(), max_cells_h * kCellBlocks, w) +
         FeatureWriter::BytesFor(w);
}

const int8_t* NetworkAim::Correction(int64_t y, int64_t x) const {
  return reinterpret_cast<const int8_t*>(network_.Output(y, x));
}

void NetworkAim::StartTile(const LatentTile& tile, int step_index, int layers) {
  step_index_ = step_index;
  layers_ = layers;
  steps_ = 4.0f / static_cast<float>(StepFromIndex(step_index));
  network_.SetSize(tile.rows(), tile.columns());
}

double NetworkAim::Run(const LatentTile& tile) {
  const int64_t width = tile.columns(), rows = tile.rows();
  const auto planes = static_cast<size_t>(tile.planes);
  LatentRows latents{tile.planes, rows, width, rows, 0, width, {}, {}};
  for (size_t p = 0; p < planes; ++p) {
    latents.symbols[p] = tile.symbol[p].block.data();
    latents.dc[p] = tile.dc[p].data();
  }
  FeatureWriter writer(synthesis_.tables(), kernels_, step_index_, layers_, width);
  for (int64_t y = 0; y < rows; ++y) {
    writer.FillConstants(network_.InputRow(y));
    writer.Fill(latents, {y, 0, 1, width}, network_.InputRow(y));
  }
  network_.Forward();
  double error = 0;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int8_t* const out = Correction(y, x);
      float* const slope = network_.OutputGradient(y, x);
      std::fill_n(slope, kNetworkOutputs, 0.0f);
      const int64_t at = tile.BlockAt(y, x);
      for (size_t p = 0; p < planes; ++p) {
        const int16_t* const c = tile.coefficient[p].data() + at;
        const int16_t* const q = tile.symbol[p].block.data() + at;
        const float dc = static_cast<float>(tile.dc[p].data()[at / kChannels]) * steps_;
        float sum = 0;
        for (size_t i = 0; i < kChannels; ++i) {
          const size_t o = p * kChannels + i;
          const float off = (i == 0 ? dc : static_cast<float>(q[i])) +
                            static_cast<float>(out[o]) * kOutputStep -
                            static_cast<float>(c[i]) * steps_;
          const float weight = tile.Weight(p, at + static_cast<int64_t>(i));
          sum += weight * off * off;
          slope[o] = weight * off * (2 * kOutputStep);
        }
        error += static_cast<double>(sum);
      }
    }
  }
  return error;
}

void NetworkAim::Aim(LatentTile& tile) {
  network_.Backward();
  tile.compand = &synthesis_.tables().compand;
  for (size_t p = 0; p < static_cast<size_t>(tile.planes); ++p) {
    AimBlocks(tile, p);
    AimDc(tile, p);
  }
}

// With the correction e as it is, symbol v leaves (v + e - c)^2. Another v also moves e: here by
// way of what the network gives way, elsewhere as the gradient says.
void NetworkAim::AimBlocks(LatentTile& tile, size_t p) const {
  const auto& compand = *tile.compand;
  std::array<float, kChannels> gives;
  for (size_t i = 0; i < kChannels; ++i) {
    gives[i] = GivesWay(step_index_, p, i);
    tile.curvature[p][i] = 1 - gives[i];
  }
  for (int64_t y = 0; y < tile.rows(); ++y) {
    for (int64_t x = 0; x < tile.columns(); ++x) {
      const int64_t at = tile.BlockAt(y, x);
      const int16_t* const c = tile.coefficient[p].data() + at;
      const int16_t* const q = tile.symbol[p].block.data() + at;
      const int8_t* const e = Correction(y, x) + p * kChannels;
      const float* const gradient = network_.InputGradient(y, x) + p * kChannels;
      float* const linear = tile.linear[p].data() + at;
      float* const pull = tile.pull[p].data() + at;
      float* const target = tile.target[p].block.data() + at;
      for (size_t i = 1; i < kChannels; ++i) {
        const float curvature = tile.curvature[p][i];
        linear[i] = static_cast<float>(c[i]) * steps_ - static_cast<float>(e[i]) * kOutputStep -
                    gives[i] * static_cast<float>(q[i]);
        pull[i] = gradient[i] * kPull;
        const auto m = static_cast<size_t>(std::min(std::abs(linear[i]) / curvature, 62.0f));
        const auto slope = static_cast<float>(compand[m + 1] - compand[m]);
        target[i] =
            (linear[i] - 0.5f * pull[i] / tile.Weight(p, at + static_cast<int64_t>(i)) * slope) /
            curvature;
      }
    }
  }
}

// DC has its own error, and its differences to the left and above are inputs of the network.
void NetworkAim::AimDc(LatentTile& tile, size_t p) const {
  const auto& compand = synthesis_.tables().compand;
  const int16_t* const dc = tile.dc[p].data();
  float* const target = tile.target[p].block.data();
  const int64_t width = tile.columns();
  const auto each_block = [&](const auto& f) {
    for (int64_t y = 0; y < tile.rows(); ++y) {
      for (int64_t x = 0; x < width; ++x) f(y, x, y * width + x);
    }
  };
  each_block([&](int64_t y, int64_t x, int64_t at) {
    const float known = static_cast<float>(dc[at]) * steps_;
    target[at * kChannels] =
        (static_cast<float>(tile.coefficient[p].data()[at * kChannels]) * steps_ -
         static_cast<float>(Correction(y, x)[p * kChannels]) * kOutputStep - kDcGivesWay * known) /
        (1 - kDcGivesWay);
  });
  // Half the gradient by DC in steps is how far it should move, but for the curvature.
  const auto move = [&](int64_t a, int64_t b, float gradient) {
    const float halves = std::abs(static_cast<float>(dc[a] - dc[b])) * steps_ * 2;
    const auto n = static_cast<size_t>(std::min(halves, 61.0f));
    const size_t low = n > 0 ? n - 1 : 0;
    const float slope =
        static_cast<float>(compand[n + 1] - compand[low]) / static_cast<float>(n + 1 - low);
    const float d = gradient * slope / (1 - kDcGivesWay) / tile.Weight(p, a * kChannels);
    target[a * kChannels] -= d;
    target[b * kChannels] += d;
  };
  each_block([&](int64_t y, int64_t x, int64_t at) {
    const float* const gradient = network_.InputGradient(y, x);
    if (x > 0) move(at, at - 1, gradient[p * kChannels]);
    if (y > 0) move(at, at - width, gradient[kPlanes * kChannels + p]);
  });
}

}  // namespace godwit::swift
