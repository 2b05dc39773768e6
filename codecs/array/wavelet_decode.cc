#include "codecs/array/wavelet_decode.h"

#include "codecs/array/slice_synthesis.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/wavelet_tile.h"

namespace godwit::array {
namespace {

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

Status ReadTileSymbols(BitReader& reader, const WaveletModel& start, WaveletTile& tile) {
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
  GODWIT_RETURN_IF_ERROR(ReadTileSymbols(reader, start, tile));
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
  StoreUnits(header, values, exceptions, box, part, out, whole);
  return {};
}

}  // namespace godwit::array
