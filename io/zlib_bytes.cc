#include "io/zlib_bytes.h"

#include <zlib.h>

#include <limits>
#include <string>

namespace godwit {
namespace {

struct Inflater {
  z_stream z = {};
  ~Inflater() { inflateEnd(&z); }
};

}  // namespace

Result<Bytes> Inflate(std::span<const std::byte> packed, uint64_t max_bytes, ZlibWrapper wrapper) {
  if (packed.size() > std::numeric_limits<uInt>::max()) {
    return Status(StatusCode::kOverLimit, "zlib stream of 4 GiB or more");
  }
  Inflater inflater;
  z_stream& z = inflater.z;
  constexpr int kWindowBits = 15, kGzipOnly = 16;
  const int bits = kWindowBits + (wrapper == ZlibWrapper::kGzip ? kGzipOnly : 0);
  if (inflateInit2(&z, bits) != Z_OK) return Status(StatusCode::kInternal, "zlib cannot start");
  // Not const-correct without ZLIB_CONST; zlib only reads it.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  Bytes out;
  std::byte block[16 << 10];
  int code = Z_OK;
  while (code == Z_OK && out.size() <= max_bytes) {
    z.next_out = reinterpret_cast<Bytef*>(block);
    z.avail_out = sizeof(block);
    code = inflate(&z, Z_NO_FLUSH);
    out.insert(out.end(), block, block + (sizeof(block) - z.avail_out));
  }
  if (out.size() > max_bytes) {
    return Status(StatusCode::kOverLimit,
                  "zlib stream unpacks to more than " + std::to_string(max_bytes) + " bytes");
  }
  if (code == Z_BUF_ERROR) return Status(StatusCode::kTruncated, "zlib stream ends early");
  if (code != Z_STREAM_END) return Status(StatusCode::kUnreadable, "zlib stream is garbled");
  return out;
}

Result<Bytes> Deflate(std::span<const std::byte> bytes) {
  uLongf size = compressBound(bytes.size());
  Bytes out(size);
  if (compress(reinterpret_cast<Bytef*>(out.data()), &size,
               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != Z_OK) {
    return Status(StatusCode::kInternal, "zlib cannot pack");
  }
  out.resize(size);
  return out;
}

}  // namespace godwit
