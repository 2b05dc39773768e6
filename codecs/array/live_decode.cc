#include "codecs/array/live_decode.h"

#include <algorithm>
#include <cstring>

#include "codecs/array/live_tile.h"
#include "codecs/array/tile_syntax.h"
#include "codecs/array/unit_store.h"
#include "codecs/array/wavelet_decode.h"
#include "transforms/packets.h"

namespace godwit::array {
namespace {

// The latents of a group's channels, with what is predicted, and what its network sees; latents are
// then moved to where their magnitudes are in the mean.
void GroupLatents(const LiveModel& model, const WaveletTile& tile, int64_t first,
                  std::vector<int32_t>& seen, std::vector<int64_t>& room, int32_t* latents) {
  const auto symbols = [&](int64_t c, size_t b) {
    const BandSymbols& s = tile.symbols[static_cast<size_t>(first + c) * tile.bands.size() + b];
    return s.symbols.data() + s.At(0, 0, 0);
  };
  for (int64_t c = 0; c < model.channels; ++c) {
    int32_t* const channel = latents + c * tile.shape.count();
    for (size_t b = 0; b < tile.bands.size(); ++b) {
      const WaveletBand& band = tile.bands[b];
      const int32_t* const from = symbols(c, b);
      for (int64_t x = 0; x < band.size[2]; ++x) channel[band.begin[2] + x] = LatentOf(from[x]);
      AddPredictions(model, tile, b, channel, room);
    }
    const size_t first_seen = static_cast<size_t>(c * tile.shape.count());
    for (size_t i = 0; i < static_cast<size_t>(tile.shape.count()); ++i) {
      seen[first_seen + i] = SeenOf(channel[i]);
    }
    for (size_t b = 0; b < tile.bands.size(); ++b) {
      const WaveletBand& band = tile.bands[b];
      const BandPoints& points = tile.points[b];
      const int32_t* const from = symbols(c, b);
      for (int64_t x = 0; x < band.size[2]; ++x) {
        const int32_t q = from[x];
        const int32_t less = q == 0 ? 0 : q == 1 || q == -1 ? points.one : points.more;
        int32_t& v = channel[band.begin[2] + x];
        v = static_cast<int32_t>(
            std::clamp(int64_t{v} - (q < 0 ? -less : less), -kMaxLatent, kMaxLatent));
      }
    }
  }
}

// A latent as what the inverse transform takes; limited to +-2^30.
int32_t CoefficientOf(const ExpansionCurve& curve, int32_t latent, int64_t step) {
  const int32_t expanded = curve.Expanded(latent);
  const int64_t size = expanded < 0 ? -int64_t{expanded} : expanded;
  constexpr int kShift = 16 + kLatentBits;
  constexpr int64_t kMost = int64_t{1} << 30;
  // A product is formed only where it fits.
  const int64_t v = size > (kMost << kShift) / step
                        ? kMost
                        : (size * step + (int64_t{1} << (kShift - 1))) >> kShift;
  return static_cast<int32_t>(expanded < 0 ? -v : v);
}

void Synthesise(const LiveModel& model, SimdLevel simd, const WaveletTile& tile, uint64_t step,
                int32_t* channel, std::vector<int32_t>& scratch) {
  for (const WaveletBand& band : tile.bands) {
    const int64_t band_step = BandStep(step, band);
    int32_t* const to = channel + band.begin[2];
    for (int64_t x = 0; x < band.size[2]; ++x) {
      to[x] = CoefficientOf(model.curve, to[x], band_step);
    }
  }
  const PacketAxis axis{tile.shape.count(), model.levels};
  InversePackets(LiftingKernelsFor(simd), Wavelet::k97, {&axis, 1}, channel, scratch);
}

}  // namespace

Status DecodeLiveTile(BitReader& reader, const ArrayHeader& header, const ArrayModel& model,
                      SimdLevel simd, const Box& box, const Box& part, NdArray& out,
                      const Box& whole) {
  const LiveModel& live = *model.live();
  const BoxOrder order = OrderOf(header, box);
  if (order.channels % live.channels != 0) {
    return Status(StatusCode::kCorrupt, "channels that are no groups of the model's");
  }
  TileExceptions exceptions;
  CodeExceptions(reader, GeometryOf(order), exceptions.mask, exceptions.bits,
                 header.type == SampleType::kF64 ? &exceptions.lower : nullptr);
  WaveletTile tile = LiveTile(order, live.levels);
  GODWIT_RETURN_IF_ERROR(ReadTileSymbols(reader, model.start(), tile));
  const auto length = static_cast<size_t>(tile.shape.count());
  const auto width = static_cast<size_t>(order.width);
  std::vector<int32_t> values(length * static_cast<size_t>(order.channels));
  std::vector<int32_t> seen(length * static_cast<size_t>(live.channels));
  std::vector<int64_t> room;
  const PacketAxis axis{tile.shape.count(), live.levels};
  std::vector<int32_t> scratch(PacketScratch({&axis, 1}));
  for (int64_t first = 0; first < order.channels; first += live.channels) {
    int32_t* const group = values.data() + static_cast<size_t>(first) * length;
    GroupLatents(live, tile, first, seen, room, group);
    if (live.synthesis) {
      GODWIT_RETURN_IF_ERROR(CorrectLatents(*live.synthesis, simd, tile, live, seen, group));
    }
    for (int64_t c = 0; c < live.channels; ++c) {
      int32_t* const channel = group + static_cast<size_t>(c) * length;
      Synthesise(live, simd, tile, header.map.step, channel, scratch);
      // Without the padding, behind the channel before.
      std::memmove(values.data() + static_cast<size_t>(first + c) * width, channel,
                   width * sizeof(int32_t));
    }
  }
  StoreUnits(header, values, exceptions, box, part, out, whole);
  return {};
}

}  // namespace godwit::array
