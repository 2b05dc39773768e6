// codecs/image/full_values.h: one decision and one value of the `full` entropy model, for both
// directions; docs/format/entropy.md sections 6.4 and 6.5.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "codecs/image/full_mixer.h"
#include "codecs/image/full_model.h"
#include "codecs/image/swift_context.h"

namespace godwit::swift {

// Log odds of a value's decisions, and of its being positive; 0 where there is no network.
inline int LimitOdds(int64_t sum) {
  return static_cast<int>(std::clamp<int64_t>(sum, -kMaxLogOdds, kMaxLogOdds));
}
inline void FullOdds(const FullNetwork& n, const FullSums& sums, size_t lane,
                     int (&odds)[kFullLogits]) {
  for (size_t k = 0; k < kFullLogits; ++k)
    odds[k] = n.present() ? LimitOdds((sums.logit[FullOutput(lane, k)] + 512) >> 10) : 0;
}
inline int FullSignOdds(const FullNetwork& n, const FullSums& sums, size_t lane, int magnitude) {
  if (!n.present()) return 0;
  const int64_t gain = n.sign_gain[static_cast<size_t>(std::min(magnitude, 4) - 1)];
  return LimitOdds((gain * sums.sign[lane] + (1 << 17)) >> 18);
}

// `Coder` as FullCoder has it. What is referred to must outlive this.
template <typename Coder>
class FullValues {
 public:
  FullValues(const FullModel& model, ContextState& lite, FullState& state, const Coder& coder,
             SimdLevel level)
      : m_(model), lite_(lite), s_(state), coder_(coder), level_(level) {}
  const Coder& coder() const { return coder_; }

  AdaptiveBit* Lite(int context) { return &lite_.bit[static_cast<size_t>(context)]; }

  bool Mixed(bool bit, size_t group, FullDecision kind, size_t lane, int network, AdaptiveBit* lite,
             bool turned = false) {
    FullMixer mixer(s_, group, kind, lane, network, lite, turned);
    bit = coder_.Bit(bit, mixer.p1());
    mixer.Learn(bit);
    return bit;
  }

  // A value that may be zero, unless `implied`; t as in section 4.2.
  int Value(int value, size_t group, size_t lane, int kind, int scale, int state, int t,
            bool implied, const FullNetwork& n, FullSums& sums) {
    int odds[kFullLogits];
    FullOdds(n, sums, lane, odds);
    const FullDecision zero = state != 0 ? kFirstNonZeroDecision : kNonZeroDecision;
    if (!implied && !Mixed(value != 0, group, zero, lane, odds[kNonZeroLogit],
                           Lite(ContextParameters::ZeroContext(kind, scale) + state))) {
      return 0;
    }
    const int magnitude = Magnitude(std::abs(value), group, lane, scale, odds);
    const int sign = FullSignOdds(n, sums, lane, magnitude);
    const bool positive =
        Mixed(value > 0, group, magnitude == 1 ? kSmallSignDecision : kSignDecision, lane, sign,
              Lite(ContextParameters::SignContext(kind, SignLevel(t))), /*turned=*/t >= 0);
    value = positive ? magnitude : -magnitude;
    if (n.present()) TellLater(level_, n, lane, m_.Level(value), sums);
    return value;
  }

 private:
  bool Adaptive(bool bit, AdaptiveBit& context) {
    bit = coder_.Bit(bit, context.p1);
    context.Update(bit, kFullExponentRate);
    return bit;
  }

  // A value's magnitude, 1 and up: its power of two, then the bits below.
  int Magnitude(int magnitude, size_t group, size_t lane, int scale,
                const int (&odds)[kFullLogits]) {
    const auto ask = [&](bool bit, FullDecision decision, FullLogit logit) {
      return Mixed(bit, group, decision, lane, odds[logit], nullptr);
    };
    if (!ask(magnitude > 1, kTwoDecision, kTwoLogit)) return 1;
    if (!ask(magnitude > 3, kFourDecision, kFourLogit))
      return ask(magnitude > 2, kThreeDecision, kThreeLogit) ? 3 : 2;
    auto& exponents = s_.exponent[group][std::min(static_cast<size_t>(scale) / 2, kFullScales - 1)];
    int k = 2;
    while (k < 14 && Adaptive(magnitude >> (k + 1) != 0, exponents[static_cast<size_t>(k)])) ++k;
    auto& mantissa = s_.mantissa[group][static_cast<size_t>(k)];
    const auto bit_at = [&](int place) { return (magnitude >> place & 1) != 0; };
    uint32_t value = 1;
    const bool top = Adaptive(bit_at(k - 1), mantissa[0]);
    value = value << 1 | top;
    value = value << 1 | Adaptive(bit_at(k - 2), mantissa[top ? 2 : 1]);
    const int rest = k - 2;
    const uint32_t low = static_cast<uint32_t>(magnitude) & ((1u << rest) - 1);
    return static_cast<int>(value << rest | coder_.Raw(low, rest));
  }

  const FullModel& m_;
  ContextState& lite_;
  FullState& s_;
  Coder coder_;
  SimdLevel level_;
};

}  // namespace godwit::swift
