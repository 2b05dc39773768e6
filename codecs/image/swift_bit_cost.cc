#include "codecs/image/swift_bit_cost.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "codecs/image/swift_context.h"
#include "entropy/decision_list.h"

namespace godwit::swift {
namespace {

// -log2(n / d) in 2^-12, by squaring: a bit of the logarithm each time.
uint32_t LogRatio(uint32_t n, uint32_t d) {
  uint64_t x = (uint64_t{d} << 30) / n;  // 1 and more, 30 fraction bits
  uint32_t log = 0;
  while (x >= uint64_t{2} << 30) {
    x >>= 1;
    log += 1 << 12;
  }
  for (uint32_t bit = 1 << 11; bit != 0; bit >>= 1) {
    x = (x * x) >> 30;
    if (x >= uint64_t{2} << 30) {
      x >>= 1;
      log += bit;
    }
  }
  return log;
}

int SignBit(int kind, int mean) { return ContextParameters::SignContext(kind, SignLevel(mean)); }

}  // namespace

BitCosts::BitCosts() {
  for (uint32_t i = 0; i < 4096; ++i)
    table_[i] = static_cast<float>(LogRatio(2 * i + 1, 8192)) / 4096.0f;
}

const BitCosts& BitCosts::Get() {
  static const BitCosts costs;
  return costs;
}

float ValueCosts::Sign(bool negative) const {
  return costs_.Of(negative != (mean_ < 0), contexts_[SignBit(sign_, mean_)]);
}

float ValueCosts::Magnitude(int magnitude) const {
  const int high = (magnitude - 1) >> low_bits_;
  const int unary = std::min(high, ContextParameters::kUnary);
  float cost = static_cast<float>(low_bits_);
  for (int i = 0; i < unary; ++i) {
    cost += costs_.Of(true, contexts_[magnitude_ + std::min(i, kUnaryContexts - 1)]);
  }
  if (high < ContextParameters::kUnary) {
    return cost + costs_.Of(false, contexts_[magnitude_ + std::min(unary, kUnaryContexts - 1)]);
  }
  const auto escape = static_cast<uint32_t>(high - ContextParameters::kUnary + 1);
  return cost + static_cast<float>(2 * std::bit_width(escape) - 1);
}

void AdaptToValue(AdaptiveBit* contexts, int value, int kind, int scale, int mean) {
  contexts[SignBit(kind, mean)].Update((value < 0) != (mean < 0), kDecisionRate);
  const int base = ContextParameters::MagnitudeContext(kind, scale);
  const int high = (std::abs(value) - 1) >> std::max((scale >> 1) - 8, 0);
  for (int i = 0; i < ContextParameters::kUnary; ++i) {
    contexts[base + std::min(i, kUnaryContexts - 1)].Update(i < high, kDecisionRate);
    if (i >= high) break;
  }
}

}  // namespace godwit::swift
