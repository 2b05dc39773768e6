#include "codecs/audio/lapped_kernels.h"

#define GODWIT_TARGET

namespace godwit::audio {
namespace {

#include "codecs/audio/lapped_passes.inc"

}  // namespace

constinit const LappedKernels lapped_internal::kScalarKernels = kKernels;

const LappedKernels& LappedKernelsFor(SimdLevel level) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return lapped_internal::kAvx512Kernels;
  if (level == SimdLevel::kAvx2) return lapped_internal::kAvx2Kernels;
#endif
  (void)level;
  return lapped_internal::kScalarKernels;
}

}  // namespace godwit::audio
