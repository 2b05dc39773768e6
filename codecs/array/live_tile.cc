#include "codecs/array/live_tile.h"

#include <algorithm>
#include <bit>

#include "models/row_runner.h"
#include "transforms/packets.h"

namespace godwit::array {
namespace {

constexpr int64_t kLane = 256;  // positions that go through a network at once

// Two classes an octave, and one for the lowest band.
uint32_t ContextOf(uint32_t frequency) {
  if (frequency == 0) return 23;
  const int octave = static_cast<int>(std::bit_width(frequency)) - 1;
  const uint32_t half = octave == 0 ? 0 : frequency >> (octave - 1) & 1;
  return 2 * static_cast<uint32_t>(octave) + half;
}

// One lane of a group's channels: bytes in, corrections out.
class Lane {
 public:
  Lane(const WaveletTile& tile, const LiveModel& model, const std::vector<int32_t>& seen,
       int32_t* latents)
      : tile_(tile), channels_(model.channels), seen_(seen), latents_(latents) {}

  void Fill(Rect rect, TensorView<uint8_t> out) const {
    ForEachInput([&](int64_t input, int64_t at) {
      const int32_t* const from = seen_.data() + at + rect.x;
      uint8_t* to = out.At(0, 0) + input;
      for (int64_t x = 0; x < rect.w; ++x, to += out.col_stride) *to = NetworkByte(from[x]);
    });
  }
  void Apply(Rect rect, TensorView<uint8_t> corrections) const {
    ForEachInput([&](int64_t input, int64_t at) {
      int32_t* const to = latents_ + at + rect.x;
      const uint8_t* from = corrections.At(0, 0) + input;
      for (int64_t x = 0; x < rect.w; ++x, from += corrections.col_stride) {
        const int64_t v = int64_t{to[x]} + 2 * static_cast<int8_t>(*from);
        to[x] = static_cast<int32_t>(std::clamp(v, -kMaxLatent, kMaxLatent));
      }
    });
  }

 private:
  // f(input of the network, where its first position lies)
  template <typename F>
  void ForEachInput(F f) const {
    for (size_t b = 0; b < tile_.bands.size(); ++b) {
      for (int64_t c = 0; c < channels_; ++c) {
        f(static_cast<int64_t>(b) * channels_ + c,
          c * tile_.shape.count() + tile_.bands[b].begin[2]);
      }
    }
  }

  const WaveletTile& tile_;
  const int64_t channels_;
  const std::vector<int32_t>& seen_;
  int32_t* const latents_;
};

}  // namespace

WaveletTile LiveTile(const BoxOrder& order, int levels) {
  WaveletTile tile;
  const int64_t length = PaddedLength(order, levels), positions = length >> levels;
  tile.shape.sides = {1, 1, length};
  tile.channels = tile.components = order.channels;
  for (uint32_t f = 0; f < 1u << levels; ++f) {
    const uint32_t natural = f ^ f >> 1;  // a high-pass turns the frequencies above it around
    WaveletBand band;
    band.begin = {0, 0, natural * positions};
    band.size = {1, 1, positions};
    band.high = f > 0 ? 1 : 0;
    band.highs = std::popcount(natural);
    band.lows = levels - band.highs;
    band.context = ContextOf(f);
    const int here = static_cast<int>(f);
    band.parent = here - 1;
    for (int sibling = std::max(0, here - 4); sibling < here - 1; ++sibling) {
      band.siblings.push_back(sibling);
    }
    tile.bands.push_back(std::move(band));
  }
  return tile;
}

uint64_t LiveWorkBytes(const ArrayHeader& header, const BoxOrder& order) {
  // In floating point, since sides up to 2^40 are looked at before they are refused.
  const auto length = static_cast<double>(PaddedLength(order, header.live_levels));
  const auto bands = static_cast<double>(int64_t{1} << header.live_levels);
  constexpr double kRoom = BandSymbols::kBefore[2] + BandSymbols::kAfter[2];
  // Symbols, twice in the lowest band; then coefficients and, of a group, what the network sees.
  double of_channel = (length + length / bands + (bands + 1) * kRoom) * sizeof(int32_t) +
                      bands * (sizeof(BandSymbols) + 64) + 2 * length * sizeof(int32_t);
  of_channel += static_cast<double>(order.width + 64) * (header.type == SampleType::kF64 ? 9 : 5);
  constexpr double kModels = 1 << 20;
  const double bytes = of_channel * static_cast<double>(order.channels) +
                       length * sizeof(int32_t) * 2 + length / bands * sizeof(int64_t) +
                       bands * (sizeof(WaveletBand) + 64) + kModels;
  return bytes < 1e18 ? static_cast<uint64_t>(bytes) : ~uint64_t{0};
}

uint64_t LiveNetworkBytes(const LiveModel& model) {
  uint64_t bytes = static_cast<uint64_t>(kLane * model.inputs());
  if (model.synthesis) bytes += RowRunner::BytesFor(*model.synthesis, kLane, 1);
  return bytes;
}

void AddPredictions(const LiveModel& model, const WaveletTile& tile, size_t b, int32_t* channel,
                    std::vector<int64_t>& room) {
  if (model.predict.empty()) return;
  const int16_t* const weights = model.predict.data() + b * static_cast<size_t>(model.bands()) * 3;
  const auto positions = static_cast<size_t>(tile.bands[b].size[2]), last = positions - 1;
  room.assign(positions, 1 << (kPredictBits - 1));
  for (size_t g = 0; g < b; ++g) {
    // Up to 255 * 3 products below 2^45.
    const int64_t w0 = weights[3 * g], w1 = weights[3 * g + 1], w2 = weights[3 * g + 2];
    if (w0 == 0 && w1 == 0 && w2 == 0) continue;
    const int32_t* const x = channel + tile.bands[g].begin[2];
    for (size_t i = 0; i < positions; ++i) room[i] += w1 * x[i];
    room[0] += w0 * x[0];
    for (size_t i = 1; i < positions; ++i) room[i] += w0 * x[i - 1];
    for (size_t i = 0; i < last; ++i) room[i] += w2 * x[i + 1];
    room[last] += w2 * x[last];
  }
  int32_t* const to = channel + tile.bands[b].begin[2];
  for (size_t i = 0; i < positions; ++i) {
    const int64_t v = to[i] + (room[i] >> kPredictBits);
    to[i] = static_cast<int32_t>(std::clamp(v, -kMaxLatent, kMaxLatent));
  }
}

Status CorrectLatents(const Network& network, SimdLevel simd, const WaveletTile& tile,
                      const LiveModel& model, const std::vector<int32_t>& seen, int32_t* latents) {
  const int64_t positions = tile.bands[0].size[2], width = std::min(positions, kLane);
  GODWIT_ASSIGN_OR_RETURN(RowRunner runner, RowRunner::Create(network, simd, width, 1));
  Tensor<uint8_t> corrections(1, width, model.inputs());
  const Lane lane(tile, model, seen, latents);
  for (int64_t x = 0; x < positions; x += width) {
    const Rect rect{0, x, 1, std::min(width, positions - x)};
    GODWIT_RETURN_IF_ERROR(runner.Start(1, positions, rect));
    while (!runner.done()) {
      const RowRunner::Step& step = runner.Next(1);
      if (step.input_rect.h > 0) lane.Fill(step.input_rect, step.input);
      const TensorView<uint8_t> out = corrections.view().Window(0, 0, step.out_rect.h, rect.w);
      const bool made = step.out_rect.h > 0;
      GODWIT_RETURN_IF_ERROR(runner.Run(out));
      if (made) lane.Apply(rect, out);
    }
  }
  return {};
}

}  // namespace godwit::array
