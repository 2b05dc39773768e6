#include "codecs/image/full_network.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>

#include "base/per_level.h"
#include "entropy/bit_mixer.h"

namespace godwit::swift {
namespace {

#define ALWAYS_INLINE __attribute__((always_inline))

constexpr int kMaxHidden = 2035, kMaxOddHidden = 256;

// Eight sums at a time, in vectors that every level has: the compiler splits or joins them.
typedef int32_t Sums8 __attribute__((vector_size(32)));
typedef int16_t Row8 __attribute__((vector_size(16)));

// sum[i] += x * row[i]
template <size_t kWidth>
ALWAYS_INLINE inline void AddRow(const int16_t* row, int32_t x, Sums8 (&sum)[kWidth / 8]) {
  const Sums8 by = {x, x, x, x, x, x, x, x};
  for (size_t i = 0; i < kWidth / 8; ++i) {
    Row8 w;
    std::memcpy(&w, row + i * 8, sizeof w);
    sum[i] += __builtin_convertvector(w, Sums8) * by;
  }
}
// The same for each input that is there: its row of `rows`, by its `by`.
template <size_t kWidth>
ALWAYS_INLINE inline void AddRows(const int16_t* rows, const FullInputs& in, const int16_t* by,
                                  Sums8 (&sum)[kWidth / 8]) {
  for (size_t i = 0; i < in.count; ++i) AddRow<kWidth>(rows + in.row[i] * kWidth, by[i], sum);
}

template <size_t kHidden>
ALWAYS_INLINE inline void HiddenBody(const FullNetwork& n, const FullInputs& common,
                                     const FullInputs& even, FullSums& sums) {
  Sums8 sum[kHidden / 8];
  std::memcpy(sum, n.first_bias.data(), sizeof sum);
  const int16_t* const rows = n.first.data();
  AddRows<kHidden>(rows, common, common.size.data(), sum);
  AddRows<kHidden>(rows + static_cast<size_t>(n.common) * kHidden, even, even.value.data(), sum);
  int32_t flat[kHidden];
  std::memcpy(flat, sum, sizeof flat);
  for (size_t i = 0; i < kHidden; ++i) {
    sums.hidden[i] = static_cast<int16_t>(std::min(std::max((flat[i] + 256) >> 9, 0), kMaxHidden));
  }
}

template <size_t kOutputs, size_t kLanes, size_t kOddHidden>
ALWAYS_INLINE inline void OutputsBody(const FullNetwork& n, const FullInputs& common,
                                      const FullInputs& odd, FullSums& sums) {
  Sums8 out[kOutputs / 8];
  std::memcpy(out, n.out_bias.data(), sizeof out);
  for (size_t h = 0; h < n.hidden; ++h) {
    if (sums.hidden[h] != 0) AddRow<kOutputs>(n.out.data() + h * kOutputs, sums.hidden[h], out);
  }
  std::memcpy(sums.logit.data(), out, sizeof out);
  constexpr size_t kWidth = kOddHidden + kLanes;
  Sums8 sum[kWidth / 8] = {};
  const int16_t* const rows = n.odd_first.data();
  AddRows<kWidth>(rows, common, common.value.data(), sum);
  AddRows<kWidth>(rows + static_cast<size_t>(n.common) * kWidth, odd, odd.value.data(), sum);
  Sums8 sign[kLanes / 8];
  std::memcpy(sign, sum + kOddHidden / 8, sizeof sign);
  if constexpr (kOddHidden > 0) {
    int32_t hidden[kOddHidden];
    std::memcpy(hidden, sum, sizeof hidden);
    for (size_t h = 0; h < kOddHidden; ++h) {
      // Rounded towards zero, so that turned-round inputs give turned-round sums.
      const int32_t x = std::min(std::max(hidden[h] / 256, -kMaxOddHidden), kMaxOddHidden);
      AddRow<kLanes>(n.odd_out.data() + h * kLanes, x, sign);
    }
  }
  std::memcpy(sums.sign.data(), sign, sizeof sign);
}

template <size_t kOutputs, size_t kLanes>
ALWAYS_INLINE inline void TellLaterBody(const FullNetwork& n, size_t lane, int value,
                                        FullSums& sums) {
  Sums8 out[kOutputs / 8], sign[kLanes / 8];
  std::memcpy(out, sums.logit.data(), sizeof out);
  std::memcpy(sign, sums.sign.data(), sizeof sign);
  AddRow<kOutputs>(n.ahead.data() + lane * kOutputs, std::abs(value), out);
  AddRow<kLanes>(n.odd_ahead.data() + lane * kLanes, value, sign);
  std::memcpy(sums.logit.data(), out, sizeof out);
  std::memcpy(sums.sign.data(), sign, sizeof sign);
}

// Calls `run` with the outputs and lanes that the network's values take: bands have 2 to 8, 13 or
// 15 values, coarse DC one. A band of two sums 8 outputs so, and not 64: with the weights of
// swift-1-full 0.076 of the speed of `lite` for 0.066.
template <typename Run>
void ForWidthOf(const FullNetwork& n, Run run) {
  const auto with = [&]<size_t kOutputs>() {
    run.template operator()<kOutputs, kOutputs <= 32 ? 8 : 16>();
  };
  if (n.outputs <= 8) return with.template operator()<8>();
  if (n.outputs <= 16) return with.template operator()<16>();
  if (n.outputs <= 24) return with.template operator()<24>();
  if (n.outputs <= 32) return with.template operator()<32>();
  if (n.outputs <= 56) return with.template operator()<56>();
  with.template operator()<64>();
}

// Copies {rows, columns} to rows of `width`, from column `at` on.
void Spread(std::span<const int16_t> from, size_t columns, size_t width, size_t at,
            std::vector<int16_t>& to) {
  for (size_t r = 0; r * columns < from.size(); ++r)
    std::copy_n(from.data() + r * columns, columns, to.data() + r * width + at);
}

// 4 logits of each value; as many as ForWidthOf() knows.
size_t OutputsOf(size_t values) {
  const size_t logits = (kFullLogits * values + 7) / 8 * 8;
  return logits <= 32 ? logits : logits <= 56 ? 56 : 64;
}

// The most that a column of {.., width} can add up to.
int64_t MostOf(const std::vector<int16_t>& rows, size_t width, size_t column, int64_t input) {
  int64_t sum = 0;
  for (size_t i = column; i < rows.size(); i += width) sum += std::abs(int64_t{rows[i]}) * input;
  return sum;
}

Status Refuse(const std::string& prefix, const char* why) {
  return Status(StatusCode::kModelRefused, "network " + prefix + ": " + why);
}

Status LoadLogits(const SafeTensors& file, const std::string& prefix, FullNetwork& net) {
  const auto n = static_cast<size_t>(net.values);
  const int64_t logits = int64_t{kFullLogits} * net.values;
  // From [logit][value] to [value][logit].
  const auto turn = [&](auto from, auto* to) {
    for (size_t i = 0; i < n * kFullLogits; ++i) to[FullOutput(i % n, i / n)] = from[i];
  };
  GODWIT_ASSIGN_OR_RETURN(
      const auto w, file.Get<int16_t>(prefix + ".out", {static_cast<int64_t>(net.hidden), logits}));
  net.out.assign(net.hidden * net.outputs, 0);
  for (size_t h = 0; h < net.hidden; ++h)
    turn(w.subspan(h * n * kFullLogits), net.out.data() + h * net.outputs);
  GODWIT_ASSIGN_OR_RETURN(const auto b, file.Get<int32_t>(prefix + ".out_bias", {logits}));
  turn(b, net.out_bias.data());
  GODWIT_ASSIGN_OR_RETURN(const auto a, file.Get<int16_t>(prefix + ".ahead", {net.values, logits}));
  net.ahead.assign(n * net.outputs, 0);
  for (size_t v = 0; v < n; ++v)
    turn(a.subspan(v * n * kFullLogits), net.ahead.data() + v * net.outputs);
  return {};
}

Status LoadSigns(const SafeTensors& file, const std::string& prefix, FullNetwork& net) {
  const auto n = static_cast<size_t>(net.values);
  const int64_t rows = net.common + net.odd;
  const auto get = [&](const char* name, int64_t down, int64_t across) {
    return file.Get<int16_t>(prefix + name, {down, across});
  };
  const bool odd_sums = file.Find(prefix + ".odd_first") != nullptr;
  if (odd_sums != (file.Find(prefix + ".odd_out") != nullptr))
    return Refuse(prefix, "one of .odd_first and .odd_out");
  net.odd_hidden = odd_sums ? kFullOddHidden : 0;
  const size_t width = net.odd_hidden + net.lanes;
  net.odd_first.assign(static_cast<size_t>(rows) * width, 0);
  net.odd_out.assign(net.odd_hidden * net.lanes, 0);
  if (odd_sums) {
    GODWIT_ASSIGN_OR_RETURN(const auto u, get(".odd_first", rows, kFullOddHidden));
    Spread(u, net.odd_hidden, width, 0, net.odd_first);
    GODWIT_ASSIGN_OR_RETURN(const auto o, get(".odd_out", kFullOddHidden, net.values));
    Spread(o, n, net.lanes, 0, net.odd_out);
  }
  GODWIT_ASSIGN_OR_RETURN(const auto s, get(".odd_direct", rows, net.values));
  Spread(s, n, width, net.odd_hidden, net.odd_first);
  GODWIT_ASSIGN_OR_RETURN(const auto a, get(".odd_ahead", net.values, net.values));
  net.odd_ahead.assign(n * net.lanes, 0);
  Spread(a, n, net.lanes, 0, net.odd_ahead);
  GODWIT_ASSIGN_OR_RETURN(const auto g, file.Get<uint16_t>(prefix + ".sign_gain", {4}));
  std::copy_n(g.data(), 4, net.sign_gain.data());
  if (*std::max_element(g.begin(), g.end()) > 4096) return Refuse(prefix, "a sign gain beyond 16");
  return {};
}

// docs/format/entropy.md section 6.1: no sum can reach 2^30, whatever the inputs.
Status CheckSums(const std::string& prefix, const FullNetwork& n) {
  constexpr int64_t kLimit = 1 << 30;
  for (size_t i = 0; i < n.hidden; ++i) {
    if (MostOf(n.first, n.hidden, i, 128) + std::abs(int64_t{n.first_bias[i]}) >= kLimit)
      return Refuse(prefix, "sums may pass 32 bits");
  }
  if (MostOf(n.flag, 1, 0, kMaxHidden) + std::abs(int64_t{n.flag_bias}) >= kLimit)
    return Refuse(prefix, "its flag may pass 32 bits");
  for (size_t i = 0; i < n.outputs; ++i) {
    if (MostOf(n.out, n.outputs, i, kMaxHidden) + MostOf(n.ahead, n.outputs, i, kMaxLevel) +
            std::abs(int64_t{n.out_bias[i]}) >=
        kLimit) {
      return Refuse(prefix, "outputs may pass 32 bits");
    }
  }
  const size_t width = n.odd_hidden + n.lanes;
  for (size_t i = 0; i < width; ++i) {
    int64_t most = MostOf(n.odd_first, width, i, 128);
    if (i >= n.odd_hidden) {
      most += MostOf(n.odd_out, n.lanes, i - n.odd_hidden, kMaxOddHidden) +
              MostOf(n.odd_ahead, n.lanes, i - n.odd_hidden, kMaxLevel);
    }
    if (most >= kLimit) return Refuse(prefix, "sums of signs may pass 32 bits");
  }
  return {};
}

}  // namespace

Status FullNetwork::Load(const SafeTensors& file, const std::string& prefix, int value_count,
                         bool flagged, int common_count, int even_count, int odd_count) {
  common = common_count;
  even = even_count;
  odd = odd_count;
  values = value_count;
  has_flag = flagged;
  const TensorEntry* const entry = file.Find(prefix + ".first");
  const int64_t hidden_count = entry != nullptr && entry->shape.size() == 2 ? entry->shape[1] : 0;
  if (hidden_count != 8 && hidden_count != 16 && hidden_count != 32 && hidden_count != 64)
    return Refuse(prefix, "no 8, 16, 32 or 64 hidden sums");
  hidden = static_cast<size_t>(hidden_count);
  GODWIT_ASSIGN_OR_RETURN(const auto rows,
                          file.Get<int16_t>(prefix + ".first", {common + even, hidden_count}));
  first.assign(rows.begin(), rows.end());
  GODWIT_ASSIGN_OR_RETURN(const auto biases,
                          file.Get<int32_t>(prefix + ".first_bias", {hidden_count}));
  std::copy(biases.begin(), biases.end(), first_bias.begin());
  if (has_flag) {
    GODWIT_ASSIGN_OR_RETURN(const auto w, file.Get<int16_t>(prefix + ".flag", {hidden_count, 1}));
    flag.assign(w.begin(), w.end());
    GODWIT_ASSIGN_OR_RETURN(const auto b, file.Get<int32_t>(prefix + ".flag_bias", {1}));
    flag_bias = b[0];
  }
  outputs = OutputsOf(static_cast<size_t>(values));
  lanes = values <= 8 ? 8 : kFullLanes;
  out_bias = {};
  if (values > 0) {
    GODWIT_RETURN_IF_ERROR(LoadLogits(file, prefix, *this));
    GODWIT_RETURN_IF_ERROR(LoadSigns(file, prefix, *this));
  }
  return CheckSums(prefix, *this);
}

void SumHidden(SimdLevel level, const FullNetwork& n, const FullInputs& common,
               const FullInputs& even, FullSums& sums) {
  if (n.hidden == 64) return RunPerLevel<HiddenBody<64>>(level, n, common, even, sums);
  if (n.hidden == 32) return RunPerLevel<HiddenBody<32>>(level, n, common, even, sums);
  if (n.hidden == 16) return RunPerLevel<HiddenBody<16>>(level, n, common, even, sums);
  RunPerLevel<HiddenBody<8>>(level, n, common, even, sums);
}

int FlagLogit(const FullNetwork& n, const FullSums& sums) {
  int32_t sum = n.flag_bias;
  for (size_t h = 0; h < n.hidden; ++h) sum += sums.hidden[h] * n.flag[h];
  return std::clamp((sum + 512) >> 10, -kMaxLogOdds, kMaxLogOdds);
}

void SumOutputs(SimdLevel level, const FullNetwork& n, const FullInputs& common,
                const FullInputs& odd, FullSums& sums) {
  ForWidthOf(n, [&]<size_t kOutputs, size_t kLanes>() {
    if (n.odd_hidden > 0) {
      RunPerLevel<OutputsBody<kOutputs, kLanes, kFullOddHidden>>(level, n, common, odd, sums);
    } else {
      RunPerLevel<OutputsBody<kOutputs, kLanes, 0>>(level, n, common, odd, sums);
    }
  });
}

void TellLater(SimdLevel level, const FullNetwork& n, size_t lane, int value, FullSums& sums) {
  ForWidthOf(n, [&]<size_t kOutputs, size_t kLanes>() {
    RunPerLevel<TellLaterBody<kOutputs, kLanes>>(level, n, lane, value, sums);
  });
}

}  // namespace godwit::swift
