#include "io/input_file.h"

#include <new>

#include "io/byte_source.h"

namespace godwit {
namespace {

Result<Bytes> ReadAll(const std::string& path, uint64_t max_bytes) {
  GODWIT_ASSIGN_OR_RETURN(ByteSource source, ByteSource::Open(path));
  Bytes bytes;
  for (;;) {
    const std::span<const std::byte> block = source.TakeBlock();
    if (block.empty()) break;
    if (source.offset() > max_bytes) {
      return Status(StatusCode::kOverLimit,
                    "holds more than the " + std::to_string(max_bytes) + " bytes allowed");
    }
    bytes.insert(bytes.end(), block.begin(), block.end());
  }
  GODWIT_RETURN_IF_ERROR(source.status());
  return bytes;
}

}  // namespace

std::string InputName(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<Bytes> ReadFile(const std::string& path, uint64_t max_bytes) {
  try {
    Result<Bytes> bytes = ReadAll(path, max_bytes);
    if (!bytes.ok()) return bytes.status().WithPrefix(InputName(path) + ": ");
    return bytes;
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kInternal, InputName(path) + ": out of memory");
  }
}

}  // namespace godwit
