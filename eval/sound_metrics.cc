#include "eval/sound_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "eval/fft.h"

namespace godwit {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastSegment = -10, kMostSegment = 35;  // dB
constexpr size_t kMelBands = 64;

double Mel(double hz) { return 2595 * std::log10(1 + hz / 700); }
double Hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// Weights of the bins of one band.
struct MelBand {
  size_t first = 0;
  std::vector<double> weights;
};

std::vector<MelBand> MelBands(double rate_hz, size_t size) {
  std::vector<double> edges;
  const double top = Mel(rate_hz / 2);
  for (size_t i = 0; i < kMelBands + 2; ++i) {
    edges.push_back(Hertz(top * static_cast<double>(i) / (kMelBands + 1)));
  }
  std::vector<MelBand> bands(kMelBands);
  for (size_t b = 0; b < kMelBands; ++b) {
    const double low = edges[b], middle = edges[b + 1], high = edges[b + 2];
    double sum = 0;
    for (size_t i = 0; i <= size / 2; ++i) {
      const double f = static_cast<double>(i) * rate_hz / static_cast<double>(size);
      const double weight = std::min((f - low) / (middle - low), (high - f) / (high - middle));
      if (weight <= 0) continue;
      if (bands[b].weights.empty()) bands[b].first = i;
      bands[b].weights.push_back(weight);
      sum += weight;
    }
    for (double& weight : bands[b].weights) weight /= std::max(sum, 1e-9);
  }
  return bands;
}

// Log-mel spectra of one channel, frame by frame.
class LogMel {
 public:
  explicit LogMel(uint32_t rate_hz)
      : size_(rate_hz > 32000   ? 2048
              : rate_hz > 16000 ? 1024
                                : 512),
        bands_(MelBands(rate_hz, size_)),
        spectrum_(size_),
        frame_(size_) {
    for (size_t i = 0; i < size_; ++i) {
      window_.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                             static_cast<double>(size_)));
      energy_ += window_.back() * window_.back();
    }
  }
  size_t hop() const { return size_ / 4; }
  size_t Frames(size_t length) const { return length < size_ ? 0 : 1 + (length - size_) / hop(); }
  std::array<double, kMelBands> Of(const Sound& sound, size_t channel, size_t frame) {
    for (size_t i = 0; i < size_; ++i) {
      frame_[i] =
          window_[i] * double{sound.samples[(frame * hop() + i) * sound.channels + channel]};
    }
    spectrum_.Of(frame_, &power_);
    std::array<double, kMelBands> out{};
    for (size_t b = 0; b < kMelBands; ++b) {
      double sum = 0;
      for (size_t i = 0; i < bands_[b].weights.size(); ++i) {
        sum += power_[bands_[b].first + i] * bands_[b].weights[i];
      }
      out[b] = 10 * std::log10(sum * 2 / energy_ + 1e-10);
    }
    return out;
  }

 private:
  size_t size_;
  std::vector<MelBand> bands_;
  PowerSpectrum spectrum_;
  std::vector<double> window_, frame_, power_;
  double energy_ = 0;
};

}  // namespace

double SiSdr(const Sound& original, const Sound& decoded) {
  double xx = 0, xy = 0;
  for (size_t i = 0; i < original.samples.size(); ++i) {
    const double x = original.samples[i], y = decoded.samples[i];
    xx += x * x;
    xy += x * y;
  }
  if (xx == 0) return kNone;
  const double scale = xy / xx;
  double rest = 0;  // summed by itself: as a difference of sums it would drown
  for (size_t i = 0; i < original.samples.size(); ++i) {
    const double d = double{decoded.samples[i]} - scale * double{original.samples[i]};
    rest += d * d;
  }
  if (xy == 0) return kLeastSiSdr;  // silence too
  return std::max(kLeastSiSdr, 10 * std::log10(scale * scale * xx / rest));
}

double SegmentalSnr(const Sound& original, const Sound& decoded) {
  const size_t length = original.rate_hz / 50, samples = length * original.channels;
  if (samples == 0) return kNone;
  double sum = 0;
  size_t used = 0;
  for (size_t start = 0; start + samples <= original.samples.size(); start += samples) {
    double energy = 0, error = 0;
    for (size_t i = start; i < start + samples; ++i) {
      const double x = original.samples[i], d = x - double{decoded.samples[i]};
      energy += x * x;
      error += d * d;
    }
    if (energy <= 1e-6 * static_cast<double>(length)) continue;
    sum +=
        std::clamp(10 * std::log10(energy / std::max(error, 1e-20)), kLeastSegment, kMostSegment);
    ++used;
  }
  return used == 0 ? kNone : sum / static_cast<double>(used);
}

double LogMelDistance(const Sound& original, const Sound& decoded) {
  LogMel mel(original.rate_hz);
  const size_t frames = mel.Frames(original.frames());
  if (frames == 0) return kNone;
  double sum = 0;
  for (size_t channel = 0; channel < original.channels; ++channel) {
    for (size_t frame = 0; frame < frames; ++frame) {
      const auto x = mel.Of(original, channel, frame), y = mel.Of(decoded, channel, frame);
      for (size_t b = 0; b < kMelBands; ++b) sum += std::abs(x[b] - y[b]);
    }
  }
  return sum / static_cast<double>(kMelBands * frames * original.channels);
}

double ScaledPsnr(const Sound& original, const Sound& decoded) {
  double peak = 0, error = 0;
  for (size_t i = 0; i < original.samples.size(); ++i) {
    const double x = original.samples[i], d = x - double{decoded.samples[i]};
    peak = std::max(peak, std::abs(x));
    error += d * d;
  }
  if (peak == 0) return kNone;
  return -10 * std::log10(error / static_cast<double>(original.samples.size()) / (4 * peak * peak));
}

}  // namespace godwit
