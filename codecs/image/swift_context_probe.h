// codecs/image/swift_context_probe.h: of ContextCoder, the features that a probe sees.
#pragma once

#include "codecs/image/swift_context.h"

namespace godwit::swift {

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeFlag(const FlagRow& r, int64_t x, int left,
                                                    size_t group, bool value) {
  const auto at = [x](const uint8_t* a) { return a != nullptr ? a[x] : 0; };
  const auto around = [&](const uint8_t* a) {
    return a != nullptr ? a[x - 1] + a[x + 1] + a[x - r.pitch] + a[x + r.below] : 0;
  };
  const int features[kFlagFeatures] = {
      left,
      r.same[x - r.pitch],
      r.same[x - r.pitch - 1] + r.same[x - r.pitch + 1],
      at(r.lower),
      around(r.lower),
      r.activity != nullptr ? r.activity[x / kCellBlocks] : at(r.lowest),
      around(r.lowest),
      at(r.luma),
      around(r.luma),
      at(r.other)};
  probe_.Flag(static_cast<int>(group), features, value);
}

template <typename Coder, bool kDecode, typename Probe>
void ContextCoder<Coder, kDecode, Probe>::ProbeSymbol(int plane, int band, size_t i, bool seen,
                                                      const BandNeighbours& n, int t, int value) {
  const auto bz = static_cast<size_t>(band);
  const int c = kBandTable[bz].channel[i];
  const auto u = static_cast<size_t>(c >> 3), v = static_cast<size_t>(c & 7);
  const auto in_block = [&](size_t feature) {
    const uint8_t position = kInBlock[bz][feature][i];
    return position == kNone ? 0 : std::abs(int{n.block[position]});
  };
  const auto size = [i](const int8_t* p) { return p != nullptr ? std::abs(int{p[i]}) : 0; };
  const auto small = [i](const int8_t* p) {
    return p != nullptr ? std::clamp<int>(p[i], -15, 15) : 0;
  };
  const int mean[kMeanFeatures] = {n.west->right[v] - n.here->left[v],
                                   n.north->bottom[u] - n.here->top[u],
                                   n.east->left[v] - n.here->right[v],
                                   n.south != nullptr ? n.south->top[u] - n.here->bottom[u] : 0,
                                   small(n.luma),
                                   small(n.other)};
  const int features[kSymbolFeatures] = {
      size(n.left), size(n.up),    size(n.up_left) + size(n.up_right), in_block(0),
      in_block(1),  in_block(2),   in_block(3) + in_block(4),          n.scale,
      size(n.luma), size(n.other), std::min(std::abs(t) >> 2, 127)};
  probe_.Symbol((plane * kChannels + c) | (seen ? 256 : 0), features, mean, value);
}

}  // namespace godwit::swift
