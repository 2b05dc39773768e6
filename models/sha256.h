// models/sha256.h: SHA-256 (FIPS 180-4), which names model files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace godwit {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(std::span<const std::byte> bytes);

}  // namespace godwit
