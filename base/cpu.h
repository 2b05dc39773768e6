// base/cpu.h: which SIMD kernels this machine may run. Results never depend on it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace godwit {

enum class SimdLevel : uint8_t {
  kScalar,  // the definition
  kAvx2,    // AVX2, BMI 1 and 2, LZCNT, POPCNT
  kAvx512,  // these and AVX-512 F, BW, DQ, VL, VBMI and VNNI
};

std::string_view SimdLevelName(SimdLevel level);

// The best level of this machine, capped by GODWIT_CPU=scalar|avx2|avx512. Read once.
SimdLevel BestSimdLevel();

// Every level that this machine can run, scalar first; GODWIT_CPU does not cap it. For tests.
std::vector<SimdLevel> SupportedSimdLevels();

}  // namespace godwit
