#include "codecs/array/live_encode.h"

#include <algorithm>
#include <string>

#include "codecs/array/live_tile.h"
#include "codecs/array/step_scale.h"
#include "codecs/array/symbol_writer.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/unit_load.h"
#include "transforms/packets.h"

namespace godwit::array {
namespace {

// Samples of a channel to companded coefficients.
void Analyse(const LiveModel& model, const LiftingKernels& lifting, const WaveletTile& tile,
             uint64_t step, int32_t* channel, std::vector<int32_t>& scratch) {
  const PacketAxis axis{tile.shape.count(), model.levels};
  ForwardPackets(lifting, Wavelet::k97, {&axis, 1}, channel, scratch);
  for (const WaveletBand& band : tile.bands) {
    const StepScale scale(static_cast<uint64_t>(BandStep(step, band)));
    int32_t* const to = channel + band.begin[2];
    for (int64_t x = 0; x < band.size[2]; ++x) {
      const int64_t v = std::clamp<int64_t>(to[x], -kMaxLatent, kMaxLatent);
      to[x] = model.curve.Companded(scale.Scaled(static_cast<int32_t>(v)));
    }
  }
}

// To what was predicted of a band.
void AddSymbols(const WaveletTile& tile, size_t component, size_t b, int32_t* channel) {
  const BandSymbols& s = tile.symbols[component * tile.bands.size() + b];
  const int32_t* const from = s.symbols.data() + s.At(0, 0, 0);
  int32_t* const to = channel + tile.bands[b].begin[2];
  for (int64_t x = 0; x < tile.bands[b].size[2]; ++x) {
    const int64_t v = int64_t{to[x]} + LatentOf(from[x]);
    to[x] = static_cast<int32_t>(std::clamp(v, -kMaxLatent, kMaxLatent));
  }
}

}  // namespace

Status CheckLiveShape(const ArrayHeader& header, const ArrayModel& model) {
  const BoxOrder order = OrderOf(header, WholeBox(header));
  if (order.height > 1 || order.places > 1) {
    return Status(StatusCode::kUnsupported,
                  "the live method is for one axis and channels: say which with --axes");
  }
  const int64_t group = model.live()->channels;
  if (order.channels % group == 0) return {};
  return Status(StatusCode::kUnsupported, "the model is for groups of " + std::to_string(group) +
                                              " channels, the array has " +
                                              std::to_string(order.channels));
}

Result<Bytes> EncodeLiveTile(const NdArray& array, const ArrayHeader& header,
                             const ArrayModel& model, SimdLevel simd, const WaveletModel& start,
                             int64_t index) {
  const LiveModel& live = *model.live();
  const Box box = TileBox(header, index);
  const BoxOrder order = OrderOf(header, box);
  UnitSamples loaded = LoadUnits(array, header, box, order);
  WaveletTile tile = LiveTile(order, live.levels);
  const auto length = static_cast<size_t>(tile.shape.count());
  const auto width = static_cast<size_t>(order.width);
  std::vector<int32_t> latents(length * static_cast<size_t>(order.channels));
  std::vector<int32_t> seen(length * static_cast<size_t>(live.channels));
  const PacketAxis axis{tile.shape.count(), live.levels};
  const LiftingKernels& lifting = LiftingKernelsFor(simd);
  std::vector<int32_t> scratch(PacketScratch({&axis, 1}));
  for (int64_t first = 0; first < order.channels; first += live.channels) {
    int32_t* const group = latents.data() + static_cast<size_t>(first) * length;
    for (size_t c = 0; c < static_cast<size_t>(live.channels); ++c) {
      int32_t* const channel = group + c * length;
      const int32_t* const from = loaded.values.data() + (static_cast<size_t>(first) + c) * width;
      std::copy_n(from, width, channel);
      std::fill(channel + width, channel + length, from[width - 1]);
      Analyse(live, lifting, tile, header.map.step, channel, scratch);
    }
    if (!live.analysis) continue;
    for (size_t i = 0; i < seen.size(); ++i) {
      seen[i] = SeenOf(group[i]);
    }
    GODWIT_RETURN_IF_ERROR(CorrectLatents(*live.analysis, simd, tile, live, seen, group));
  }
  // What is coded is what the bands below do not predict, from them as decoders have them.
  std::vector<int32_t> known(live.predict.empty() ? 0 : latents.size()), rest = known;
  std::vector<int64_t> room;
  const auto predict = [&](const WaveletTile& coded, size_t b) {
    for (size_t c = 0; c < static_cast<size_t>(order.channels); ++c) {
      int32_t* const channel = known.data() + c * length;
      if (b > 0) AddSymbols(coded, c, b - 1, channel);
      const auto begin = static_cast<size_t>(coded.bands[b].begin[2]);
      const auto size = static_cast<size_t>(coded.bands[b].size[2]);
      std::fill_n(channel + begin, size, 0);
      AddPredictions(live, coded, b, channel, room);
      for (size_t i = c * length + begin; i < c * length + begin + size; ++i) {
        rest[i] = static_cast<int32_t>(
            std::clamp(int64_t{latents[i]} - known[i], -kMaxLatent, kMaxLatent));
      }
    }
  };
  const std::vector<double> inverses(tile.bands.size(), 1.0 / (1 << kLatentBits));
  return WriteGrowing(latents.size() + (size_t{1} << 16), [&](BitWriter& writer) -> Status {
    writer.CodeRaw(static_cast<uint32_t>(TileMethod::kLive), 4);
    CodeExceptions(writer, GeometryOf(order), loaded.exceptions, loaded.bits,
                   header.type == SampleType::kF64 ? &loaded.lower : nullptr);
    SymbolWriter symbols(tile, inverses, start, live.predict.empty() ? latents : rest);
    symbols.Code(writer, [&](size_t b) {
      if (!live.predict.empty()) predict(tile, b);
    });
    return {};
  });
}

}  // namespace godwit::array
