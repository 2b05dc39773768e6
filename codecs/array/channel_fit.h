// codecs/array/channel_fit.h: which components of the channels are worth coding.
#pragma once

#include <cstdint>
#include <vector>

#include "codecs/array/wavelet_tile.h"

namespace godwit::array {

// `values` are channel after channel; `step` is that of the quantiser, in their units. Fills the
// mix of `tile` (precision 0 where it does not pay), and returns the components' samples.
std::vector<int32_t> FitMix(const std::vector<int32_t>& values, double step, WaveletTile& tile);

}  // namespace godwit::array
