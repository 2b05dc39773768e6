// codecs/audio/symbol_coder.h: the symbols of a channel's bands, in both directions.
// docs/format/audio.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "codecs/audio/packet_coder.h"
#include "codecs/audio/sound_unit.h"
#include "codecs/audio/symbol_listener.h"
#include "codecs/audio/symbol_surroundings.h"

namespace godwit::audio {

inline constexpr uint32_t kUnary = 15;  // magnitudes from here on go on in an escape

// Exp-Golomb: places in unary, then the bits below the top one.
template <typename Coder>
uint32_t CodeEscape(Coder& coder, uint32_t value, std::array<CountedBit, 24>& contexts) {
  const uint32_t wanted = value + 1;
  int places = 0;
  while (places < 23 && CodeCounted(coder, wanted >> places > 1,
                                    contexts[static_cast<size_t>(places)], kSymbolLimit)) {
    ++places;
  }
  uint32_t found = 1;
  for (int left = places; left > 0;) {
    const int count = std::min(left, 16);
    left -= count;
    found = found << count | coder.CodeRaw(wanted >> left & ((1u << count) - 1), count);
  }
  return found - 1;
}

// One band of one channel. The encoder finds its symbols here, where it sees what they cost.
template <typename Listener, typename Coder>
class BandCoder {
 public:
  BandCoder(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory, size_t c,
            size_t band)
      : coder_(coder),
        dropped_(rules.dropped.data()),
        frame_(frame.channels[c]),
        contexts_(memory.contexts.channels[c].symbols),
        around_(memory.channels[c].around) {
    const int ratio = frame_.levels[band] * 32 - frame.steps[band];
    const auto r = static_cast<size_t>(std::clamp((ratio + 192) >> 5, 0, int{kRatios} - 1));
    sum_ratio_ = &contexts_.sum_ratio[r];
    quiet_ = &contexts_.quiet[r];
    band_sum_ = &contexts_.band_sum[band * 8];
    rise_ = c == 0 ? memory.channels[c].rise[band] : 0;
    now_ = memory.channels[c].now.data() + kPad;
  }

  void Code(size_t from, size_t to) {
    uint32_t n1 = *(now_ + from - 1), n2 = *(now_ + from - 2), n3 = *(now_ + from - 3);
    for (size_t i = from; i < to; ++i) {
      const uint32_t near = 4 * n1 + 3 * n2 + n3;
      if constexpr (Coder::kWrites) {
        at_ = i;
        wanted_ = static_cast<uint32_t>(frame_.symbols[i]);
      }
      n3 = n2;
      const uint32_t magnitude = CodeMagnitude(i, near, n1, n2);
      n2 = n1;
      n1 = std::min<uint32_t>(magnitude, kSeenMagnitude);
      now_[i] = static_cast<uint8_t>(n1);
      auto symbol = static_cast<int32_t>(magnitude);
      if (magnitude != 0 && coder_.CodeRaw(Coder::kWrites && frame_.targets[i] < 0, 1) != 0) {
        symbol = -symbol;
      }
      if constexpr (!Coder::kWrites) frame_.symbols[i] = symbol;
    }
  }
  const Coder& coder() const { return coder_; }

 private:
  uint32_t CodeMagnitude(size_t i, uint32_t near, uint32_t n1, uint32_t n2) {
    const uint32_t sum = near + around_.sum[i];
    if (sum == 0) {
      if constexpr (Coder::kWrites) Reconsider(quiet_->p1);
      if (!CodeCounted(coder_, wanted_ != 0, *quiet_, kSymbolLimit)) return 0;
    }
    const size_t all = Limited(sum), row = around_.row[i], kind = kClass[all];
    const SymbolRows rows = {
        sum_ratio_[kFineClass[all] * kRatios].data(),
        contexts_.near_far[kClass[near] * kSums + row / 8].data(),
        contexts_.far_beside[(row + rise_) * 3 + std::min<uint32_t>(n1, 2)].data(),
        band_sum_[std::min<size_t>(kind, 7)].data(),
        contexts_
            .neighbours[std::min<uint32_t>(n1, 3) * 64 + std::min<uint32_t>(n2, 3) * 16 +
                        around_.near[i]]
            .data()};
    if (sum != 0 && !CodeMixed<true>(wanted_ != 0, 0, rows, kind)) return 0;
    uint32_t magnitude = 1;
    while (magnitude < kUnary &&
           CodeMixed<false>(wanted_ > magnitude, std::min<size_t>(magnitude, kPlaces - 1), rows,
                            kind)) {
      ++magnitude;
    }
    if (magnitude == kUnary) {
      magnitude += CodeEscape(coder_, wanted_ - kUnary, contexts_.escape);
      magnitude = std::min(magnitude, kMaxMagnitude);
    }
    return magnitude;
  }

  // Encoder: is a magnitude of 1 worth its bits?
  void Reconsider(uint32_t p1) {
    if (wanted_ == 1 && std::abs(frame_.targets[at_]) <= dropped_[p1 >> 8]) wanted_ = 0;
  }

  template <bool kFirst>
  bool CodeMixed(bool bit, size_t place, const SymbolRows& rows, size_t kind) {
    const Listener listener(rows, place);
    SymbolWeights& weights = contexts_.weights[place][kind];
    const uint32_t p1 = listener.Predict(weights);
    if constexpr (Coder::kWrites && kFirst) {
      Reconsider(p1);
      bit = wanted_ != 0;
    }
    bit = coder_.CodeBit(bit, p1);
    for (CountedBit* const row : rows) Tell(coder_, row[place], bit);
    listener.Learn(bit, p1, &weights);
    return bit;
  }

  Coder coder_;  // its own while it is at work
  const int32_t* dropped_;
  ChannelFrame& frame_;
  SymbolContexts& contexts_;
  const Surroundings& around_;
  SymbolContexts::Places *sum_ratio_, *band_sum_;
  CountedBit* quiet_;
  size_t rise_;
  uint8_t* now_;
  size_t at_ = 0;
  uint32_t wanted_ = 0;
};

// All bands of channel c. The second channel looks at what the first has in this frame.
template <typename Listener, typename Coder>
void CodeSymbols(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory,
                 size_t c) {
  ChannelFrame& channel = frame.channels[c];
  ChannelMemory& seen = memory.channels[c];
  std::fill(seen.now.begin(), seen.now.end(), uint8_t{0});
  LookAround(rules.hop, seen.seen.data() + kPad,
             c == 0 ? nullptr : memory.channels[0].now.data() + kPad, seen.around);
  for (size_t b = 0; b < rules.bands(); ++b) {
    bool coded = channel.levels[b] != 0;
    if (coded) {
      const int ratio = channel.levels[b] * 32 - frame.steps[b];
      const auto place = static_cast<size_t>(std::clamp((ratio + 256) >> 5, 0, 15));
      coded = CodeCounted(coder, channel.coded[b],
                          memory.contexts.channels[c].coded_bits[seen.coded[b] ? 1 : 0][place],
                          /*limit=*/60);
    }
    channel.coded[b] = seen.coded[b] = coded;
    if (!coded) continue;
    BandCoder<Listener, Coder> band(coder, rules, frame, memory, c, b);
    band.Code(rules.edges[b], rules.edges[b + 1]);
    coder = band.coder();
  }
}

}  // namespace godwit::audio
