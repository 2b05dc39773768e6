// codecs/audio/symbol_coder.h: the symbols of a channel's bands, in both directions.
// docs/format/audio.md section 8.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "codecs/audio/packet_coder.h"
#include "codecs/audio/sound_unit.h"

namespace godwit::audio {

inline constexpr int kSymbolLimit = 250;
inline constexpr uint32_t kUnary = 15;  // magnitudes from here on go on in an escape

namespace symbol_internal {

// -log2((i + 1/2) / 256) in 1/256: what a bit costs.
inline constexpr std::array<uint16_t, 256> kBitCost = [] {
  std::array<uint16_t, 256> table = {};
  for (uint32_t i = 0; i < 256; ++i) {
    int log = 0;
    uint64_t x = 2 * i + 1;
    while (x >> (log + 1) != 0) ++log;
    x <<= 31 - log;
    for (int k = 0; k < 8; ++k) {  // a square doubles the logarithm and shows its next bit
      x = (x * x) >> 31;
      log = log * 2 + static_cast<int>(x >> 32);
      x >>= x >> 32;
    }
    table[i] = static_cast<uint16_t>(9 * 256 - log);
  }
  return table;
}();
inline int64_t CostOf(bool bit, uint32_t p1) { return kBitCost[(bit ? p1 : 65535 - p1) >> 8]; }

// Classes of sums of magnitudes: by ones at first, then four to an octave.
inline constexpr std::array<uint8_t, 256> kFineClass = [] {
  std::array<uint8_t, 256> table = {};
  for (uint32_t v = 0; v < 256; ++v) {
    uint32_t k = 0;
    while (v >> k >= 8) ++k;
    table[v] = static_cast<uint8_t>(std::min<size_t>(4 * k + (v >> k), kFineSums - 1));
  }
  return table;
}();
inline constexpr std::array<uint8_t, 256> kClass = [] {
  constexpr std::array<uint32_t, kSums - 1> kFrom = {1, 3, 5, 8, 11, 15, 20, 27, 38, 54, 80};
  std::array<uint8_t, 256> table = {};
  for (uint32_t v = 0; v < 256; ++v) {
    for (const uint32_t from : kFrom) table[v] = static_cast<uint8_t>(table[v] + (v >= from));
  }
  return table;
}();

// The most that is added to a sum before a class is looked up.
inline size_t Limited(int sum) { return static_cast<size_t>(std::min(sum, 255)); }

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

}  // namespace symbol_internal

// One band of one channel. The encoder finds its symbols here, where it sees what they cost.
template <typename Coder>
class BandCoder {
 public:
  BandCoder(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory, size_t c,
            size_t band)
      : coder_(coder),
        lambda_(rules.lambda),
        band_(band),
        frame_(frame.channels[c]),
        contexts_(memory.contexts.channels[c].symbols),
        now_(memory.channels[c].now.data() + kPad),
        before_(memory.channels[c].seen.data() + kPad),
        first_(c == 0 ? nullptr : memory.channels[0].seen.data() + kPad),
        far_(memory.far.data()),
        rise_(memory.channels[c].rise[band]) {
    const int ratio = frame_.levels[band] * 32 - frame.steps[band];
    ratio_ = static_cast<size_t>(std::clamp((ratio + 192) >> 5, 0, static_cast<int>(kRatios) - 1));
  }

  void Code(size_t i) {
    using namespace symbol_internal;
    const auto at = static_cast<ptrdiff_t>(i);
    const int near = 4 * now_[at - 1] + 3 * now_[at - 2] + now_[at - 3];
    const int beside = first_ == nullptr ? 0 : 3 * first_[at] + first_[at - 1] + first_[at + 1];
    const int sum = near + far_[i] + beside;
    if constexpr (Coder::kWrites) {
      target_ = std::abs(frame_.targets[i]);
      wanted_ = static_cast<uint32_t>(target_ + (target_ < 384 ? 128 : 104)) >> 8;
    }
    bool some = false;
    if (sum == 0) {
      CountedBit& quiet = contexts_.quiet[ratio_];
      if constexpr (Coder::kWrites) Reconsider(quiet.p1);
      some = CodeCounted(coder_, wanted_ != 0, quiet, kSymbolLimit);
      if (!some) {
        frame_.symbols[i] = 0;
        now_[i] = 0;
        return;
      }
      Look(at, near, beside, sum);
    } else {
      Look(at, near, beside, sum);
      some = CodeMixed(wanted_ != 0, 0);
    }
    uint32_t magnitude = 0;
    if (some) {
      magnitude = 1;
      while (magnitude < kUnary &&
             CodeMixed(wanted_ > magnitude, std::min<size_t>(magnitude, kPlaces - 1))) {
        ++magnitude;
      }
      if (magnitude == kUnary) {
        magnitude += CodeEscape(coder_, wanted_ - kUnary, contexts_.escape);
        magnitude = std::min(magnitude, kMaxMagnitude);
      }
    }
    auto symbol = static_cast<int32_t>(magnitude);
    if (some && coder_.CodeRaw(Coder::kWrites && frame_.targets[i] < 0, 1) != 0) symbol = -symbol;
    frame_.symbols[i] = symbol;
    now_[i] = static_cast<uint8_t>(std::min<uint32_t>(magnitude, kSeenMagnitude));
  }

 private:
  // Encoder: is a magnitude of 1 worth its bits?
  void Reconsider(uint32_t p1) {
    using namespace symbol_internal;
    if (wanted_ != 1) return;
    constexpr int64_t kSignAndEnd = 256 + 100;  // 1/256 bit
    const int64_t t = target_;
    const int64_t bits = CostOf(true, p1) + kSignAndEnd - CostOf(false, p1);
    if (t * t <= (t - 256) * (t - 256) + lambda_ * bits / 256) wanted_ = 0;
  }

  void Look(ptrdiff_t i, int near, int beside, int sum) {
    using namespace symbol_internal;
    const size_t all = Limited(sum);
    const size_t far = kClass[far_[i]];
    const int around = first_ == nullptr ? before_[i - 1] + before_[i + 1] : first_[i];
    class_ = kClass[all];
    places_ = {
        &contexts_.sum_ratio[kFineClass[all] * kRatios + ratio_],
        &contexts_.near_far[kClass[Limited(near)] * kSums + far],
        &contexts_.far_beside[(far * 8 + (first_ == nullptr
                                              ? rise_
                                              : std::min<size_t>(kClass[Limited(beside)], 7))) *
                                  3 +
                              std::min<size_t>(now_[i - 1], 2)],
        &contexts_.band_sum[band_ * 8 + std::min<size_t>(class_, 7)],
        &contexts_.neighbours[std::min<size_t>(now_[i - 1], 3) * 64 +
                              std::min<size_t>(now_[i - 2], 3) * 16 +
                              std::min<size_t>(before_[i], 3) * 4 +
                              static_cast<size_t>(std::min(around, 3))]};
  }

  bool CodeMixed(bool bit, size_t place) {
    using namespace bit_mixer_internal;
    const auto log_odds = [&](size_t k) { return kStretch[(*places_[k])[place].p1 >> 4]; };
    const Heard opinions = Hear(log_odds(0), log_odds(1), log_odds(2), log_odds(3), log_odds(4));
    SymbolWeights& weights = contexts_.weights[place][class_];
    const uint32_t p1 = Squashed(Mix(opinions, weights));
    if constexpr (Coder::kWrites) {
      if (place == 0) {
        Reconsider(p1);
        bit = wanted_ != 0;
      }
    }
    bit = coder_.CodeBit(bit, p1);
    Learn(opinions, ((bit ? 65535 : 0) - static_cast<int>(p1)) >> 1, &weights);
    for (SymbolContexts::Places* const places : places_) {
      Tell(coder_, (*places)[place], bit);
      (*places)[place].Update(bit, kSymbolLimit);
    }
    return bit;
  }

  Coder& coder_;
  int64_t lambda_;
  size_t band_, ratio_ = 0, class_ = 0;
  ChannelFrame& frame_;
  SymbolContexts& contexts_;
  uint8_t* now_;
  const uint8_t *before_, *first_, *far_;
  size_t rise_;
  int32_t target_ = 0;
  uint32_t wanted_ = 0;
  std::array<SymbolContexts::Places*, 5> places_ = {};
};

// All bands of channel c. The second channel looks at what the first has in this frame.
template <typename Coder>
void CodeSymbols(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory,
                 size_t c) {
  ChannelFrame& channel = frame.channels[c];
  ChannelMemory& seen = memory.channels[c];
  std::fill(seen.now.begin(), seen.now.end(), uint8_t{0});
  const uint8_t* const before = seen.seen.data() + kPad;
  for (ptrdiff_t i = 0; i < static_cast<ptrdiff_t>(rules.hop); ++i) {  // at most 15 * 10
    memory.far[static_cast<size_t>(i)] = static_cast<uint8_t>(
        4 * before[i] + 2 * (before[i - 1] + before[i + 1]) + before[i - 2] + before[i + 2]);
  }
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
    BandCoder<Coder> band(coder, rules, frame, memory, c, b);
    for (size_t i = rules.edges[b]; i < rules.edges[b + 1]; ++i) band.Code(i);
  }
  seen.seen.swap(seen.now);
}

}  // namespace godwit::audio
