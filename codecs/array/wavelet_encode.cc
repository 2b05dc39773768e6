#include "codecs/array/wavelet_encode.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "codecs/array/channel_fit.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_tile.h"

namespace godwit::array {
namespace {

constexpr int kValueBits = 20;  // of the range of samples

// What a bit is worth in squared steps. Measured: see docs/format/array.md section 11.
constexpr double kLambda = 0.065;

// Whether a sample may be so many units; of f64 the largest may not, and are sent as they are.
bool HasUnits(double sample) { return std::abs(sample) < 0x1p970; }

// Samples in units, channel after channel; those that have none take the value before them.
struct Loaded {
  std::vector<int32_t> values;
  std::vector<uint8_t> exceptions;  // with room, as predicted tiles have it
  std::vector<int32_t> bits;        // of f64 their upper halves
  std::vector<uint32_t> lower;      // and their lower ones
};

void KeepBits(float v, size_t at, Loaded& loaded) { loaded.bits[at] = std::bit_cast<int32_t>(v); }
void KeepBits(double v, size_t at, Loaded& loaded) {
  const auto bits = std::bit_cast<uint64_t>(v);
  loaded.bits[at] = static_cast<int32_t>(bits >> 32);
  loaded.lower[at] = static_cast<uint32_t>(bits);
}

int32_t UnitsOf(const ValueMap& map, double sample) {
  const double units = std::ldexp(sample, -map.exponent) - static_cast<double>(map.offset);
  return static_cast<int32_t>(std::lround(std::clamp(units, -1e9, 1e9)));
}

Loaded Load(const NdArray& array, const ArrayHeader& header, const Box& box,
            const BoxOrder& order) {
  const Box whole = WholeBox(header);
  Loaded loaded;
  loaded.values.resize(
      static_cast<size_t>(order.channels * order.places * order.height * order.width));
  WithSampleType(header.type, [&](auto type) {
    using T = decltype(type);
    const T* const samples = array.As<T>();
    int32_t last = 0;
    bool finite = true;
    ForEachSample(header, whole, box, box, StepsInBoxes(order), [&](int64_t from, int64_t to) {
      const auto v = static_cast<double>(samples[from]);
      if (HasUnits(v)) {
        last = UnitsOf(header.map, v);
      } else {
        finite = false;
      }
      loaded.values[static_cast<size_t>(to)] = last;
    });
    if constexpr (!std::is_integral_v<T>) {
      if (finite) return;
      const auto size = static_cast<size_t>(GeometryOf(order).size());
      loaded.exceptions.resize(size);
      loaded.bits.resize(size);
      if (std::is_same_v<T, double>) loaded.lower.resize(size);
      ForEachSample(header, whole, box, box, StepsInPlanes(order), [&](int64_t from, int64_t to) {
        if (HasUnits(static_cast<double>(samples[from]))) return;
        loaded.exceptions[static_cast<size_t>(to)] = 1;
        KeepBits(samples[from], static_cast<size_t>(to), loaded);
      });
    }
  });
  return loaded;
}

// About as many bits as coefficients take, for comparing.
double CostOf(const WaveletShape& shape, uint64_t step, const std::vector<int32_t>& coefficients) {
  double bits = 0;
  for (const WaveletBand& band : BandsOf(shape)) {
    const double inverse = 65536.0 / static_cast<double>(BandStep(step, band));
    for (int64_t z = 0; z < band.size[0]; ++z) {
      for (int64_t y = 0; y < band.size[1]; ++y) {
        const int32_t* const row =
            coefficients.data() +
            ((band.begin[0] + z) * shape.sides[1] + band.begin[1] + y) * shape.sides[2] +
            band.begin[2];
        for (int64_t x = 0; x < band.size[2]; ++x) {
          const double size = row[x] * inverse;
          bits += std::log2(1 + size * size);
        }
      }
    }
  }
  return bits;
}

// Where magnitudes of a band came to lie in their steps.
struct Centres {
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

class TileWriter {
 public:
  TileWriter(WaveletTile& tile, uint64_t step, const WaveletModel& start,
             const std::vector<int32_t>& coefficients)
      : tile_(tile), step_(step), model_(start), symbols_(model_), coefficients_(coefficients) {}

  void Code(BitWriter& writer) {
    tile_.symbols.resize(tile_.bands.size() * static_cast<size_t>(tile_.components));
    tile_.points.resize(tile_.bands.size());
    for (size_t b = 0; b < tile_.bands.size(); ++b) {
      Centres centres;
      for (size_t k = 0; k < static_cast<size_t>(tile_.components); ++k) {
        CodeBand(writer, b, k, centres);
      }
      tile_.points[b] = centres.Points();
    }
    CodePoints(writer, tile_);
  }
  const WaveletModel& model() const { return model_; }

 private:
  void CodeBand(BitWriter& writer, size_t b, size_t k, Centres& centres) {
    const WaveletBand& band = tile_.bands[b];
    const std::array<int64_t, 3>& sides = tile_.shape.sides;
    BandSymbols& here = tile_.symbols[k * tile_.bands.size() + b];
    here.Create(band.size, sides, band.high == 0);
    const double inverse = 65536.0 / static_cast<double>(BandStep(step_, band));
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

  static int32_t Limited(double size) {
    return static_cast<int32_t>(std::min<double>(size, kMaxSymbol / 4));
  }
  // The nearest magnitude, or the one below it where its bits are worth more than its error.
  int32_t Decided(const SymbolContext& c, double size) const {
    const int32_t nearest = Limited(std::floor(size + 0.5));
    if (nearest == 0 || c.shift > 0) return nearest;
    const double above = size - nearest, below = size - (nearest - 1);
    const double error = below * below - above * above;
    return kLambda * symbols_.StepBits(c, nearest) > error ? nearest - 1 : nearest;
  }

  WaveletTile& tile_;
  const uint64_t step_;
  WaveletModel model_;
  SymbolCoder symbols_;
  const std::vector<int32_t>& coefficients_;
};

}  // namespace

ValueMap WaveletMap(const NdArray& array, double step) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  WithSampleType(array.type, [&](auto type) {
    using T = decltype(type);
    const T* const samples = array.As<T>();
    const size_t count = array.data.size() / sizeof(T);
    for (size_t i = 0; i < count; ++i) {
      const auto v = static_cast<double>(samples[i]);
      if (!HasUnits(v)) continue;
      least = std::min(least, v);
      largest = std::max(largest, v);
    }
  });
  if (least > largest) least = largest = 0;
  ValueMap map;
  map.kind = MapKind::kWavelet;
  map.type = array.type;
  int bits = 0;
  std::frexp(std::max(largest - least, step), &bits);  // the range is below 2^bits
  const auto [least_exponent, largest_exponent] = ExponentsOf(array.type);
  // The offset must be a number of units below 2^50, too.
  int offset_bits = 0;
  std::frexp(std::max(std::abs(least), std::abs(largest)), &offset_bits);
  map.exponent =
      std::clamp(std::max(bits - kValueBits, offset_bits - 49), least_exponent, largest_exponent);
  map.offset = std::llround(std::ldexp(least / 2 + largest / 2, -map.exponent));
  const double units = std::ldexp(step, 16 - map.exponent);
  map.step = static_cast<uint64_t>(std::clamp(std::round(units), 256.0, std::ldexp(1, 40)));
  return map;
}

WaveletLevels ChooseLevels(const NdArray& array, ArrayHeader header) {
  // A part of one channel: what axes there are decides how much of each.
  const Box whole = WholeBox(header);
  int axes = 0;
  for (size_t i = 0; i < 4; ++i)
    axes += !IsChannelAxis(header, static_cast<int>(i)) && whole.size[i] > 1;
  const int64_t most = axes <= 1 ? 1 << 16 : axes == 2 ? 512 : 96;
  Box part = whole;
  for (size_t i = 0; i < 4; ++i) {
    const int64_t side = IsChannelAxis(header, static_cast<int>(i))
                             ? 1
                             : std::min({most, part.size[i], header.tile[i]});
    part.begin[i] = (part.size[i] - side) / 2;
    part.size[i] = side;
  }
  const BoxOrder order = OrderOf(header, part);
  const std::vector<int32_t> values = Load(array, header, part, order).values;
  header.levels = {6, 6, 6};
  std::vector<int32_t> work, scratch;
  const auto cost = [&] {
    const WaveletShape shape = ShapeOf(header, order);
    work = values;
    scratch.resize(std::max(scratch.size(), WaveletScratch(shape)));
    ForwardWavelet(BestSimdLevel(), shape, work.data(), scratch);
    return CostOf(shape, header.map.step, work);
  };
  double least = cost();
  for (size_t a = 0; a < 3; ++a) {
    uint8_t best = header.levels[a];
    const int there = ShapeOf(header, order).levels[a];
    for (uint8_t n = 0; n < there; ++n) {
      header.levels[a] = n;
      const double bits = cost();
      if (bits < least) {
        least = bits;
        best = n;
      }
    }
    header.levels[a] = best;
  }
  return header.levels;
}

Result<Bytes> EncodeWaveletTile(const NdArray& array, const ArrayHeader& header,
                                const WaveletModel& start, int64_t index, WaveletModel* end) {
  const Box box = TileBox(header, index);
  const BoxOrder order = OrderOf(header, box);
  Loaded loaded = Load(array, header, box, order);
  WaveletTile tile;
  tile.shape = ShapeOf(header, order);
  tile.bands = BandsOf(tile.shape);
  tile.channels = order.channels;
  const double step = static_cast<double>(header.map.step) / 65536;
  std::vector<int32_t> parts = FitMix(loaded.values, step, tile);
  std::vector<int32_t> scratch(WaveletScratch(tile.shape));
  const auto count = static_cast<size_t>(tile.shape.count());
  for (size_t k = 0; k < static_cast<size_t>(tile.components); ++k) {
    ForwardWavelet(BestSimdLevel(), tile.shape, parts.data() + k * count, scratch);
  }
  for (size_t bytes = parts.size() + (size_t{1} << 16);; bytes *= 4) {
    Bytes out(bytes);
    BitWriter writer(out);
    writer.CodeRaw(static_cast<uint32_t>(TileMethod::kWavelet), 4);
    CodeExceptions(writer, GeometryOf(order), loaded.exceptions, loaded.bits,
                   header.type == SampleType::kF64 ? &loaded.lower : nullptr);
    GODWIT_RETURN_IF_ERROR(CodeMix(writer, tile));
    TileWriter coder(tile, header.map.step, start, parts);
    coder.Code(writer);
    const Result<size_t> size = writer.Finish();
    if (!size.ok() && size.status().code() == StatusCode::kOverLimit) continue;
    if (!size.ok()) return size.status();
    out.resize(*size);
    if (end != nullptr) *end = coder.model();
    return out;
  }
}

}  // namespace godwit::array
