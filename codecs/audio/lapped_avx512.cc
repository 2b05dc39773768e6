#if defined(__x86_64__)

#include "codecs/audio/lapped_kernels.h"

#define GODWIT_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

namespace godwit::audio {
namespace {

#include "codecs/audio/lapped_passes.inc"

}  // namespace

constinit const LappedKernels lapped_internal::kAvx512Kernels = kKernels;

}  // namespace godwit::audio

#endif  // defined(__x86_64__)
