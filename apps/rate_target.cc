#include "apps/rate_target.h"

#include <algorithm>
#include <optional>

#include "codecs/image/image_encoder.h"
#include "fmt/core.h"

namespace godwit {
namespace {

constexpr int kCoarsest = kCoarsestStepIndex;

}  // namespace

Result<EncodedPicture> EncodeToSize(uint64_t max_bytes, int layers, const EncodeAt& encode) {
  uint64_t smallest = UINT64_MAX;
  for (; layers >= 1; --layers) {
    GODWIT_ASSIGN_OR_RETURN(EncodedPicture best, encode(kCoarsest, layers));
    smallest = std::min<uint64_t>(smallest, best.stream.size());
    if (best.stream.size() > max_bytes) continue;
    // Invariant: `best` is that of step `fits`; steps below `low` are not asked any more.
    for (int low = 0, fits = kCoarsest; low < fits;) {
      const int middle = (low + fits) / 2;
      GODWIT_ASSIGN_OR_RETURN(EncodedPicture now, encode(middle, layers));
      if (now.stream.size() <= max_bytes) {
        fits = middle;
        best = std::move(now);
      } else {
        low = middle + 1;
      }
    }
    return best;
  }
  return Status(
      StatusCode::kOverLimit,
      fmt::format("does not fit {} bytes: the smallest file possible has {}", max_bytes, smallest));
}

Result<EncodedPicture> EncodeToPsnr(double psnr_db, int layers, const EncodeAt& encode,
                                    const MeasurePsnr& measure) {
  std::optional<EncodedPicture> best;
  for (int reaches = -1, high = kCoarsest; reaches < high;) {
    const int middle = reaches + (high - reaches + 1) / 2;
    GODWIT_ASSIGN_OR_RETURN(EncodedPicture now, encode(middle, layers));
    GODWIT_ASSIGN_OR_RETURN(now.psnr_db, measure(now.stream));
    if (now.psnr_db >= psnr_db) {
      reaches = middle;
      best = std::move(now);
    } else {
      high = middle - 1;
      if (middle == 0) best = std::move(now);  // the last to be asked, and the best there is
    }
  }
  return *std::move(best);
}

}  // namespace godwit
