#include "codecs/array/wavelet_context.h"

#include <bit>
#include <cmath>

namespace godwit::array {
namespace {

constexpr uint32_t kMostSize = 1 << 14;

uint32_t SizeOf(int32_t v) { return std::min(static_cast<uint32_t>(v < 0 ? -v : v), kMostSize); }

uint32_t Halves(uint32_t x, uint32_t most) {
  return std::min(x == 0 ? 0 : HalfOctaves(x) + 1, most - 1);
}

const std::array<float, 4096>& BitCosts() {
  static const std::array<float, 4096> table = [] {
    std::array<float, 4096> t;
    for (size_t i = 0; i < t.size(); ++i) {
      t[i] = static_cast<float>(12 - std::log2(static_cast<double>(i) + 0.5));
    }
    return t;
  }();
  return table;
}

double CostOf(bool bit, uint32_t p1) {
  return static_cast<double>(BitCosts()[(bit ? p1 : 65535 - p1) >> 4]);
}

}  // namespace

double SymbolCoder::StepBits(const SymbolContext& c, int size) const {
  const uint32_t p = Likelihood(c, size - 1);
  const double on = CostOf(true, p) - CostOf(false, p);
  const double stop =
      static_cast<uint64_t>(size) > kMaxUnary ? 0 : CostOf(false, Likelihood(c, size));
  return on + stop + (size == 1 ? 1 : 0);
}

BandWalk::BandWalk(const WaveletShape& shape, const std::vector<WaveletBand>& bands,
                   std::vector<BandSymbols>& tile, size_t band, size_t channel)
    : here_(&tile[channel * bands.size() + band]), lowest_(bands[band].high == 0) {
  const WaveletBand& b = bands[band];
  places_ = shape.sides[0] > 1;
  rows_ = shape.sides[1] > 1;
  axes_ = 1 + places_ + rows_;
  class_ = b.context;
  const int64_t up = here_->stride[1], back = here_->stride[0];
  if (rows_ && places_) {
    near_ = {{1, 3}, {up, 3},       {back, 3},     {up + 1, 1},    {up - 1, 1},
             {2, 1}, {back + 1, 1}, {back - 1, 1}, {back + up, 1}, {back - up, 1}};
  } else if (rows_ || places_) {
    const int64_t s = rows_ ? up : back;
    near_ = {{1, 4}, {s, 4}, {s + 1, 2}, {s - 1, 2}, {2, 2}};
    if (rows_) near_.emplace_back(2 * s, 2);
  } else {
    near_ = {{1, 8}, {2, 4}, {3, 2}, {4, 2}};
  }
  steps_ = {1};
  if (rows_) steps_.push_back(up);
  if (places_) steps_.push_back(back);
  const auto known = [&](size_t which, size_t c, const std::array<bool, 3>& halved) {
    return Known{&tile[c * bands.size() + which], halved, 0, 0};
  };
  if (b.parent >= 0) parent_ = known(static_cast<size_t>(b.parent), channel, b.halved);
  if (channel > 0) channel_ = known(band, channel - 1, {});
  if (channel > 1) channel2_ = known(band, channel - 2, {});
  for (const int s : b.siblings) siblings_.push_back(known(static_cast<size_t>(s), channel, {}));
  const auto width = static_cast<size_t>(b.size[2]);
  wide_row_.assign(width + 2, 0);
  if (places_) wide_place_.assign(width * static_cast<size_t>(b.size[1]), 0);
}

void BandWalk::Aim(Known& known, int64_t z, int64_t y) const {
  if (known.band == nullptr) return;
  const BandSymbols& b = *known.band;
  z = std::min(known.halved[0] ? z >> 1 : z, b.size[0] - 1);
  y = std::min(known.halved[1] ? y >> 1 : y, b.size[1] - 1);
  known.row = b.At(z, y, 0);
  known.last = b.size[2] - 1;
}

void BandWalk::StartRow(int64_t z, int64_t y) {
  row_ = here_->At(z, y, 0);
  Aim(parent_, z, y);
  Aim(channel_, z, y);
  Aim(channel2_, z, y);
  for (Known& s : siblings_) Aim(s, z, y);
  if (y == 0) std::fill(wide_row_.begin(), wide_row_.end(), 0);
  wide_left_ = wide_row_[0];
  wide_at_ = static_cast<size_t>(y * here_->size[2]);
}

// Sixteen times the weighed mean of magnitudes at the place and beside it.
uint32_t BandWalk::Around(const Known& known, int64_t x, int32_t* centre) const {
  const BandSymbols& b = *known.band;
  const int64_t at = known.row + std::min(known.halved[2] ? x >> 1 : x, known.last);
  const int32_t* const p = b.coded().data() + at;
  *centre = *p;
  uint32_t sum = SizeOf(*p) * 2 * static_cast<uint32_t>(axes_) + SizeOf(p[-1]) + SizeOf(p[1]);
  if (rows_) sum += SizeOf(p[-b.stride[1]]) + SizeOf(p[b.stride[1]]);
  if (places_) sum += SizeOf(p[-b.stride[0]]) + SizeOf(p[b.stride[0]]);
  constexpr std::array<uint32_t, 4> kScale = {0, 12, 6, 4};
  return sum * kScale[static_cast<size_t>(axes_)] / 3;
}

SymbolContext BandWalk::ContextAt(int64_t x) {
  const int32_t* const p = here_->coded().data() + row_ + x;
  uint32_t near = 0;
  for (const auto& [offset, weight] : near_) near += weight * SizeOf(p[-offset]);
  const int32_t left = p[-1], above = rows_ ? p[-here_->stride[1]] : p[-2];
  const int32_t before = places_ ? p[-here_->stride[0]] : rows_ ? p[-here_->stride[1] + 1] : p[-3];
  int32_t up = 0, beside = 0, beside2 = 0, sib = 0;
  uint32_t parent = 0, channel = 0, sibling = 0;
  if (parent_.band != nullptr) parent = Around(parent_, x, &up);
  if (channel_.band != nullptr) channel = Around(channel_, x, &beside);
  if (channel2_.band != nullptr) channel = (3 * channel + Around(channel2_, x, &beside2)) / 4;
  for (const Known& s : siblings_) sibling += Around(s, x, &sib);
  if (!siblings_.empty()) sibling /= static_cast<uint32_t>(siblings_.size());
  {
    const auto i = static_cast<size_t>(x);
    uint32_t mean = (wide_left_ + wide_row_[i + 1]) / 2;
    if (places_) mean = (2 * mean + wide_place_[wide_at_ + i]) / 3;
    wide_ = mean;
  }
  // Two parts near, one of each other kind that there is.
  uint32_t total = 3 * near, parts = 3;
  if (parent_.band != nullptr) total += parent, ++parts;
  if (channel_.band != nullptr) total += channel, ++parts;
  if (!siblings_.empty()) total += sibling, ++parts;
  total += wide_, ++parts;
  const uint32_t expected = total / parts;

  using M = WaveletModel;
  SymbolContext c;
  const uint32_t n = Halves(near, M::kNear);
  c.shift = std::max(0, static_cast<int>(std::bit_width(expected)) - 8);
  c.at[0] = std::min(QuarterOctaves(expected), 47u);
  c.at[1] = n * M::kOther + Halves(parent, M::kOther);
  c.at[2] = n * M::kOther + Halves(sibling, M::kOther);
  c.at[3] = n * M::kOther + Halves(channel, M::kOther);
  const auto three = [](int32_t v) { return std::min(SizeOf(v), 2u); };
  c.at[4] = (((three(left) * 3 + three(above)) * 3 + three(before)) * 3 + three(up)) * 3 +
            (channel_.band != nullptr ? three(beside) : three(sib));
  c.at[5] = Halves(wide_, M::kNear) * M::kClasses + class_;
  c.at[6] = Halves(16 * std::min(SizeOf(left) + SizeOf(above), kMostSize), M::kOther) * M::kOther +
            Halves(16 * SizeOf(before), M::kOther);
  c.sign = {(Sign3(left) * 3 + Sign3(above)) * 3 + Sign3(before),
            (Sign3(beside) * 3 + Sign3(beside2)) * 3 + Sign3(up),
            Sign3(sib) * M::kClasses + class_};
  c.weights = std::min(HalfOctaves(expected) / 3, M::kWeightSets - 1);
  return c;
}

void BandWalk::Remember(int64_t x) {
  const auto i = static_cast<size_t>(x);
  const uint32_t size = 16 * SizeOf(here_->coded()[static_cast<size_t>(row_ + x)]);
  const uint32_t mean = wide_ - wide_ / 8 + size / 8;
  wide_left_ = mean;
  wide_row_[i] = mean;
  if (places_) wide_place_[wide_at_ + i] = mean;
}

int32_t BandWalk::Predicted(int64_t z, int64_t y, int64_t x) const {
  const int32_t* const p = here_->symbols.data() + row_ + x;
  const int64_t up = here_->stride[1], back = here_->stride[0];
  int64_t in_row = 0;
  int known = 0;
  if (x > 0 && y > 0) {
    const int64_t l = p[-1], a = p[-up], al = p[-up - 1];
    in_row = std::clamp(l + a - al, std::min(l, a), std::max(l, a));
    known = 1;
  } else if (x > 0 || y > 0) {
    in_row = x > 0 ? p[-1] : p[-up];
    known = 1;
  }
  if (z > 0) {
    const int64_t b = p[-back];
    return static_cast<int32_t>(known > 0 ? (in_row + b) >> 1 : b);
  }
  return static_cast<int32_t>(in_row);
}

}  // namespace godwit::array
