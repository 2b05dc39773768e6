#include "tensor/conv_kernels.h"

#include "tensor/conv_pack.h"

namespace godwit {

const ConvKernels& ConvKernelsFor(SimdLevel level) {
  static constexpr ConvKernels kScalar{PackConvScalar, RunConvScalar, nullptr};
#if defined(__x86_64__)
  static constexpr ConvKernels kAvx2{PackConvAvx2, RunConvAvx2, nullptr};
  static constexpr ConvKernels kAvx512{PackConvAvx512, RunConvAvx512, RunRestingAvx512};
  if (level == SimdLevel::kAvx512) return kAvx512;
  if (level == SimdLevel::kAvx2) return kAvx2;
#endif
  (void)level;
  return kScalar;
}

}  // namespace godwit
