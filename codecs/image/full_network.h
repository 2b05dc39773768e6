// codecs/image/full_network.h: the small networks of an entropy model: one hidden layer
// over what is known around a value, one more for its sign. docs/format/entropy.md section 6.
// Most inputs are zero, so a layer is a sum of rows of weights, one for each input that is not.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "models/safetensors.h"

namespace godwit::swift {

inline constexpr size_t kMaxFullHidden = 64, kFullOddHidden = 16, kFullLanes = 16;
// Logits of a value: is it 0, at least 2, at least 4, and 3 rather than 2.
enum FullLogit : size_t { kNonZeroLogit, kTwoLogit, kFourLogit, kThreeLogit, kFullLogits };
inline constexpr size_t kFullOutputs = kFullLogits * kFullLanes;
constexpr size_t FullOutput(size_t lane, size_t logit) { return lane * kFullLogits + logit; }
inline constexpr int kMaxLevel = 127;

// Inputs that are not zero: `row` of the weights, with sign and without.
struct FullInputs {
  static constexpr size_t kMost = 704;
  size_t count = 0;
  std::array<uint16_t, kMost> row;
  std::array<int16_t, kMost> value, size;
  void Add(int at, int x) {
    row[count] = static_cast<uint16_t>(at);
    value[count] = static_cast<int16_t>(x);
    size[count] = static_cast<int16_t>(x < 0 ? -x : x);
    count += x != 0;
  }
};

struct FullNetwork {
  // Inputs: `common` ones come with their sign in odd sums and without it in even ones.
  int common = 0, even = 0, odd = 0;
  size_t hidden = 0;      // 8, 16, 32 or 64
  size_t odd_hidden = 0;  // 0 or kFullOddHidden
  int values = 0;         // 0: a flag alone
  bool has_flag = false;
  size_t outputs = 0;  // 4 logits of each value, up to whole eights
  size_t lanes = 0;    // of signs: 8 or 16, at least `values`

  std::vector<int16_t> first;  // [common + even][hidden]
  std::array<int32_t, kMaxFullHidden> first_bias;
  std::vector<int16_t> flag;  // [hidden]
  int32_t flag_bias = 0;
  std::vector<int16_t> out;  // [hidden][outputs]
  std::array<int32_t, kFullOutputs> out_bias;
  std::vector<int16_t> ahead;         // [value][outputs]: what a value says of later ones
  std::vector<int16_t> odd_first;     // [common + odd][odd_hidden, then lanes]
  std::vector<int16_t> odd_out;       // [odd_hidden][lanes]
  std::vector<int16_t> odd_ahead;     // [value][lanes]
  std::array<uint16_t, 4> sign_gain;  // by magnitude 1, 2, 3, more; 256 is one

  bool present() const { return !first.empty(); }
  // Tensors PREFIX.first and so on; kModelRefused if one is amiss or a sum could pass 32 bits.
  Status Load(const SafeTensors& file, const std::string& prefix, int values, bool has_flag,
              int common, int even, int odd);
};

// Sums of one network for one place, step by step.
struct FullSums {
  std::array<int16_t, kMaxFullHidden> hidden;
  std::array<int32_t, kFullOutputs> logit;  // 2^-18, by FullOutput()
  std::array<int32_t, kFullLanes> sign;     // 2^-18
};
// hidden, from `common` inputs without their sign and `even` ones; rows of `even` count from 0.
void SumHidden(SimdLevel level, const FullNetwork& n, const FullInputs& common,
               const FullInputs& even, FullSums& sums);
// The flag's logit alone, in 1/256.
int FlagLogit(const FullNetwork& n, const FullSums& sums);
// logit and sign of all values; `odd` rows count from 0.
void SumOutputs(SimdLevel level, const FullNetwork& n, const FullInputs& common,
                const FullInputs& odd, FullSums& sums);
// Value `lane` turned out as `value`, in levels and not 0.
void TellLater(SimdLevel level, const FullNetwork& n, size_t lane, int value, FullSums& sums);

}  // namespace godwit::swift
