#include <cstdio>

#include "base/cpu.h"
#include "base/crc32c.h"

int main() {
  constexpr char kDigits[] = "123456789";
  const auto bytes = std::as_bytes(std::span(kDigits, 9));
  std::printf("crc32c %08x, %zu SIMD levels\n", godwit::Crc32c(bytes),
              godwit::SupportedSimdLevels().size());
  return godwit::Crc32c(bytes) == 0xE3069283u ? 0 : 1;
}
