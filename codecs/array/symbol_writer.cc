#include "codecs/array/symbol_writer.h"

#include <cmath>

namespace godwit::array {

// Where magnitudes of a band came to lie in their steps.
struct SymbolWriter::Centres {
  double one = 0, more = 0;
  int64_t ones = 0, mores = 0;

  BandPoints Points() const {
    const auto less = [](double sum, int64_t n) {
      if (n == 0) return 0;
      const double mean = -sum / static_cast<double>(n) * (1 << kPointBits);
      return static_cast<int32_t>(std::clamp(std::lround(mean), -31l, 31l));
    };
    return {less(one, ones), less(more, mores)};
  }
};

namespace {

// What a bit is worth in squared steps. Measured: see train/LOG.md 36.
constexpr double kLambda = 0.065;

int32_t Limited(double size) {
  return static_cast<int32_t>(std::min<double>(size, kMaxSymbol / 4));
}

}  // namespace

void SymbolWriter::Prepare() {
  tile_.symbols.resize(tile_.bands.size() * static_cast<size_t>(tile_.components));
  tile_.points.resize(tile_.bands.size());
}

void SymbolWriter::CodeBand(BitWriter& writer, size_t b) {
  Centres centres;
  for (size_t k = 0; k < static_cast<size_t>(tile_.components); ++k) {
    CodeComponent(writer, b, k, centres);
  }
  tile_.points[b] = centres.Points();
}

void SymbolWriter::CodeComponent(BitWriter& writer, size_t b, size_t k, Centres& centres) {
  const WaveletBand& band = tile_.bands[b];
  const std::array<int64_t, 3>& sides = tile_.shape.sides;
  BandSymbols& here = tile_.symbols[k * tile_.bands.size() + b];
  here.Create(band.size, sides, band.high == 0);
  const double inverse = inverses_[b];
  const int32_t* const all = coefficients_.data() + k * static_cast<size_t>(tile_.shape.count());
  BandWalk walk(tile_.shape, tile_.bands, tile_.symbols, b, k);
  int64_t n = 0;
  walk.ForEach([&](const SymbolContext& c, int64_t, int32_t predicted) {
    const int64_t x = n % band.size[2], y = n / band.size[2] % band.size[1];
    const int64_t z = n / (band.size[2] * band.size[1]);
    ++n;
    const int32_t coefficient =
        all[((band.begin[0] + z) * sides[1] + band.begin[1] + y) * sides[2] + band.begin[2] + x];
    const double size = std::abs(coefficient) * inverse;
    int32_t q;
    if (band.high == 0) {
      q = Limited(std::floor(size + 0.5));
      q = coefficient < 0 ? -q : q;
      symbols_.Code(writer, c, q - predicted);
    } else {
      q = Decided(c, size);
      q = coefficient < 0 ? -q : q;
      symbols_.Code(writer, c, q);
    }
    if (std::abs(q) == 1) {
      centres.one += size - 1;
      ++centres.ones;
    } else if (q != 0) {
      centres.more += size - std::abs(q);
      ++centres.mores;
    }
    return q - predicted;
  });
}

// The nearest magnitude, or the one below it where its bits are worth more than its error.
int32_t SymbolWriter::Decided(const SymbolContext& c, double size) const {
  const int32_t nearest = Limited(std::floor(size + 0.5));
  if (nearest == 0 || c.shift > 0) return nearest;
  const double above = size - nearest, below = size - (nearest - 1);
  const double error = below * below - above * above;
  return kLambda * symbols_.StepBits(c, nearest) > error ? nearest - 1 : nearest;
}

}  // namespace godwit::array
