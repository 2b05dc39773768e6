// codecs/image/swift_msssim_weights.h: what an error in a coefficient costs in MS-SSIM, for
// searches that aim at that instead of squared error.
#pragma once

#include "codecs/image/swift_latent_tile.h"

namespace godwit::swift {

// Sets tile.weight from tile.coefficient, by WeighForMsssim(); tile.variance is scratch. Chroma,
// which the metric does not see, has a quarter of its place in luma.
void SetMsssimWeights(LatentTile& tile);

}  // namespace godwit::swift
