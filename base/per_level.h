// base/per_level.h: plain loops, compiled once per SIMD level; the compiler makes the vectors.
#pragma once

#include "base/cpu.h"

namespace godwit {
namespace per_level_internal {

#if defined(__x86_64__)
template <auto kLoop, typename... Args>
__attribute__((flatten, target("avx2,bmi,bmi2,lzcnt,popcnt"))) void RunAvx2(Args&... args) {
  kLoop(args...);
}
template <auto kLoop, typename... Args>
__attribute__((flatten, target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt"))) void
RunAvx512(Args&... args) {
  kLoop(args...);
}
#endif

}  // namespace per_level_internal

// Calls kLoop(args...) as compiled for `level`, with all that it calls and the compiler can see,
// lambdas only where they are __attribute__((always_inline)). What it calls through pointers, and
// what is noinline, stays as it is compiled for every machine.
template <auto kLoop, typename... Args>
void RunPerLevel(SimdLevel level, Args&... args) {
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx512) return per_level_internal::RunAvx512<kLoop>(args...);
  if (level == SimdLevel::kAvx2) return per_level_internal::RunAvx2<kLoop>(args...);
#endif
  (void)level;
  kLoop(args...);
}

}  // namespace godwit
