// codecs/audio/level_coder.h: the levels of a unit's bands, in both directions.
// docs/format/audio.md section 7.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "codecs/audio/packet_coder.h"
#include "codecs/audio/sound_unit.h"

namespace godwit::audio {

struct LevelPlace {
  size_t slope, band, other;  // indices of LevelContexts
};

template <typename Coder>
int CodeLevel(Coder& coder, int level, int predicted, const LevelPlace& at, LevelContexts& c) {
  constexpr int kLimit = 100;
  BitMixer<3> mixer;
  const auto code = [&](bool bit, size_t place) {
    const BitMixer<3>::Bits bits = {&c.slope[at.slope][place], &c.band[at.band][place],
                                    &c.other[at.other][place]};
    bit = coder.CodeBit(bit, mixer.Predict(bits, c.weights[place]));
    for (const CountedBit* b : bits) Tell(coder, *b, bit);
    mixer.Update(bits, c.weights[place], bit, kLimit);
    return bit;
  };
  if (!code(level != predicted, 0)) return predicted;
  const bool down = code(level < predicted, 1);
  const int most = down ? predicted : kMaxLevel - predicted;
  const int wanted = std::abs(level - predicted);
  int distance = 1;
  while (distance < most) {
    const bool further = distance <= 2 ? code(wanted > distance, static_cast<size_t>(distance + 1))
                                       : CodeCounted(coder, wanted > distance,
                                                     c.more[static_cast<size_t>(distance)], kLimit);
    if (!further) break;
    ++distance;
  }
  // At the ends of the range a stream may say a way that there is not.
  return std::clamp(down ? predicted - distance : predicted + distance, 0, kMaxLevel);
}

// What to expect of a band's level, and how it has moved in the band below.
struct LevelGuess {
  int below = 0, slope = 0;

  int Next(const UnitMemory& memory, size_t c, size_t b, const uint8_t* levels) const {
    constexpr int kFirstLevel = 36;  // of the lowest band of a key frame
    if (memory.key) return b == 0 ? kFirstLevel : levels[b - 1];
    return std::clamp(memory.channels[c].levels[b] + below / 2, 0, kMaxLevel);
  }
  void Saw(const UnitMemory& memory, size_t c, size_t b, int level, int predicted) {
    below = level - (memory.key ? predicted : memory.channels[c].levels[b]);
    slope = memory.key ? 0 : std::clamp(below / 2, -3, 3);
  }
};

template <typename Coder>
void CodeLevels(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory) {
  std::array<int, kMaxBands> moved = {};  // levels of the first channel, for the second
  for (size_t c = 0; c < static_cast<size_t>(rules.channels); ++c) {
    ChannelMemory& channel = memory.channels[c];
    auto& levels = frame.channels[c].levels;
    const auto& before = channel.levels;
    LevelGuess guess;
    for (size_t b = 0; b < rules.bands(); ++b) {
      const int predicted = guess.Next(memory, c, b, levels.data());
      const int other = std::clamp(moved[b], -3, 3) + 3;
      const LevelPlace at = {
          static_cast<size_t>(((std::clamp(guess.below, -3, 3) + 3) * 7 + guess.slope + 3) * 2 +
                              memory.key),
          b,
          static_cast<size_t>((other * 3 + std::min(frame.split, 2)) * 3 +
                              std::min(before[b] / 12, 2))};
      levels[b] = static_cast<uint8_t>(
          CodeLevel(coder, levels[b], predicted, at, memory.contexts.channels[c].level));
      guess.Saw(memory, c, b, levels[b], predicted);
      if (c == 0) moved[b] = guess.below;
    }
  }
  for (size_t c = 0; c < static_cast<size_t>(rules.channels); ++c) {
    ChannelMemory& channel = memory.channels[c];
    for (size_t b = 0; b < rules.bands(); ++b) {
      const int rise = memory.key ? 0 : frame.channels[c].levels[b] - channel.levels[b];
      channel.rise[b] = static_cast<uint8_t>(std::clamp(rise, -3, 4) + 3);
    }
    channel.levels = frame.channels[c].levels;
  }
}

}  // namespace godwit::audio
