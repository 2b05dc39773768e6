// eval/similarity.h: structural similarity, SSIM and MS-SSIM, of one channel. docs/metrics.md has
// the definitions.
#pragma once

#include "eval/picture_planes.h"

namespace godwit {

inline constexpr int64_t kSsimWindow = 11;  // pixels a side; Gaussian, sigma 1.5
inline constexpr int kMsssimScales = 5;
// The shortest side at which the window fits all scales.
inline constexpr int64_t kMsssimMinSide = kSsimWindow << (kMsssimScales - 1);

// Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.
// Both planes of one shape, at least kSsimWindow a side.
double Ssim(const Plane& a, const Plane& b);

// Z. Wang et al., "Multiscale structural similarity for image quality assessment", 2003. At least
// kMsssimMinSide a side.
double Msssim(const Plane& a, const Plane& b);

}  // namespace godwit
