// io/byte_source.h: the bytes of a file, of standard input or of memory, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "io/owned_fd.h"

namespace godwit {

// Reading calls return fewer bytes at the end and after an error; status() tells which.
class ByteSource {
 public:
  static constexpr size_t kMaxPeek = 4096;

  // "-" is standard input. kUnreadable says why; the caller names the path.
  static Result<ByteSource> Open(const std::string& path);
  // Borrows `bytes`.
  static ByteSource Over(std::span<const std::byte> bytes);

  // Up to `count` <= kMaxPeek of the next bytes, which stay untaken; valid until the next call.
  std::span<const std::byte> Peek(size_t count);
  // Takes the next bytes, out.size() of them unless the end is nearer.
  size_t Read(std::span<std::byte> out);
  // Takes one byte; -1 at the end.
  int Get();
  // Takes whatever is at hand, at least one byte unless at the end; valid until the next call.
  std::span<const std::byte> TakeBlock();
  // Fills `out` from a place counted from the start, leaving the order alone. False where the
  // source ends before or, like a pipe, cannot be searched.
  bool ReadAt(uint64_t offset, std::span<std::byte> out) const;

  uint64_t offset() const { return taken_; }  // bytes taken so far
  const Status& status() const { return status_; }

 private:
  ByteSource() = default;
  void Take(size_t count);
  bool Refill();  // puts more bytes behind those ahead; false at the end

  OwnedFd fd_;           // none where memory is read
  uint64_t origin_ = 0;  // of offset 0 in the file
  std::span<const std::byte> memory_;
  Bytes buffer_;
  std::span<const std::byte> ahead_;  // read but not taken; in buffer_ or memory_
  uint64_t taken_ = 0;
  Status status_;
};

}  // namespace godwit
