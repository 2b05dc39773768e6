// entropy/bit_mixer.h: several opinions about one decision, weighed by how well they did. Logistic
// mixing (Mahoney, PAQ) in integers. docs/format/entropy.md section 5.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "entropy/range_coder.h"

namespace godwit {

// Log odds are in 1/256 and stay within +-kMaxLogOdds.
inline constexpr int kMaxLogOdds = 2559;

namespace bit_mixer_internal {

// 65536 / (1 + exp(10 - i / 4)), rounded: the only real numbers here, written down once.
inline constexpr std::array<uint16_t, 81> kSquashPoints = {
    3,     4,     5,     6,     8,     10,    13,    17,    22,    28,    36,    47,
    60,    77,    98,    126,   162,   208,   267,   342,   439,   562,   720,   922,
    1179,  1506,  1921,  2446,  3108,  3938,  4971,  6249,  7812,  9702,  11955, 14595,
    17625, 21025, 24743, 28693, 32768, 36843, 40793, 44511, 47911, 50941, 53581, 55834,
    57724, 59287, 60565, 61598, 62428, 63090, 63615, 64030, 64357, 64614, 64816, 64974,
    65097, 65194, 65269, 65328, 65374, 65410, 65438, 65459, 65476, 65489, 65500, 65508,
    65514, 65519, 65523, 65526, 65528, 65530, 65531, 65532, 65533};

constexpr uint32_t Squash(int log_odds) {
  const auto x = static_cast<uint32_t>(log_odds + 2560);
  const uint32_t i = x >> 6, f = x & 63;
  return (kSquashPoints[i] * (64 - f) + kSquashPoints[i + 1] * f + 32) >> 6;
}

// Of a probability p1 / 2^16, by p1 >> 4: the largest log odds whose Squash() is not above the
// middle of the 16 values.
constexpr std::array<int16_t, 4096> MakeStretchTable() {
  std::array<int16_t, 4096> table = {};
  int x = -kMaxLogOdds;
  for (uint32_t i = 0; i < 4096; ++i) {
    while (x < kMaxLogOdds && Squash(x + 1) <= i * 16 + 8) ++x;
    table[i] = static_cast<int16_t>(x);
  }
  return table;
}
inline constexpr std::array<int16_t, 4096> kStretch = MakeStretchTable();

constexpr std::array<uint16_t, 256> MakeRateTable() {
  std::array<uint16_t, 256> table = {};
  for (uint32_t n = 0; n < 256; ++n) table[n] = static_cast<uint16_t>(65536 * 2 / (2 * n + 3));
  return table;
}
inline constexpr std::array<uint16_t, 256> kRate = MakeRateTable();

}  // namespace bit_mixer_internal

// A probability that learns fast at first and slower with every bit, down to 1 / (limit + 1.5).
struct CountedBit {
  uint16_t p1 = 1u << 15;
  uint8_t count = 0;
  uint8_t unused = 0;  // so that all four bytes may be read at once

  void Update(bool bit, int limit) {
    assert(limit >= 1 && limit < 256);
    const int32_t target = bit ? 65535 : 0;
    const int32_t rate = bit_mixer_internal::kRate[count];
    p1 = static_cast<uint16_t>(p1 + ((int64_t{target - p1} * rate) >> 16));
    count =
        static_cast<uint8_t>(count + (count < limit ? 1 : 0));  // no branch: it would go either way
  }
};

// The weights of one kind of decision with `kInputs` opinions, 2^-16 each.
template <size_t kInputs>
struct MixerWeights {
  std::array<int32_t, kInputs> w;
  MixerWeights() { w.fill((1 << 16) * 5 / (4 * static_cast<int32_t>(kInputs))); }
};

// One decision: Predict(), code the bit with the result, Update() with what it was.
template <size_t kInputs>
class BitMixer {
 public:
  using Bits = std::array<CountedBit*, kInputs>;
  static constexpr int kShift = 14, kMaxWeight = 1 << 20;

  uint32_t Predict(const Bits& bits, const MixerWeights<kInputs>& weights) {
    int64_t sum = 0;
    for (size_t i = 0; i < kInputs; ++i) {
      log_odds_[i] = bit_mixer_internal::kStretch[bits[i]->p1 >> 4];
      sum += int64_t{weights.w[i]} * log_odds_[i];
    }
    const auto mixed = static_cast<int>(std::clamp<int64_t>(sum >> 16, -kMaxLogOdds, kMaxLogOdds));
    p1_ = bit_mixer_internal::Squash(mixed);
    return p1_;
  }
  void Update(const Bits& bits, MixerWeights<kInputs>& weights, bool bit, int limit) const {
    const int32_t error = (bit ? 65535 : 0) - static_cast<int32_t>(p1_);
    for (size_t i = 0; i < kInputs; ++i) {
      const int32_t step = (log_odds_[i] * (error >> 2) + (1 << (kShift - 1))) >> kShift;
      weights.w[i] = std::clamp(weights.w[i] + step, -kMaxWeight, kMaxWeight);
      bits[i]->Update(bit, limit);
    }
  }

 private:
  std::array<int32_t, kInputs> log_odds_ = {};
  uint32_t p1_ = 1u << 15;
};

}  // namespace godwit
