// base/crc32c.h: CRC-32C (Castagnoli, reflected, polynomial 0x1EDC6F41), as in iSCSI (RFC 3720).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit {

// CRC-32C of `bytes`, continuing from the CRC of what came before (0 at the start).
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace godwit
