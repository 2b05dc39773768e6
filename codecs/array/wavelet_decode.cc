#include "codecs/array/wavelet_decode.h"

#include <bit>
#include <type_traits>

#include "codecs/array/slice_synthesis.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_tile.h"

namespace godwit::array {
namespace {

Status ReadSymbols(BitReader& reader, const WaveletModel& start, WaveletTile& tile) {
  WaveletModel model = start;
  SymbolCoder symbols(model);
  tile.symbols.resize(tile.bands.size() * static_cast<size_t>(tile.components));
  for (size_t b = 0; b < tile.bands.size(); ++b) {
    for (size_t k = 0; k < static_cast<size_t>(tile.components); ++k) {
      tile.symbols[k * tile.bands.size() + b].Create(tile.bands[b].size, tile.shape.sides,
                                                     tile.bands[b].high == 0);
      BandWalk walk(tile.shape, tile.bands, tile.symbols, b, k);
      walk.ForEach(
          [&](const SymbolContext& c, int64_t, int32_t) { return symbols.Code(reader, c, 0); });
    }
  }
  CodePoints(reader, tile);
  return reader.Finish();
}

Status Corrected(const ArraySynthesis& synthesis, const ArrayHeader& header,
                 const WaveletTile& tile, std::vector<int32_t>& components) {
  // Components of a mix are no samples of a type.
  const ValueBounds bounds = tile.mix_precision == 0 ? BoundsOf(header.map) : ValueBounds{};
  for (int64_t k = 0; k < tile.components; ++k) {
    GODWIT_RETURN_IF_ERROR(CorrectSlices(synthesis, BestSimdLevel(), tile.shape, header.map.step,
                                         bounds, components.data() + k * tile.shape.count()));
  }
  return {};
}

}  // namespace

Result<WaveletTile> ReadWaveletTile(BitReader& reader, const ArrayHeader& header,
                                    const WaveletModel& start, const BoxOrder& order,
                                    TileExceptions& exceptions) {
  CodeExceptions(reader, GeometryOf(order), exceptions.mask, exceptions.bits,
                 header.type == SampleType::kF64 ? &exceptions.lower : nullptr);
  WaveletTile tile;
  tile.shape = ShapeOf(header, order);
  tile.bands = BandsOf(tile.shape);
  tile.channels = order.channels;
  GODWIT_RETURN_IF_ERROR(CodeMix(reader, tile));
  GODWIT_RETURN_IF_ERROR(ReadSymbols(reader, start, tile));
  return tile;
}

Status DecodeWaveletTile(BitReader& reader, const ArrayHeader& header, const WaveletModel& start,
                         const ArraySynthesis* synthesis, const Box& box, const Box& part,
                         NdArray& out, const Box& whole) {
  const BoxOrder order = OrderOf(header, box);
  TileExceptions exceptions;
  GODWIT_ASSIGN_OR_RETURN(const WaveletTile tile,
                          ReadWaveletTile(reader, header, start, order, exceptions));
  std::vector<int32_t> components = SynthesisedComponents(tile, header.map.step, BestSimdLevel());
  if (synthesis != nullptr) {
    GODWIT_RETURN_IF_ERROR(
        Corrected(*synthesis, header, tile, components).WithPrefix("synthesis: "));
  }
  const std::vector<int32_t> values = MixedChannels(tile, std::move(components));
  WithSampleType(header.type, [&](auto type) {
    using T = decltype(type);
    T* const samples = out.As<T>();
    ForEachSample(header, whole, box, part, StepsInBoxes(order), [&](int64_t to, int64_t from) {
      const int32_t v = values[static_cast<size_t>(from)];
      if constexpr (std::is_integral_v<T>) {
        samples[to] = static_cast<T>(IntegerFromWhole(header.map, v));
      } else {
        samples[to] = std::is_same_v<T, double> ? static_cast<T>(DoubleFromWhole(header.map, v))
                                                : static_cast<T>(FloatFromWhole(header.map, v));
      }
    });
    if constexpr (!std::is_integral_v<T>) {
      if (exceptions.mask.empty()) return;
      ForEachSample(header, whole, box, part, StepsInPlanes(order), [&](int64_t to, int64_t from) {
        const auto i = static_cast<size_t>(from);
        if (exceptions.mask[i] == 0) return;
        if constexpr (std::is_same_v<T, float>) {
          samples[to] = std::bit_cast<float>(exceptions.bits[i]);
        } else {
          samples[to] = DoubleOf(exceptions.bits[i], exceptions.lower[i]);
        }
      });
    }
  });
  return {};
}

}  // namespace godwit::array
