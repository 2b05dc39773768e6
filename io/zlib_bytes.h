// io/zlib_bytes.h: whole zlib streams, as PNG wraps its metadata in, and gzip files.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"

namespace godwit {

enum class ZlibWrapper : uint8_t { kZlib, kGzip };

// kTruncated, kUnreadable; kOverLimit where more than `max_bytes` come out. What follows the stream
// is not looked at.
Result<Bytes> Inflate(std::span<const std::byte> packed, uint64_t max_bytes,
                      ZlibWrapper wrapper = ZlibWrapper::kZlib);

Result<Bytes> Deflate(std::span<const std::byte> bytes);

}  // namespace godwit
