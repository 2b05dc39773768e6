#include "codecs/audio/frame_decoder.h"

#include <algorithm>
#include <cstdlib>

#include "codecs/audio/unit_coder.h"

namespace godwit::audio {
namespace {

// Energies of a band are added in 2^-12, so that they fit 64 bits whatever the stream says.
constexpr int kEnergyShift = 6;

uint32_t NextRandom(uint32_t r) { return r * 1664525 + 1013904223; }

}  // namespace

FrameDecoder::FrameDecoder(uint32_t hop, int channels, const FrameDecoderChoices& choices,
                           const AudioModel& model, SimdLevel level)
    : rules_(hop, channels, choices.shape),
      noise_(static_cast<uint32_t>(choices.noise)),
      grain_(static_cast<uint32_t>(choices.grain)),
      model_(model),
      level_(level),
      transform_(hop, level),
      memory_(std::make_unique<UnitMemory>(hop)) {
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    time_[c].resize(2 * size_t{hop});
    spectrum_[c].resize(hop);
    frame_.channels[c].symbols.resize(hop);
  }
}

void FrameDecoder::Decode(BitReader& coder, int step, bool key) {
  if (key) {
    memory_->Reset(model_.start());
    random_ = 1;
  }
  rules_.step = step;
  RunUnitCoder(level_, coder, rules_, frame_, *memory_);
  for (size_t b = 0; b < rules_.bands(); ++b) {
    for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) Dequantise(c, b);
    if (rules_.channels == 2) {
      const size_t from = rules_.edges[b];
      RotateBack(spectrum_[0].data() + from, spectrum_[1].data() + from, rules_.edges[b + 1] - from,
                 frame_.angles[b]);
    }
  }
  Synthesise();
}

void FrameDecoder::Dequantise(size_t channel, size_t band) {
  const ChannelFrame& coded = frame_.channels[channel];
  int32_t* const x = spectrum_[channel].data();
  const size_t from = rules_.edges[band], to = rules_.edges[band + 1];
  uint64_t have = 0;
  uint32_t zeros = 0;
  if (!coded.coded[band]) {
    std::fill(x + from, x + to, 0);
    zeros = static_cast<uint32_t>(to - from);
  }
  for (size_t i = from; i < to && coded.coded[band]; ++i) {
    const auto magnitude = static_cast<uint32_t>(std::abs(coded.symbols[i]));
    if (magnitude == 0) {
      x[i] = 0;
      ++zeros;
      continue;
    }
    const int32_t v = PartsOfStep(32 * magnitude, frame_.steps[band]);
    x[i] = coded.symbols[i] < 0 ? -v : v;
    have += static_cast<uint64_t>(int64_t{v >> kEnergyShift} * (v >> kEnergyShift));
  }
  if (zeros != 0 && coded.levels[band] != 0 && noise_ != 0) AddNoise(channel, band, have, zeros);
}

void FrameDecoder::AddNoise(size_t channel, size_t band, uint64_t have, uint32_t zeros) {
  const ChannelFrame& coded = frame_.channels[channel];
  int32_t* const x = spectrum_[channel].data();
  const size_t from = rules_.edges[band], to = rules_.edges[band + 1];
  const int level = std::min<int>(coded.levels[band], kMaxNoiseLevel);
  // 2^level * width >> 12; the product alone may pass 64 bits.
  static_assert(2 * kEnergyShift == 12);
  const uint64_t width = to - from;
  const uint64_t wanted = level >= 12 ? width << (level - 12) : (width << level) >> 12;
  if (have >= wanted) return;
  uint64_t rms = uint64_t{SquareRoot((wanted - have) / zeros)} << kEnergyShift;
  if (coded.coded[band]) {
    const int32_t most = PartsOfStep(grain_, frame_.steps[band]);
    rms = std::min(rms, static_cast<uint64_t>(most));
  }
  // Uniform noise reaches to sqrt(3) = 28378 / 2^14 of its rms.
  const auto peak = static_cast<int64_t>((rms * noise_ * 28378) >> 18);
  for (size_t i = from; i < to; ++i) {
    if (coded.coded[band] && coded.symbols[i] != 0) continue;
    random_ = NextRandom(random_);
    x[i] = static_cast<int32_t>(((static_cast<int32_t>(random_) >> 16) * peak) >> 15);
  }
}

void FrameDecoder::Conceal() {
  // The spectrum before, softer and with new signs: the old ones would ring at the frame rate.
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    for (int32_t& x : spectrum_[c]) {
      random_ = NextRandom(random_);
      const int32_t softer = x - (x >> 2);
      x = (random_ >> 31) != 0 ? -softer : softer;
    }
  }
  Synthesise();
}

void FrameDecoder::Synthesise() {
  const size_t hop = rules_.hop, blocks = size_t{1} << frame_.split, size = hop / blocks;
  for (size_t c = 0; c < static_cast<size_t>(rules_.channels); ++c) {
    int32_t* const time = time_[c].data();
    std::copy_n(time + hop, hop, time);
    for (size_t b = 0; b < blocks; ++b) {
      for (size_t i = 0; i < size; ++i) time[hop + b * size + i] = spectrum_[c][i * blocks + b];
    }
    transform_.RunBlocks(time + hop, frame_.split);
    const Overlap& overlap = transform_.Between(frame_.split, frame_.split);
    for (size_t b = 1; b < blocks; ++b) overlap.Unfold(time + hop + b * size);
    if (!first_) transform_.Between(last_split_, frame_.split).Unfold(time + hop);
  }
  first_ = false;
  last_split_ = frame_.split;
}

}  // namespace godwit::audio
