// codecs/array/live_tile.h: a tile of the live method; what encoder and decoder share.
// docs/format/array.md section 11.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "codecs/array/array_header.h"
#include "codecs/array/live_model.h"
#include "codecs/array/wavelet_tile.h"

namespace godwit::array {

// Samples of a channel, with those that fill the last position.
inline int64_t PaddedLength(const BoxOrder& order, int levels) {
  return ((order.width + (int64_t{1} << levels) - 1) >> levels) << levels;
}

// A symbol in 1/64; limited to +-2^30.
inline int32_t LatentOf(int32_t symbol) {
  return static_cast<int32_t>(
      std::clamp(int64_t{symbol} * (1 << kLatentBits), -kMaxLatent, kMaxLatent));
}

// A latent as networks see it: in eighths.
inline int32_t SeenOf(int32_t latent) { return (latent + 4) >> 3; }

// Shape, bands and channels of such a tile; bands rise in frequency and lie in natural order.
WaveletTile LiveTile(const BoxOrder& order, int levels);

// What a decoder takes for such a tile, and what its networks take beside it.
uint64_t LiveWorkBytes(const ArrayHeader& header, const BoxOrder& order);
uint64_t LiveNetworkBytes(const LiveModel& model);

// Adds to band b of one channel what the model predicts from the bands below, in latents. `room`
// has a number for each position.
void AddPredictions(const LiveModel& model, const WaveletTile& tile, size_t b, int32_t* channel,
                    std::vector<int64_t>& room);

// Adds a network's corrections, in 1/32 symbols, to the latents, in 1/64, of one group of channels.
// The network sees `seen`. Both are the group's channels one after the other, bands as the tile's
// say. May throw bad_alloc.
Status CorrectLatents(const Network& network, SimdLevel simd, const WaveletTile& tile,
                      const LiveModel& model, const std::vector<int32_t>& seen, int32_t* latents);

}  // namespace godwit::array
