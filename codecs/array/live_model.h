// codecs/array/live_model.h: what a model of the live method adds to starting probabilities: a
// curve, predictions and two networks. docs/format/array.md section 11.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "models/network.h"
#include "models/safetensors.h"

namespace godwit::array {

inline constexpr int kLatentBits = 6;  // latents and steps in 1/64
inline constexpr int64_t kMaxLatent = int64_t{1} << 30;
inline constexpr int kMaxLiveLevels = 8;
inline constexpr int64_t kMaxLiveChannels = 32;
inline constexpr int kPredictBits = 12;

// From latents to steps: straight between entries, odd.
class ExpansionCurve {
 public:
  static constexpr int64_t kEntries = 1025;
  static constexpr int kSpacingBits = 4;  // of entries, in 1/64 symbols

  // kModelRefused unless the entries rise from 0, by at most 2^24 at a time, to at most 2^30.
  static Result<ExpansionCurve> Create(std::span<const int32_t> entries);
  // Within +-2^30, both ways.
  int32_t Expanded(int64_t latent) const;
  int32_t Companded(int64_t steps) const;  // of encoders

 private:
  std::vector<int32_t> entries_;
};

// Read-only; may be used by several threads.
struct LiveModel {
  // kModelRefused for a file that is none.
  static Result<LiveModel> Load(const SafeTensors& file);

  int64_t channels = 1;  // of a group
  int levels = 1;        // of packets
  ExpansionCurve curve;
  // In 2^-kPredictBits, of band f from band g at the positions before, at and after: at
  // (f * bands() + g) * 3. 0 for g >= f; empty for none.
  std::vector<int16_t> predict;
  std::optional<Network> analysis, synthesis;  // none adds nothing

  int64_t bands() const { return int64_t{1} << levels; }
  int64_t inputs() const { return channels * bands(); }  // of networks, a position
  double encoder_macs_per_sample() const;
};

// A number as networks see it: exact to 32, then eighths to 64, then 64ths to 127; plus 128.
uint8_t NetworkByte(int64_t v);

}  // namespace godwit::array
