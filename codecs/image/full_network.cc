#include "codecs/image/full_network.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

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

ALWAYS_INLINE inline void OutputsBody(const FullNetwork& n, const FullInputs& common,
                                      const FullInputs& odd, FullSums& sums) {
  Sums8 out[kFullOutputs / 8];
  std::memcpy(out, n.out_bias.data(), sizeof out);
  for (size_t h = 0; h < n.hidden; ++h) {
    if (sums.hidden[h] != 0)
      AddRow<kFullOutputs>(n.out.data() + h * kFullOutputs, sums.hidden[h], out);
  }
  std::memcpy(sums.logit.data(), out, sizeof out);
  constexpr size_t kWidth = kFullOddHidden + kFullLanes;
  Sums8 sum[kWidth / 8] = {};
  const int16_t* const rows = n.odd_first.data();
  AddRows<kWidth>(rows, common, common.value.data(), sum);
  AddRows<kWidth>(rows + static_cast<size_t>(n.common) * kWidth, odd, odd.value.data(), sum);
  int32_t hidden[kFullOddHidden];
  std::memcpy(hidden, sum, sizeof hidden);
  Sums8 sign[kFullLanes / 8] = {sum[kFullOddHidden / 8], sum[kFullOddHidden / 8 + 1]};
  for (size_t h = 0; h < kFullOddHidden; ++h) {
    // Rounded towards zero, so that turned-round inputs give turned-round sums.
    const int32_t x = std::min(std::max(hidden[h] / 256, -kMaxOddHidden), kMaxOddHidden);
    AddRow<kFullLanes>(n.odd_out.data() + h * kFullLanes, x, sign);
  }
  std::memcpy(sums.sign.data(), sign, sizeof sign);
}

ALWAYS_INLINE inline void TellLaterBody(const FullNetwork& n, size_t lane, int value,
                                        FullSums& sums) {
  Sums8 out[kFullOutputs / 8], sign[kFullLanes / 8];
  std::memcpy(out, sums.logit.data(), sizeof out);
  std::memcpy(sign, sums.sign.data(), sizeof sign);
  AddRow<kFullOutputs>(n.ahead.data() + lane * kFullOutputs, std::abs(value), out);
  AddRow<kFullLanes>(n.odd_ahead.data() + lane * kFullLanes, value, sign);
  std::memcpy(sums.logit.data(), out, sizeof out);
  std::memcpy(sums.sign.data(), sign, sizeof sign);
}

// Copies {rows, columns} to rows of `width`, from column `at` on.
void Spread(std::span<const int16_t> from, size_t columns, size_t width, size_t at,
            std::vector<int16_t>& to) {
  for (size_t r = 0; r * columns < from.size(); ++r)
    std::copy_n(from.data() + r * columns, columns, to.data() + r * width + at);
}

// The most that a column of {.., width} can add up to.
int64_t MostOf(const std::vector<int16_t>& rows, size_t width, size_t column, int64_t input) {
  int64_t sum = 0;
  for (size_t i = column; i < rows.size(); i += width) sum += std::abs(int64_t{rows[i]}) * input;
  return sum;
}

}  // namespace

Status FullNetwork::Load(const SafeTensors& file, const std::string& prefix, int value_count,
                         bool flag, int common_count, int even_count, int odd_count) {
  common = common_count;
  even = even_count;
  odd = odd_count;
  values = value_count;
  has_flag = flag;
  const auto refuse = [&](const char* why) {
    return Status(StatusCode::kModelRefused, "network " + prefix + ": " + why);
  };
  const TensorEntry* const entry = file.Find(prefix + ".first");
  const int64_t hidden_count = entry != nullptr && entry->shape.size() == 2 ? entry->shape[1] : 0;
  if (hidden_count != 16 && hidden_count != 32 && hidden_count != 64)
    return refuse("no 16, 32 or 64 hidden sums");
  hidden = static_cast<size_t>(hidden_count);
  const auto get = [&](const char* name, std::initializer_list<int64_t> shape) {
    return file.Get<int16_t>(prefix + name, shape);
  };
  const auto bias = [&](const char* name, int64_t count, auto& to, size_t at, size_t columns,
                        size_t width) -> Status {
    GODWIT_ASSIGN_OR_RETURN(const auto data, file.Get<int32_t>(prefix + name, {count}));
    for (size_t i = 0; i < data.size(); ++i) to[at + i / columns * width + i % columns] = data[i];
    return {};
  };
  GODWIT_ASSIGN_OR_RETURN(const auto rows, get(".first", {common + even, hidden_count}));
  first.assign(rows.begin(), rows.end());
  GODWIT_RETURN_IF_ERROR(bias(".first_bias", hidden_count, first_bias, 0, hidden, hidden));
  out.assign(hidden * kFullOutputs, 0);
  out_bias = {};
  if (has_flag) {
    GODWIT_ASSIGN_OR_RETURN(const auto w, get(".flag", {hidden_count, 1}));
    Spread(w, 1, kFullOutputs, kFlagLane, out);
    GODWIT_RETURN_IF_ERROR(bias(".flag_bias", 1, out_bias, kFlagLane, 1, 1));
  }
  const auto n = static_cast<size_t>(values);
  if (values > 0) {
    GODWIT_ASSIGN_OR_RETURN(const auto w,
                            get(".out", {hidden_count, int64_t{kFullLogits} * values}));
    for (size_t h = 0; h < hidden; ++h) {
      for (size_t k = 0; k < kFullLogits; ++k) {
        std::copy_n(w.data() + (h * kFullLogits + k) * n, n,
                    out.data() + h * kFullOutputs + k * kFullLanes);
      }
    }
    GODWIT_RETURN_IF_ERROR(
        bias(".out_bias", int64_t{kFullLogits} * values, out_bias, 0, n, kFullLanes));
    GODWIT_ASSIGN_OR_RETURN(const auto a, get(".ahead", {values, int64_t{kFullLogits} * values}));
    ahead.assign(n * kFullOutputs, 0);
    for (size_t v = 0; v < n; ++v) {
      for (size_t k = 0; k < kFullLogits; ++k) {
        std::copy_n(a.data() + (v * kFullLogits + k) * n, n,
                    ahead.data() + v * kFullOutputs + k * kFullLanes);
      }
    }
    constexpr size_t kWidth = kFullOddHidden + kFullLanes;
    const int64_t odd_rows = common + odd;
    odd_first.assign(static_cast<size_t>(odd_rows) * kWidth, 0);
    GODWIT_ASSIGN_OR_RETURN(const auto u, get(".odd_first", {odd_rows, int64_t{kFullOddHidden}}));
    Spread(u, kFullOddHidden, kWidth, 0, odd_first);
    GODWIT_ASSIGN_OR_RETURN(const auto s, get(".odd_direct", {odd_rows, values}));
    Spread(s, n, kWidth, kFullOddHidden, odd_first);
    odd_out.assign(kFullOddHidden * kFullLanes, 0);
    GODWIT_ASSIGN_OR_RETURN(const auto o, get(".odd_out", {int64_t{kFullOddHidden}, values}));
    Spread(o, n, kFullLanes, 0, odd_out);
    odd_ahead.assign(n * kFullLanes, 0);
    GODWIT_ASSIGN_OR_RETURN(const auto b, get(".odd_ahead", {values, values}));
    Spread(b, n, kFullLanes, 0, odd_ahead);
    GODWIT_ASSIGN_OR_RETURN(const auto g, file.Get<uint16_t>(prefix + ".sign_gain", {4}));
    std::copy_n(g.data(), 4, sign_gain.data());
    if (*std::max_element(sign_gain.begin(), sign_gain.end()) > 4096) {
      return refuse("a sign gain beyond 16");
    }
    for (size_t i = 0; i < kWidth; ++i) {
      int64_t most = MostOf(odd_first, kWidth, i, 128);
      if (i >= kFullOddHidden) {
        most += MostOf(odd_out, kFullLanes, i - kFullOddHidden, kMaxOddHidden) +
                MostOf(odd_ahead, kFullLanes, i - kFullOddHidden, kMaxLevel);
      }
      if (most >= 1 << 30) return refuse("sums of signs may pass 32 bits");
    }
  }
  for (size_t i = 0; i < hidden; ++i) {
    if (MostOf(first, hidden, i, 128) + std::abs(int64_t{first_bias[i]}) >= 1 << 30)
      return refuse("sums may pass 32 bits");
  }
  for (size_t i = 0; i < kFullOutputs; ++i) {
    if (MostOf(out, kFullOutputs, i, kMaxHidden) + MostOf(ahead, kFullOutputs, i, kMaxLevel) +
            std::abs(int64_t{out_bias[i]}) >=
        1 << 30) {
      return refuse("outputs may pass 32 bits");
    }
  }
  return {};
}

void SumHidden(SimdLevel level, const FullNetwork& n, const FullInputs& common,
               const FullInputs& even, FullSums& sums) {
  if (n.hidden == 64) return RunPerLevel<HiddenBody<64>>(level, n, common, even, sums);
  if (n.hidden == 32) return RunPerLevel<HiddenBody<32>>(level, n, common, even, sums);
  RunPerLevel<HiddenBody<16>>(level, n, common, even, sums);
}

int FlagLogit(const FullNetwork& n, const FullSums& sums) {
  int32_t sum = n.out_bias[kFlagLane];
  for (size_t h = 0; h < n.hidden; ++h) sum += sums.hidden[h] * n.out[h * kFullOutputs + kFlagLane];
  return std::clamp((sum + 512) >> 10, -kMaxLogOdds, kMaxLogOdds);
}

void SumOutputs(SimdLevel level, const FullNetwork& n, const FullInputs& common,
                const FullInputs& odd, FullSums& sums) {
  RunPerLevel<OutputsBody>(level, n, common, odd, sums);
}

void TellLater(SimdLevel level, const FullNetwork& n, size_t lane, int value, FullSums& sums) {
  RunPerLevel<TellLaterBody>(level, n, lane, value, sums);
}

}  // namespace godwit::swift
