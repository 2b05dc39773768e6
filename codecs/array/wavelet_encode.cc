#include "codecs/array/wavelet_encode.h"

#include <algorithm>
#include <cmath>

#include "codecs/array/channel_fit.h"
#include "codecs/array/symbol_writer.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/unit_load.h"
#include "codecs/array/wavelet_tile.h"

namespace godwit::array {
namespace {

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

}  // namespace

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
  const std::vector<int32_t> values = LoadUnits(array, header, part, order).values;
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
  UnitSamples loaded = LoadUnits(array, header, box, order);
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
  std::vector<double> inverses;
  for (const WaveletBand& band : tile.bands) {
    inverses.push_back(65536.0 / static_cast<double>(BandStep(header.map.step, band)));
  }
  return WriteGrowing(parts.size() + (size_t{1} << 16), [&](BitWriter& writer) -> Status {
    writer.CodeRaw(static_cast<uint32_t>(TileMethod::kWavelet), 4);
    CodeExceptions(writer, GeometryOf(order), loaded.exceptions, loaded.bits,
                   header.type == SampleType::kF64 ? &loaded.lower : nullptr);
    GODWIT_RETURN_IF_ERROR(CodeMix(writer, tile));
    SymbolWriter symbols(tile, inverses, start, parts);
    symbols.Code(writer);
    if (end != nullptr) *end = symbols.model();
    return {};
  });
}

}  // namespace godwit::array
