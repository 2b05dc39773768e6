// Short-time objective intelligibility: Taal, Hendriks, Heusdens and Jensen 2011.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "eval/fft.h"
#include "eval/resampled.h"
#include "eval/sound_metrics.h"

namespace godwit {
namespace {

constexpr uint32_t kRate = 10'000;
constexpr size_t kSize = 256, kHop = kSize / 2, kFft = 512, kSegment = 30;
constexpr int kBands = 15;
constexpr double kLowest = 150;      // Hz, middle of the first third of an octave
constexpr double kSpeechRange = 40;  // dB; frames that are quieter do not count
constexpr double kTiny = 1e-12;

using Frame = std::array<double, kSize>;
using Bands = std::array<double, kBands>;

// The mean of the channels at 10 kHz.
Result<std::vector<double>> Mono(const Sound& sound) {
  Sound mono{sound.rate_hz, 1, 32, std::vector<float>(sound.frames())};
  for (size_t i = 0; i < mono.samples.size(); ++i) {
    double sum = 0;
    for (size_t c = 0; c < sound.channels; ++c) {
      sum += double{sound.samples[i * sound.channels + c]};
    }
    mono.samples[i] = static_cast<float>(sum / sound.channels);
  }
  GODWIT_ASSIGN_OR_RETURN(const Sound slow, Resampled(mono, kRate));
  return std::vector<double>(slow.samples.begin(), slow.samples.end());
}

Frame Window() {
  Frame window;
  for (size_t i = 0; i < kSize; ++i) {
    window[i] =
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i + 1) / (kSize + 1));
  }
  return window;
}

std::vector<Frame> FramesOf(const std::vector<double>& samples) {
  static const Frame window = Window();
  std::vector<Frame> frames;
  for (size_t start = 0; start + kSize <= samples.size(); start += kHop) {
    Frame& frame = frames.emplace_back();
    for (size_t i = 0; i < kSize; ++i) frame[i] = samples[start + i] * window[i];
  }
  return frames;
}

// The frames that are kept, overlapped and added.
std::vector<double> Joined(const std::vector<Frame>& frames, const std::vector<bool>& kept) {
  std::vector<double> out;
  size_t start = 0;
  for (size_t k = 0; k < frames.size(); ++k) {
    if (!kept[k]) continue;
    out.resize(start + kSize);
    for (size_t i = 0; i < kSize; ++i) out[start + i] += frames[k][i];
    start += kHop;
  }
  return out;
}

struct BinRange {
  size_t low, high;  // without high
};

std::array<BinRange, kBands> ThirdOctaves() {
  constexpr double kBinHz = double{kRate} / kFft;
  const auto nearest = [](double hz) {
    // Of two that are as near, the lower.
    const double bin = std::clamp(std::ceil(hz / kBinHz - 0.5), 0.0, double{kFft / 2});
    return static_cast<size_t>(bin);
  };
  std::array<BinRange, kBands> ranges;
  for (int b = 0; b < kBands; ++b) {
    const double middle = kLowest * std::exp2(b / 3.0);
    ranges[static_cast<size_t>(b)] = {nearest(middle * std::exp2(-1 / 6.0)),
                                      nearest(middle * std::exp2(1 / 6.0))};
  }
  return ranges;
}

std::vector<Bands> BandsOf(const std::vector<double>& samples) {
  static const std::array<BinRange, kBands> ranges = ThirdOctaves();
  PowerSpectrum spectrum(kFft);
  std::vector<double> power;
  std::vector<Bands> bands;
  for (const Frame& frame : FramesOf(samples)) {
    spectrum.Of(frame, &power);
    Bands& out = bands.emplace_back();
    for (size_t b = 0; b < kBands; ++b) {
      double sum = 0;
      for (size_t i = ranges[b].low; i < ranges[b].high; ++i) sum += power[i];
      out[b] = std::sqrt(sum);
    }
  }
  return bands;
}

// Of one band over a segment: y scaled to x, clipped at -15 dB, correlated.
double Correlation(const std::vector<Bands>& x, const std::vector<Bands>& y, size_t first,
                   size_t band) {
  std::array<double, kSegment> a, b;
  double xx = 0, yy = 0;
  for (size_t i = 0; i < kSegment; ++i) {
    a[i] = x[first + i][band];
    b[i] = y[first + i][band];
    xx += a[i] * a[i];
    yy += b[i] * b[i];
  }
  static const double kClip = 1 + std::pow(10, 15 / 20.0);
  const double scale = std::sqrt(xx) / (std::sqrt(yy) + kTiny);
  double mean_a = 0, mean_b = 0;
  for (size_t i = 0; i < kSegment; ++i) {
    b[i] = std::min(b[i] * scale, a[i] * kClip);
    mean_a += a[i] / kSegment;
    mean_b += b[i] / kSegment;
  }
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < kSegment; ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / (std::sqrt(aa) * std::sqrt(bb) + kTiny);
}

}  // namespace

double Stoi(const Sound& original, const Sound& decoded) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto x = Mono(original), y = Mono(decoded);
  if (!x.ok() || !y.ok()) return kNone;
  const std::vector<Frame> fx = FramesOf(*x), fy = FramesOf(*y);
  std::vector<double> level;
  for (const Frame& frame : fx) {
    double sum = 0;
    for (const double v : frame) sum += v * v;
    level.push_back(20 * std::log10(std::sqrt(sum) + kTiny));
  }
  if (level.empty()) return kNone;
  const double loudest = *std::max_element(level.begin(), level.end());
  std::vector<bool> kept;
  for (const double v : level) kept.push_back(v > loudest - kSpeechRange);
  const std::vector<Bands> bx = BandsOf(Joined(fx, kept)), by = BandsOf(Joined(fy, kept));
  if (bx.size() < kSegment) return kNone;
  double sum = 0;
  const size_t segments = bx.size() - kSegment + 1;
  for (size_t first = 0; first < segments; ++first) {
    for (size_t b = 0; b < kBands; ++b) sum += Correlation(bx, by, first, b);
  }
  return sum / static_cast<double>(segments * kBands);
}

}  // namespace godwit
