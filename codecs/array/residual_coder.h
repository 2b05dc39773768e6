// codecs/array/residual_coder.h: one residual after its surroundings, both directions.
// docs/format/array.md section 6.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "codecs/array/bit_coder.h"

namespace godwit::array {

// What is known before a residual is coded. Sizes are |residual|; expectations are in 1/16.
struct Surroundings {
  uint32_t expected = 0;                  // all that follows, weighed
  uint32_t near = 0, far = 0, other = 0;  // beside it; over a longer time; in another plane
  std::array<uint32_t, 4> sizes = {};     // single neighbours
  int fraction = 0;                       // of the prediction, 0..7: what rounding took away
  uint32_t signs = 0;                     // of three neighbours' residuals, 0..26
};

// Twice the binary logarithm, and four times, of expectations; 0 for 0.
inline uint32_t HalfOctaves(uint32_t x) {
  if (x == 0) return 0;
  const auto top = static_cast<uint32_t>(std::bit_width(x)) - 1;
  return 2 * top + (top > 0 ? x >> (top - 1) & 1 : 0);
}
inline uint32_t QuarterOctaves(uint32_t x) {
  if (x < 4) return x;
  const auto top = static_cast<uint32_t>(std::bit_width(x)) - 1;
  return 4 * (top - 1) + (x >> (top - 2) & 3);
}

inline uint32_t Sign3(int64_t v) { return v > 0 ? 2 : v < 0 ? 1 : 0; }

inline constexpr uint64_t kMaxResidual = uint64_t{1} << 40;

class ResidualCoder {
 public:
  ResidualCoder() : model_(std::make_unique<Model>()) {}

  // |value| <= 2^40.
  template <typename Coder>
  int64_t Code(Coder& coder, const Surroundings& s, int64_t value) {
    const Scale scale = ScaleOf(s);
    if (scale.shift >= kNoZeroShift) {  // zero is no likelier than its neighbours: fold about -1/2
      const bool negative = CodeSign(coder, s, scale, value < 0);
      const uint64_t m = CodeMagnitude(coder, scale, value < 0 ? ~value : value);
      return negative ? ~static_cast<int64_t>(m) : static_cast<int64_t>(m);
    }
    if (!CodeMixed(coder, scale, 0, value != 0)) return 0;
    const bool negative = CodeSign(coder, s, scale, value < 0);
    const uint64_t size = value < 0 ? -value : value;
    const auto m = static_cast<int64_t>(CodeMagnitude(coder, scale, size - 1)) + 1;
    return negative ? -m : m;
  }

 private:
  static constexpr size_t kInputs = 5;
  static constexpr int kMaxUnary = 22, kPlaces = kMaxUnary + 1, kMaxShift = 31, kNoZeroShift = 4;
  static constexpr int kLimit = 127;
  static constexpr size_t kFine = 36, kRelative = 9 * 9 * 4, kLong = 9 * 32, kPattern = 256 * 3;

  struct Scale {
    int shift = 0;   // low bits that hardly matter
    uint32_t level;  // shift, at most 3
    std::array<uint32_t, kInputs> context;
  };
  using Mixer = BitMixer<kInputs>;

  struct Model {
    // By context and place: 0 is "not zero", then the magnitude in unary.
    std::array<CountedBit, kFine * kPlaces> fine;
    std::array<CountedBit, kRelative * kPlaces> relative;
    std::array<CountedBit, kLong * kPlaces> slow;
    std::array<CountedBit, kPattern * kPlaces> pattern;
    std::array<CountedBit, kLong * kPlaces> other;
    std::array<MixerWeights<kInputs>, kPlaces * 4> weights;
    std::array<CountedBit, 8 * 4> sign_fraction;
    std::array<CountedBit, 27 * 4> sign_around;
    std::array<CountedBit, 27 * 8> sign_both;
    std::array<MixerWeights<3>, 4> sign_weights;
    std::array<CountedBit, 32 * 4 * 3> low;
  };

  static uint32_t Relative(uint32_t x, uint32_t to) {
    const int d = static_cast<int>(HalfOctaves(x)) - static_cast<int>(to);
    return static_cast<uint32_t>(std::clamp(d, -4, 4) + 4);
  }
  static Scale ScaleOf(const Surroundings& s) {
    const int top = static_cast<int>(std::bit_width(s.expected | 1)) - 1;
    Scale scale;
    scale.shift = std::clamp(top - 5, 0, kMaxShift);
    scale.level = static_cast<uint32_t>(std::min(scale.shift, 3));
    const uint32_t quarter = QuarterOctaves(s.expected), half = HalfOctaves(s.expected);
    const uint32_t fine =
        scale.shift == 0 ? std::min(quarter, 23u) : 24 + (scale.level - 1) * 4 + (quarter & 3);
    const uint32_t near = Relative(s.near, half), other = Relative(s.other, half);
    const uint32_t far = Relative(s.far, half);
    const auto shift = static_cast<uint32_t>(scale.shift);
    uint32_t pattern = scale.shift == 0 ? 0 : scale.shift == 1 ? 1 : 2;
    for (const uint32_t size : s.sizes) pattern = pattern * 4 + std::min(size >> shift, 3u);
    scale.context = {fine, (near * 9 + other) * 4 + scale.level, far * 32 + shift, pattern,
                     other * 32 + shift};
    return scale;
  }

  template <typename Coder>
  bool CodeMixed(Coder& coder, const Scale& scale, int place, bool bit) {
    const auto at = [&](uint32_t context) {
      return static_cast<size_t>(context) * kPlaces + static_cast<size_t>(place);
    };
    Model& m = *model_;
    const Mixer::Bits bits = {&m.fine[at(scale.context[0])], &m.relative[at(scale.context[1])],
                              &m.slow[at(scale.context[2])], &m.pattern[at(scale.context[3])],
                              &m.other[at(scale.context[4])]};
    auto& weights = m.weights[static_cast<size_t>(place) * 4 + scale.level];
    return array::CodeMixed(coder, bits, weights, bit, kLimit);
  }
  template <typename Coder>
  bool CodeSign(Coder& coder, const Surroundings& s, const Scale& scale, bool negative) {
    const auto fraction = static_cast<uint32_t>(s.fraction);
    Model& m = *model_;
    const BitMixer<3>::Bits bits = {&m.sign_fraction[fraction * 4 + scale.level],
                                    &m.sign_around[s.signs * 4 + scale.level],
                                    &m.sign_both[s.signs * 8 + fraction]};
    return array::CodeMixed(coder, bits, m.sign_weights[scale.level], negative, kLimit);
  }
  // The bits above the shift in unary, those below almost raw.
  template <typename Coder>
  uint64_t CodeMagnitude(Coder& coder, const Scale& scale, uint64_t value) {
    const uint64_t high = value >> scale.shift;
    uint64_t h = 0;
    while (h < kMaxUnary && CodeMixed(coder, scale, static_cast<int>(h) + 1, high > h)) ++h;
    if (h == kMaxUnary) h += CodeGamma(coder, escape_, high - kMaxUnary);
    uint64_t low = 0;
    for (int i = 0; i < scale.shift; ++i) {
      const int place = scale.shift - 1 - i;
      if (i == 2) {
        low = low << (place + 1) |
              CodeWide(coder, value & ((uint64_t{1} << (place + 1)) - 1), place + 1);
        break;
      }
      const size_t node = i == 0 ? 0 : 1 + (low & 1);
      auto& context = model_->low[(static_cast<size_t>(scale.shift) * 4 +
                                   static_cast<size_t>(std::min<uint64_t>(h, 3))) *
                                      3 +
                                  node];
      low = low << 1 | static_cast<uint64_t>(CodeCounted(coder, context, value >> place & 1));
    }
    // Only damaged bytes ask for more; sums with it must not overflow.
    return std::min(h, kMaxResidual >> scale.shift) << scale.shift | low;
  }

  std::unique_ptr<Model> model_;
  GammaModel escape_;
};

}  // namespace godwit::array
