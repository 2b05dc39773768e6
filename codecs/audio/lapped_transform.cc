#include "codecs/audio/lapped_transform.h"

#include <bit>
#include <cassert>

#include "codecs/audio/trigonometry.h"

namespace godwit::audio {
namespace {

// exp(-j pi num / den) for 0 <= num / den <= 2, and the same in parts of 2^-30 of `scale`.
struct Turn {
  int32_t re, im;
};
Turn TurnBack(uint32_t num, uint32_t den) {
  const uint32_t quarter = 2 * num / den;  // of the circle
  const uint32_t rest = 2 * num - quarter * den;
  const int32_t c = CosineQ30(rest, 2 * den), s = SineQ30(rest, 2 * den);
  switch (quarter & 3) {
    case 0:
      return {c, -s};
    case 1:
      return {-s, -c};
    case 2:
      return {-c, s};
    default:
      return {s, c};
  }
}

// 2^30 / sqrt(1), sqrt(2), sqrt(5) and sqrt(10): what passes of radix 2 and 5 leave to do.
constexpr int64_t kScales[4] = {1073741824, 759250125, 480191942, 339546978};

int32_t ScaleQ30(int32_t v, int64_t scale) {
  return static_cast<int32_t>((v * scale + (1 << 29)) >> kTwiddleBits);
}

}  // namespace

bool IsBlockSize(uint32_t n) {
  if (n < 8 || n > 4096) return false;
  return std::has_single_bit(n) || (n % 5 == 0 && std::has_single_bit(n / 5));
}

Dct4::Dct4(uint32_t size, const LappedKernels& kernels) : kernels_(&kernels), half_(size / 2) {
  assert(IsBlockSize(size) && size % 4 == 0);
  const uint32_t fives = half_ % 5 == 0 ? 1 : 0;
  const auto twos = static_cast<uint32_t>(std::countr_zero(half_));
  const int64_t scale = kScales[fives * 2 + twos % 2];
  const size_t n = half_;
  tables_.resize(4 * n);
  for (uint32_t i = 0; i < half_; ++i) {
    const Turn turn = TurnBack(8 * i + 1, 8 * size);
    tables_[i] = ScaleQ30(turn.re, scale);
    tables_[n + i] = ScaleQ30(turn.im, scale);
    tables_[2 * n + i] = turn.re;
    tables_[3 * n + i] = turn.im;
  }
  uint32_t points = half_, stride = 1;
  const auto add = [&](int radix) {
    const auto r = static_cast<uint32_t>(radix);
    const Pass pass{radix, points / r, stride, tables_.size()};
    tables_.resize(tables_.size() + size_t{2} * (r - 1) * pass.n);
    int32_t* const re = tables_.data() + pass.factors;
    int32_t* const im = re + size_t{r - 1} * pass.n;
    for (uint32_t k = 1; k < r; ++k) {
      for (uint32_t p = 0; p < pass.n; ++p) {
        const Turn turn = TurnBack(2 * k * p, points);
        re[(k - 1) * pass.n + p] = turn.re;
        im[(k - 1) * pass.n + p] = turn.im;
      }
    }
    passes_.push_back(pass);
    points /= r;
    stride *= r;
  };
  for (uint32_t i = 0; i < twos / 2; ++i) add(4);
  if (twos % 2 != 0) add(2);
  if (fives != 0) add(5);
}

void Dct4::Run(int32_t* x, int32_t* scratch) const {
  const size_t n = half_;
  Complex now{scratch, scratch + n}, next{scratch + 2 * n, scratch + 3 * n};
  const int32_t* const t = tables_.data();
  kernels_->before(x, {t, t + n}, now, n);
  for (const Pass& pass : passes_) {
    const int32_t* const f = t + pass.factors;
    const ConstComplex factor{f, f + static_cast<size_t>(pass.radix - 1) * pass.n};
    const auto run = pass.radix == 4   ? kernels_->pass4
                     : pass.radix == 2 ? kernels_->pass2
                                       : kernels_->pass5;
    run({now.re, now.im}, factor, next, pass.n, pass.stride);
    std::swap(now, next);
  }
  kernels_->after({now.re, now.im}, {t + 2 * n, t + 3 * n}, x, n);
}

Overlap::Overlap(uint32_t size, const LappedKernels& kernels) : kernels_(&kernels) {
  for (uint32_t i = 0; i < size / 2; ++i) {
    // pi / 4 + pi (2 i + 1) / (4 size), as the complement's cosine and sine.
    const uint32_t num = size - 2 * i - 1, den = 4 * size;
    cosine_.push_back(CosineQ30(num, den));
    sine_.push_back(SineQ30(num, den));
  }
}

LappedTransform::LappedTransform(uint32_t hop, SimdLevel level) : hop_(hop), scratch_(2 * hop) {
  const LappedKernels& kernels = LappedKernelsFor(level);
  for (int split = 0; split <= kMaxSplit; ++split) {
    dcts_.emplace_back(hop >> split, kernels);
    overlaps_.emplace_back(hop >> split, kernels);
  }
}

void LappedTransform::RunBlocks(int32_t* frame, int split) {
  const uint32_t size = hop_ >> split;
  for (uint32_t at = 0; at < hop_; at += size) {
    dcts_[static_cast<size_t>(split)].Run(frame + at, scratch_.data());
  }
}

}  // namespace godwit::audio
