// The scalar kernels are the definition.
#include "codecs/image/swift_band_context.h"

#include <algorithm>
#include <cstdlib>

namespace godwit::swift {
namespace {

constexpr std::array<BlockEdges, kChannels> MakePatterns() {
  std::array<BlockEdges, kChannels> table{};
  for (size_t c = 0; c < kChannels; ++c) {
    const size_t u = c >> 3, v = c & 7;
    table[c].left[v] = kEdge[u];
    table[c].right[v] = static_cast<int16_t>(u % 2 != 0 ? -kEdge[u] : kEdge[u]);
    table[c].top[u] = kEdge[v];
    table[c].bottom[u] = static_cast<int16_t>(v % 2 != 0 ? -kEdge[v] : kEdge[v]);
  }
  return table;
}

int Saturate16(int v) { return std::clamp(v, -32768, 32767); }

void ContextsScalar(int band, const BandWeights& w, const BandNeighbours& n, BandContexts& out) {
  const auto bz = static_cast<size_t>(band);
  const auto& at = kInBlock[bz];
  const Band& table = kBandTable[bz];
  out = {};
  for (size_t i = 0; i < table.size; ++i) {
    const auto u = static_cast<size_t>(table.channel[i] >> 3),
               v = static_cast<size_t>(table.channel[i] & 7);
    const auto small = [i](const int8_t* p) {
      return p != nullptr ? std::clamp<int>(p[i], -15, 15) : 0;
    };
    const int mean[6] = {Saturate16(n.west->right[v] - n.here->left[v]),
                         Saturate16(n.north->bottom[u] - n.here->top[u]),
                         Saturate16(n.east->left[v] - n.here->right[v]),
                         n.south != nullptr ? Saturate16(n.south->top[u] - n.here->bottom[u]) : 0,
                         small(n.luma),
                         small(n.other)};
    int t = 512;
    for (size_t k = 0; k < 6; ++k) t += w.mean[k][i] * mean[k];
    t = std::clamp(t >> 10, -4095, 4095);
    out.mean[i] = static_cast<int16_t>(t);
    const auto in_block = [&](size_t f) {
      return at[f][i] == kNone ? 0 : std::abs(int{n.block[at[f][i]]});
    };
    const auto magnitude = [i](const int8_t* p) { return p != nullptr ? std::abs(int{p[i]}) : 0; };
    const int features[kMagnitudeSlots] = {magnitude(n.left),
                                           magnitude(n.up),
                                           magnitude(n.up_left),
                                           magnitude(n.up_right),
                                           in_block(0),
                                           in_block(1),
                                           in_block(2),
                                           in_block(3),
                                           in_block(4),
                                           magnitude(n.luma),
                                           magnitude(n.other),
                                           std::min(std::abs(t) >> 2, 127),
                                           n.scale};
    int sum = w.bias[i];
    for (size_t k = 0; k < kMagnitudeSlots; ++k) sum += w.magnitude[k][i] * features[k];
    out.scale_class[i] =
        static_cast<uint8_t>(ScaleClass(static_cast<uint32_t>(std::min(sum, 32767))));
  }
}

}  // namespace

const std::array<BlockEdges, kChannels> BlockEdges::kPattern = MakePatterns();

namespace band_context_internal {

GatheredBand GatherScalar(int band, const int16_t* symbols, int16_t* values, int8_t* bytes) {
  const Band& table = kBandTable[static_cast<size_t>(band)];
  GatheredBand out;
  std::fill_n(values, kLanes, int16_t{0});
  std::fill_n(bytes, kLanes, int8_t{0});
  for (size_t i = 0; i < table.size; ++i) {
    const int16_t value = symbols[table.channel[i]];
    values[i] = value;
    bytes[i] = static_cast<int8_t>(std::clamp<int>(value, -127, 127));
    out.nonzero = static_cast<uint16_t>(out.nonzero | (value != 0) << i);
    out.sum = static_cast<uint16_t>(out.sum + std::abs(int{bytes[i]}));
  }
  return out;
}

const BandKernels kScalarBandKernels{ContextsScalar, GatherScalar, DecideScalar,
                                     DecideBlocksScalar};
}  // namespace band_context_internal

void BandWeights::Pack() {
  constexpr std::array<std::array<size_t, 4>, 4> kQuads = {{{kLeft, kUp, kUpLeft, kUpRight},
                                                            {kLower0, kLower1, kLowest0, kLowest1},
                                                            {kLowest2, kLuma, kOther, kMean},
                                                            {kScale, kScale, kScale, kScale}}};
  for (size_t i = 0; i < kLanes; ++i) {
    for (size_t q = 0; q < 4; ++q) {
      for (size_t k = 0; k < 4; ++k)
        quads[q][i][k] = q == 3 && k > 0 ? 0 : magnitude[kQuads[q][k]][i];
      if (q < 3) mean_pairs[q][i] = {mean[2 * q][i], mean[2 * q + 1][i]};
    }
  }
}

const BandKernels& BandKernelsFor(SimdLevel level) {
  using namespace band_context_internal;
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return kAvx512BandKernels;
  if (level == SimdLevel::kAvx2) return kAvx2BandKernels;
#endif
  (void)level;
  return kScalarBandKernels;
}

}  // namespace godwit::swift
