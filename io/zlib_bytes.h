// io/zlib_bytes.h: small zlib streams, as PNG wraps its metadata in.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

// kTruncated, kUnreadable; kOverLimit where more than `max_bytes` come out.
Result<Bytes> Inflate(std::span<const std::byte> packed, uint64_t max_bytes);

Result<Bytes> Deflate(std::span<const std::byte> bytes);

}  // namespace godwit
