#include "transforms/packets.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace godwit {
namespace {

constexpr size_t kColumns = 64;  // of an axis that is not the last, transformed together

// Rows of `width` adjacent samples: n of them, ceil(n / 2) low ones first and then the high ones.
// Neighbours of a row are `width` away, so that one kernel call does a whole step; whole-sample
// symmetry repeats a row at the ends.
struct Bands {
  int32_t* low;
  int32_t* high;
  size_t lows, highs, width;

  // high[i] from low[i] and low[i + 1].
  template <typename Step>
  void OnHigh(Step step) const {
    const size_t inner = lows - 1;
    step(high, low, low + width, inner * width);
    if (highs > inner) {
      step(high + inner * width, low + inner * width, low + inner * width, width);
    }
  }
  // low[i] from high[i - 1] and high[i].
  template <typename Step>
  void OnLow(Step step) const {
    step(low, high, high, width);
    step(low + width, high, high + width, (highs - 1) * width);
    if (lows > highs) {
      const int32_t* const last = high + (highs - 1) * width;
      step(low + highs * width, last, last, width);
    }
  }
};

void ForwardSteps(const LiftingKernels& k, Wavelet wavelet, const Bands& b) {
  if (wavelet == Wavelet::k53) {
    b.OnHigh(k.predict53);
    b.OnLow(k.update53);
    return;
  }
  const auto lift = [&](size_t i) {
    return [&k, f = k97Factors[i]](int32_t* x, const int32_t* p, const int32_t* q, size_t n) {
      k.lift(x, p, q, n, f);
    };
  };
  b.OnHigh(lift(0));
  b.OnLow(lift(1));
  b.OnHigh(lift(2));
  b.OnLow(lift(3));
}

void InverseSteps(const LiftingKernels& k, Wavelet wavelet, const Bands& b) {
  if (wavelet == Wavelet::k53) {
    b.OnLow(k.unupdate53);
    b.OnHigh(k.unpredict53);
    return;
  }
  const auto unlift = [&](size_t i) {
    return [&k, f = k97Factors[i]](int32_t* x, const int32_t* p, const int32_t* q, size_t n) {
      k.unlift(x, p, q, n, f);
    };
  };
  b.OnLow(unlift(3));
  b.OnHigh(unlift(2));
  b.OnLow(unlift(1));
  b.OnHigh(unlift(0));
}

void CopyRows(const int32_t* from, int32_t* to, size_t rows, size_t width, size_t from_step,
              size_t to_step) {
  for (size_t i = 0; i < rows; ++i) {
    std::memcpy(to + i * to_step * width, from + i * from_step * width, width * sizeof(int32_t));
  }
}

class LineTransform {
 public:
  LineTransform(const LiftingKernels& kernels, Wavelet wavelet, PacketTree tree, int32_t* scratch)
      : kernels_(kernels), wavelet_(wavelet), tree_(tree), scratch_(scratch) {}

  void Forward(int32_t* rows, size_t n, size_t width, int levels) const {
    if (levels == 0 || n < 2) return;
    const Bands bands = In(scratch_, n, width);
    if (width == 1) {
      kernels_.split(rows, n, bands.low, bands.high);
    } else {
      CopyRows(rows, bands.low, bands.lows, width, 2, 1);
      CopyRows(rows + width, bands.high, bands.highs, width, 2, 1);
    }
    ForwardSteps(kernels_, wavelet_, bands);
    std::memcpy(rows, scratch_, n * width * sizeof(int32_t));
    Forward(rows, bands.lows, width, levels - 1);
    if (tree_ == PacketTree::kFull) {
      Forward(rows + bands.lows * width, bands.highs, width, levels - 1);
    }
  }
  void Inverse(int32_t* rows, size_t n, size_t width, int levels) const {
    if (levels == 0 || n < 2) return;
    const Bands bands = In(rows, n, width);
    Inverse(bands.low, bands.lows, width, levels - 1);
    if (tree_ == PacketTree::kFull) Inverse(bands.high, bands.highs, width, levels - 1);
    InverseSteps(kernels_, wavelet_, bands);
    if (width == 1) {
      kernels_.merge(bands.low, bands.high, n, scratch_);
    } else {
      CopyRows(bands.low, scratch_, bands.lows, width, 1, 2);
      CopyRows(bands.high, scratch_ + width, bands.highs, width, 1, 2);
    }
    std::memcpy(rows, scratch_, n * width * sizeof(int32_t));
  }

 private:
  static Bands In(int32_t* rows, size_t n, size_t width) {
    const size_t lows = (n + 1) / 2;
    return {rows, rows + lows * width, lows, n - lows, width};
  }

  const LiftingKernels& kernels_;
  const Wavelet wavelet_;
  const PacketTree tree_;
  int32_t* const scratch_;
};

template <bool kForward>
void TransformAxis(const LiftingKernels& kernels, Wavelet wavelet, std::span<const PacketAxis> axes,
                   size_t which, int32_t* data, std::span<int32_t> scratch) {
  size_t outer = 1, inner = 1;
  for (size_t i = 0; i < which; ++i) outer *= static_cast<size_t>(axes[i].length);
  for (size_t i = which + 1; i < axes.size(); ++i) inner *= static_cast<size_t>(axes[i].length);
  const PacketAxis& axis = axes[which];
  const auto n = static_cast<size_t>(axis.length);
  if (axis.levels == 0 || n < 2 || inner == 0) return;
  const size_t columns = std::min(inner, kColumns);
  int32_t* const block = scratch.data() + n * columns;
  const LineTransform line(kernels, wavelet, axis.tree, scratch.data());
  const auto transform = [&](int32_t* rows, size_t width) {
    if constexpr (kForward) {
      line.Forward(rows, n, width, axis.levels);
    } else {
      line.Inverse(rows, n, width, axis.levels);
    }
  };
  for (size_t o = 0; o < outer; ++o) {
    int32_t* const plane = data + o * n * inner;
    if (inner <= columns) {
      transform(plane, inner);
      continue;
    }
    for (size_t x = 0; x < inner; x += columns) {
      const size_t width = std::min(columns, inner - x);
      for (size_t i = 0; i < n; ++i) {
        std::memcpy(block + i * width, plane + i * inner + x, width * sizeof(int32_t));
      }
      transform(block, width);
      for (size_t i = 0; i < n; ++i) {
        std::memcpy(plane + i * inner + x, block + i * width, width * sizeof(int32_t));
      }
    }
  }
}

}  // namespace

PacketBand PacketBandOf(const PacketAxis& axis, int band) {
  assert(band >= 0 && band < axis.bands());
  PacketBand b{0, axis.length, 0, 0};
  for (int level = 0; level < axis.levels; ++level) {
    const int64_t lows = (b.size + 1) / 2;
    bool high;
    if (axis.tree == PacketTree::kFull) {
      high = (band >> (axis.levels - 1 - level) & 1) != 0;
    } else {
      high = band == axis.levels - level;  // the last band is the first to come off
    }
    if (high) {
      b.begin += lows;
      b.size -= lows;
      ++b.highs;
      if (axis.tree == PacketTree::kLow) break;
    } else {
      b.size = lows;
      ++b.lows;
    }
  }
  return b;
}

size_t PacketScratch(std::span<const PacketAxis> axes) {
  size_t most = 1, inner = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    const auto n = static_cast<size_t>(axes[i].length);
    // As TransformAxis() uses it: a result and, of wide arrays, the columns that are transformed.
    most = std::max(most, inner <= kColumns ? n * inner : 2 * n * kColumns);
    inner *= n;
  }
  return most;
}

void ForwardPackets(const LiftingKernels& kernels, Wavelet wavelet,
                    std::span<const PacketAxis> axes, int32_t* data, std::span<int32_t> scratch) {
  assert(scratch.size() >= PacketScratch(axes));
  for (size_t i = axes.size(); i-- > 0;) {
    TransformAxis<true>(kernels, wavelet, axes, i, data, scratch);
  }
}

void InversePackets(const LiftingKernels& kernels, Wavelet wavelet,
                    std::span<const PacketAxis> axes, int32_t* data, std::span<int32_t> scratch) {
  assert(scratch.size() >= PacketScratch(axes));
  for (size_t i = 0; i < axes.size(); ++i) {
    TransformAxis<false>(kernels, wavelet, axes, i, data, scratch);
  }
}

void WalshHadamard(const LiftingKernels& kernels, int32_t* rows, size_t n, size_t width) {
  assert(std::has_single_bit(n));
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t i = 0; i < n; i += 2 * half) {
      kernels.butterfly(rows + i * width, rows + (i + half) * width, half * width);
    }
  }
}

}  // namespace godwit
