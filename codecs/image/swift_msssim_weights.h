// codecs/image/swift_msssim_weights.h: what an error in a coefficient costs in MS-SSIM, for
// searches that aim at that instead of squared error.
#pragma once

#include "codecs/image/swift_latent_tile.h"

namespace godwit::swift {

// Sets tile.weight from tile.coefficient; tile.variance is scratch. MS-SSIM (Wang, Simoncelli,
// Bovik 2003, on luma) multiplies over scales s what the means of 1 - E / (2 V + C2) are to the
// power w_s, for an error of local energy E where the picture's local variance is V, both as that
// scale shows them. So an error counts by the scales that show its frequency, and less where much
// goes on. The weights are the 3/4 power of that: the whole of it gives no more MS-SSIM a bit and
// twice the loss of PSNR. Chroma, which the metric does not see, has a quarter of its place in
// luma.
void SetMsssimWeights(LatentTile& tile);

}  // namespace godwit::swift
