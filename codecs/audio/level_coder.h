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

template <typename Coder>
void CodeLevels(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory) {
  constexpr int kFirstLevel = 36;         // of the lowest band of a key frame: what to expect
  std::array<int, kMaxBands> moved = {};  // levels of the first channel, for the second
  for (size_t c = 0; c < static_cast<size_t>(rules.channels); ++c) {
    ChannelMemory& channel = memory.channels[c];
    auto& levels = frame.channels[c].levels;
    const auto& before = channel.levels;
    int below = 0, slope = 0;
    for (size_t b = 0; b < rules.bands(); ++b) {
      int predicted = before[b] + below / 2;
      if (memory.key) predicted = b == 0 ? kFirstLevel : levels[b - 1];
      predicted = std::clamp(predicted, 0, kMaxLevel);
      const int other = std::clamp(moved[b], -3, 3) + 3;
      const LevelPlace at = {
          static_cast<size_t>(((std::clamp(below, -3, 3) + 3) * 7 + slope + 3) * 2 + memory.key), b,
          static_cast<size_t>((other * 3 + std::min(frame.split, 2)) * 3 +
                              std::min(before[b] / 12, 2))};
      levels[b] = static_cast<uint8_t>(CodeLevel(coder, levels[b], predicted, at, channel.level));
      below = levels[b] - (memory.key ? predicted : before[b]);
      slope = memory.key ? 0 : std::clamp(below / 2, -3, 3);
      if (c == 0) moved[b] = below;
    }
  }
  for (size_t c = 0; c < static_cast<size_t>(rules.channels); ++c) {
    memory.channels[c].levels = frame.channels[c].levels;
  }
}

}  // namespace godwit::audio
