// codecs/audio/unit_coder.h: a frame of one or two channels, in both directions.
// docs/format/audio.md section 6.
#pragma once

#include "base/per_level.h"
#include "codecs/audio/lapped_transform.h"
#include "codecs/audio/level_coder.h"
#include "codecs/audio/symbol_coder.h"

namespace godwit::audio {

template <typename Coder>
void CodeSplit(Coder& coder, UnitFrame& frame, UnitMemory& memory) {
  int split = 0;
  const auto at = static_cast<size_t>(memory.last_split * 4);
  while (split < kMaxSplit &&
         CodeCounted(coder, frame.split > split,
                     memory.contexts.split_bits[at + static_cast<size_t>(split)],
                     /*limit=*/30)) {
    ++split;
  }
  frame.split = memory.last_split = split;
}

template <typename Coder>
void CodeAngles(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory) {
  size_t moved = 0;
  for (size_t b = 0; b < rules.bands(); ++b) {
    const uint32_t last = memory.angles[b];
    const bool silent = frame.channels[0].levels[b] == 0 && frame.channels[1].levels[b] == 0;
    if (!silent) {
      moved = CodeCounted(coder, frame.angles[b] != last, memory.contexts.angle_bits[moved],
                          /*limit=*/100);
    }
    if (!silent && moved != 0) {
      const uint32_t turn = coder.CodeRaw((frame.angles[b] - last - 1) % kAngles, 4);
      frame.angles[b] = static_cast<uint8_t>((last + 1 + turn) % kAngles);
    } else {
      frame.angles[b] = static_cast<uint8_t>(last);
    }
  }
  memory.angles = frame.angles;
}

// The encoder has filled in split, levels, angles, the steps that follow from the levels, targets
// and which bands are coded.
template <typename Listener = PlainListener, typename Coder>
void CodeUnit(Coder& coder, const UnitRules& rules, UnitFrame& frame, UnitMemory& memory) {
  CodeSplit(coder, frame, memory);
  CodeLevels(coder, rules, frame, memory);
  BandSteps(frame.channels[0].levels.data(),
            frame.channels[rules.channels == 2 ? 1 : 0].levels.data(), rules.bands(), rules.step,
            rules.shape, frame.steps.data());
  if (rules.channels == 2) CodeAngles(coder, rules, frame, memory);
  for (size_t c = 0; c < static_cast<size_t>(rules.channels); ++c) {
    CodeSymbols<Listener>(coder, rules, frame, memory, c);
  }
  for (ChannelMemory& c : memory.channels) c.seen.swap(c.now);
  memory.key = false;
}

template <typename Coder>
void RunUnitCoder(SimdLevel level, Coder& coder, const UnitRules& rules, UnitFrame& frame,
                  UnitMemory& memory) {
#if defined(__x86_64__)
  if (level != SimdLevel::kScalar) {
    return RunPerLevel<CodeUnit<VectorListener, Coder>>(SimdLevel::kAvx2, coder, rules, frame,
                                                        memory);
  }
#endif
  (void)level;
  CodeUnit(coder, rules, frame, memory);
}

}  // namespace godwit::audio
