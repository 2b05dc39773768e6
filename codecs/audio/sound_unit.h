// codecs/audio/sound_unit.h: what is coded of a frame of one or two channels, and what both sides
// remember of the frames before. docs/format/audio.md sections 5 to 8.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "codecs/audio/audio_layout.h"
#include "codecs/audio/symbol_cost.h"
#include "codecs/audio/symbol_mixer.h"
#include "entropy/bit_mixer.h"

namespace godwit::audio {

// Magnitudes beyond are limited: a step so fine would want more than the 24 bits of a sample.
inline constexpr uint32_t kMaxMagnitude = (1u << 24) - 1;
inline constexpr int kPad = 4;             // zeros before and after the magnitudes of a channel
inline constexpr int kSeenMagnitude = 15;  // all that contexts see of larger ones

struct ChannelFrame {
  std::array<uint8_t, kMaxBands> levels = {};
  std::array<bool, kMaxBands> coded = {};  // bands with symbols
  // Only those of coded bands mean anything. Encoder: magnitudes to be coded, if they are worth it.
  std::vector<int32_t> symbols;
  std::vector<int32_t> targets;  // encoder: coefficients in 2^-8 of their bands' steps
};

struct UnitFrame {
  int split = 0;                               // into 2^split blocks
  std::array<uint8_t, kMaxBands> angles = {};  // of two channels
  std::array<int16_t, kMaxBands> steps = {};
  std::array<ChannelFrame, 2> channels;
};

struct UnitRules {
  UnitRules(uint32_t hop_size, int unit_channels, int step_shape)
      : hop(hop_size), channels(unit_channels), shape(step_shape), edges(BandEdges(hop_size)) {}
  size_t bands() const { return edges.size() - 1; }

  uint32_t hop;
  int channels;
  int shape;
  int step = 0;
  DroppedSizes dropped = {};  // encoder
  std::vector<uint16_t> edges;
};

inline constexpr int kPlaces = 8;  // of the bits of a magnitude; later ones share the last
inline constexpr size_t kSums = 12, kFineSums = 20, kRatios = 10;

struct SymbolContexts {
  using Places = std::array<CountedBit, kPlaces>;
  std::array<Places, kFineSums * kRatios> sum_ratio;
  std::array<Places, kSums * kSums> near_far;
  std::array<Places, kSums * 8 * 3> far_beside;
  std::array<Places, kMaxBands * 8> band_sum;
  std::array<Places, 4 * 4 * 4 * 4> neighbours;
  std::array<CountedBit, kRatios> quiet;
  std::array<CountedBit, 24> escape;
  std::array<std::array<SymbolWeights, kSums>, kPlaces> weights;
};

struct LevelContexts {
  using Places = std::array<CountedBit, 4>;
  std::array<Places, 7 * 7 * 2> slope;
  std::array<Places, kMaxBands> band;
  std::array<Places, 7 * 3 * 3> other;
  std::array<CountedBit, 64> more;
  std::array<MixerWeights<3>, 4> weights;
};

struct ChannelContexts {
  std::array<std::array<CountedBit, 16>, 2> coded_bits;
  SymbolContexts symbols;
  LevelContexts level;
};

// All that learns. A model says how it starts.
struct UnitContexts {
  std::array<CountedBit, 16> split_bits;
  std::array<CountedBit, 2> angle_bits;
  std::array<ChannelContexts, 2> channels;
};

// Every context, in the order of a model file; then every weight.
template <typename Contexts, typename Visit>
void ForEachContext(Contexts& contexts, Visit visit) {
  const auto each = [&](auto& places) {
    for (auto& bit : places) visit(bit);
  };
  const auto tables = [&](auto&... table) {
    const auto one = [&](auto& t) {
      for (auto& places : t) each(places);
    };
    (one(table), ...);
  };
  each(contexts.split_bits);
  each(contexts.angle_bits);
  for (auto& c : contexts.channels) {
    tables(c.coded_bits, c.symbols.sum_ratio, c.symbols.near_far, c.symbols.far_beside,
           c.symbols.band_sum, c.symbols.neighbours);
    each(c.symbols.quiet);
    each(c.symbols.escape);
    tables(c.level.slope, c.level.band, c.level.other);
    each(c.level.more);
  }
}
template <typename Contexts, typename Visit>
void ForEachSymbolWeight(Contexts& contexts, Visit visit) {
  for (auto& c : contexts.channels) {
    for (auto& place : c.symbols.weights) {
      for (auto& set : place) {
        for (size_t i = 0; i < kOpinions; ++i) visit(set.w[i]);
      }
    }
  }
}
template <typename Contexts, typename Visit>
void ForEachLevelWeight(Contexts& contexts, Visit visit) {
  for (auto& c : contexts.channels) {
    for (auto& set : c.level.weights) {
      for (auto& w : set.w) visit(w);
    }
  }
}

// Of each coefficient, what its contexts see beside its own channel and frame.
struct Surroundings {
  std::vector<uint8_t> sum, row, near;  // far + beside; of far_beside and of neighbours the index
};

struct ChannelMemory {
  std::array<uint8_t, kMaxBands> levels = {};
  std::array<uint8_t, kMaxBands> rise = {};  // of the level since the frame before: class, 0 to 7
  std::array<bool, kMaxBands> coded = {};
  std::vector<uint8_t> seen, now;  // magnitudes of the frame before, then of this one, from kPad on
  Surroundings around;             // scratch
};

// New at each key frame.
struct UnitMemory {
  explicit UnitMemory(uint32_t hop) {
    for (ChannelMemory& c : channels) {
      for (auto* v : {&c.around.sum, &c.around.row, &c.around.near}) v->resize(hop);
      c.seen.resize(hop + 2 * kPad);
      c.now.resize(hop + 2 * kPad);
    }
  }
  // Without allocating.
  void Reset(const UnitContexts& start) {
    for (ChannelMemory& c : channels) {
      c.levels = {};
      c.coded = {};
      std::fill(c.seen.begin(), c.seen.end(), uint8_t{0});
    }
    angles = {};
    contexts = start;
    last_split = 0;
    key = true;
  }

  bool key = true;
  int last_split = 0;
  std::array<uint8_t, kMaxBands> angles = {};
  UnitContexts contexts;
  std::array<ChannelMemory, 2> channels;
};

}  // namespace godwit::audio
