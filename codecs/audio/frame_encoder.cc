#include "codecs/audio/frame_encoder.h"

#include <algorithm>
#include <cstring>

#include "base/per_level.h"
#include "codecs/audio/unit_coder.h"

namespace godwit::audio {

FrameEncoder::FrameEncoder(uint32_t hop, int channels, const FrameEncoderChoices& choices,
                           const AudioModel& model, SimdLevel level)
    : rules_(hop, channels, choices.shape),
      choices_(choices),
      model_(model),
      level_(level),
      transform_(hop, level),
      memory_(std::make_unique<UnitMemory>(hop)),
      blocks_(hop) {
  rules_.dropped = MakeDroppedSizes(choices.lambda);
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    time_[c].resize(2 * size_t{hop});
    spectrum_[c].resize(hop);
    frame_.channels[c].symbols.resize(hop);
    frame_.channels[c].targets.resize(hop);
  }
}

void FrameEncoder::Push(const std::array<const int32_t*, 2>& samples) {
  const size_t hop = rules_.hop;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    std::copy_n(time_[c].data() + hop, hop, time_[c].data());
    std::copy_n(samples[c], hop, time_[c].data() + hop);
  }
  split_ = next_split_;
  next_split_ = 0;
  if (choices_.splits) RunPerLevel<ChooseSplitOf>(level_, *this, samples, next_split_);
}

inline void FrameEncoder::ChooseSplitOf(FrameEncoder& encoder,
                                        const std::array<const int32_t*, 2>& samples, int& split) {
  split = encoder.ChooseSplit(samples);
}

// By how much the energy of sixteen parts, of the differences between samples, varies: mean over
// geometric mean, the gain of giving each part its own step. The thresholds are the best of five
// sets on the training music, in bits: 0.2, 0.4 and 0.7.
inline int FrameEncoder::ChooseSplit(const std::array<const int32_t*, 2>& samples) {
  constexpr size_t kParts = 16;
  constexpr double kGain[kMaxSplit] = {9.189586839976281, 84.44850628946526,
                                       2352.534203601862};  // 2^(16 bits)
  const size_t size = rules_.hop / kParts;
  int split = 0;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    const int32_t* x = samples[c];
    int32_t before = last_sample_[c];
    std::array<double, kParts> energies;
    double mean = 0;
    for (double& energy : energies) {
      double sums[4] = {};  // side by side, so that they are one vector
      sums[0] = double(x[0] - before) * (x[0] - before);
      for (size_t i = 1; i < size; ++i) {
        const double difference = x[i] - x[i - 1];
        sums[i % 4] += difference * difference;
      }
      before = x[size - 1];
      // 1e4: what nobody hears, 2 / 2^16.
      energy = 1e4 * static_cast<double>(size) + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
      x += size;
      mean += energy / kParts;
    }
    last_sample_[c] = before;
    double gain = 1;
    for (const double energy : energies) gain *= mean / energy;
    while (split < kMaxSplit && gain > kGain[split]) ++split;
  }
  return split;
}

void FrameEncoder::Transform() {
  const size_t blocks = size_t{1} << split_, size = rules_.hop / blocks;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    const Overlap& overlap = transform_.Between(split_, split_);
    for (size_t b = 1; b < blocks; ++b) overlap.Fold(time_[c].data() + b * size);
    int32_t* const out = split_ == 0 ? spectrum_[c].data() : blocks_.data();
    std::copy_n(time_[c].data(), rules_.hop, out);
    transform_.RunBlocks(out, split_);
    if (split_ == 0) continue;
    for (size_t b = 0; b < blocks; ++b) {
      for (size_t i = 0; i < size; ++i) spectrum_[c][i * blocks + b] = out[b * size + i];
    }
  }
}

// Turns the band so that the first channel has most of it; stays with the angle before where that
// costs little.
inline void FrameEncoder::ChooseAngle(size_t band) {
  constexpr double kWorth = 30;  // of a coefficient's squared step: what a turn must save
  const size_t from = rules_.edges[band], n = rules_.edges[band + 1] - from;
  int32_t *const a = spectrum_[0].data() + from, *const b = spectrum_[1].data() + from;
  double sums[3][8] = {};  // bands have eights of coefficients
  for (size_t i = 0; i < n; i += 8) {
    for (size_t k = 0; k < 8; ++k) {
      const double x = a[i + k], y = b[i + k];
      sums[0][k] += x * x;
      sums[1][k] += y * y;
      sums[2][k] += x * y;
    }
  }
  const auto total = [](const double* v) __attribute__((always_inline)) {
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
  };
  const double aa = total(sums[0]), bb = total(sums[1]), ab = total(sums[2]);
  const auto left = [&](size_t angle) __attribute__((always_inline)) {  // to the second channel
    const double c = kAngleCosine[angle] / 32768.0, s = kAngleSine[angle] / 32768.0;
    return aa * s * s + bb * c * c - 2 * ab * s * c;
  };
  size_t best = 0;
  for (size_t angle = 1; angle < kAngles; ++angle) {
    if (left(angle) < left(best)) best = angle;
  }
  const size_t kept = memory_->angles[band];
  const double step = PartsOfStep(32, rules_.step), floor = step * step * 0.1 * double(n);
  const double saved = double(n) * (left(kept) - left(best)) / (left(best) + floor);
  const size_t angle = saved < kWorth ? kept : best;
  frame_.angles[band] = static_cast<uint8_t>(angle);
  Rotate(a, b, n, static_cast<int>(angle));
}

inline void FrameEncoder::Quantise() {
  // In 2^-8 steps: below the first no price makes a symbol of a coefficient; bands of sparse highs
  // want more to be more than noise.
  constexpr int32_t kSmallest = 150, kSmallestHigh = 600;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    ChannelFrame& channel = frame_.channels[c];
    for (size_t b = 0; b < rules_.bands(); ++b) {
      const int step = frame_.steps[b];
      const double mantissa = kStepMantissa[static_cast<size_t>(step & 63)] / 32768.0;
      const double scale = 256.0 / (mantissa * static_cast<double>(int64_t{1} << (step >> 6)));
      const size_t from = rules_.edges[b], n = rules_.edges[b + 1] - from;
      const int32_t* const x = spectrum_[c].data() + from;
      int32_t* const target = channel.targets.data() + from;
      if (scale < 0.9) {  // it fits
        for (size_t i = 0; i < n; ++i) target[i] = static_cast<int32_t>(x[i] * scale);
      } else {
        for (size_t i = 0; i < n; ++i) {
          target[i] = static_cast<int32_t>(std::clamp(x[i] * scale, -2e9, 2e9));
        }
      }
      int32_t* const symbol = channel.symbols.data() + from;
      int32_t largest = 0;
      for (size_t i = 0; i < n; ++i) {
        const int32_t size = std::abs(target[i]);
        symbol[i] = (size + (size < 384 ? 128 : 104)) >> 8;
        largest = std::max(largest, size);
      }
      const bool high = rules_.edges[b] >= choices_.sparse_from;
      channel.coded[b] = largest >= (high ? kSmallestHigh : kSmallest) && channel.levels[b] != 0;
    }
  }
}

inline void FrameEncoder::AnalyseOf(FrameEncoder& encoder) { encoder.Analyse(); }

// Angles, levels, steps and targets.
inline void FrameEncoder::Analyse() {
  for (size_t b = 0; b < rules_.bands(); ++b) {
    if (rules_.channels == 2) ChooseAngle(b);
    for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
      uint64_t energy = 0;
      for (size_t i = rules_.edges[b]; i < rules_.edges[b + 1]; ++i) {
        energy += static_cast<uint64_t>(int64_t{spectrum_[c][i]} * spectrum_[c][i]);
      }
      frame_.channels[c].levels[b] = static_cast<uint8_t>(
          LevelOf(energy, static_cast<uint32_t>(rules_.edges[b + 1] - rules_.edges[b])));
    }
  }
  BandSteps(frame_.channels[0].levels.data(),
            frame_.channels[rules_.channels == 2 ? 1 : 0].levels.data(), rules_.bands(),
            rules_.step, rules_.shape, frame_.steps.data());
  Quantise();
}

void FrameEncoder::Encode(PacketWriter& writer, int step, bool key, bool last) {
  const size_t hop = rules_.hop;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels) && !last; ++c) {
    transform_.Between(split_, next_split_).Fold(time_[c].data() + hop);
  }
  if (key) memory_->Reset(model_.start());
  rules_.step = step;
  frame_.split = split_;
  Transform();
  RunPerLevel<AnalyseOf>(level_, *this);
  RunUnitCoder(level_, writer, rules_, frame_, *memory_);
}

}  // namespace godwit::audio
