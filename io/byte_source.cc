#include "io/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace godwit {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;

}  // namespace

Result<ByteSource> ByteSource::Open(const std::string& path) {
  ByteSource source;
  source.fd_ = OwnedFd(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.fd_.get() < 0) return Status(StatusCode::kUnreadable, std::strerror(errno));
  struct stat about;
  if (::fstat(source.fd_.get(), &about) != 0) {
    return Status(StatusCode::kUnreadable, std::strerror(errno));
  }
  if (S_ISDIR(about.st_mode)) return Status(StatusCode::kUnreadable, "is a directory");
  const off_t origin = ::lseek(source.fd_.get(), 0, SEEK_CUR);
  source.origin_ = origin > 0 ? static_cast<uint64_t>(origin) : 0;
  source.buffer_.resize(kBufferBytes);
  return source;
}

ByteSource ByteSource::Over(std::span<const std::byte> bytes) {
  ByteSource source;
  source.memory_ = source.ahead_ = bytes;
  return source;
}

std::span<const std::byte> ByteSource::Peek(size_t count) {
  assert(count <= kMaxPeek);
  while (ahead_.size() < count && Refill()) {
  }
  return ahead_.first(std::min(count, ahead_.size()));
}

size_t ByteSource::Read(std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size() && (!ahead_.empty() || Refill())) {
    const size_t n = std::min(out.size() - done, ahead_.size());
    std::memcpy(out.data() + done, ahead_.data(), n);
    Take(n);
    done += n;
  }
  return done;
}

int ByteSource::Get() {
  if (ahead_.empty() && !Refill()) return -1;
  const int v = std::to_integer<int>(ahead_[0]);
  Take(1);
  return v;
}

std::span<const std::byte> ByteSource::TakeBlock() {
  if (ahead_.empty()) Refill();
  const std::span<const std::byte> block = ahead_;
  Take(block.size());
  return block;
}

bool ByteSource::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  if (fd_.get() < 0) {
    if (offset > memory_.size() || memory_.size() - offset < out.size()) return false;
    if (!out.empty()) std::memcpy(out.data(), memory_.data() + offset, out.size());
    return true;
  }
  for (size_t done = 0; done < out.size();) {
    const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done,
                              static_cast<off_t>(origin_ + offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

void ByteSource::Take(size_t count) {
  ahead_ = ahead_.subspan(count);
  taken_ += count;
}

bool ByteSource::Refill() {
  if (fd_.get() < 0 || !status_.ok()) return false;
  const size_t kept = ahead_.size();
  assert(kept < buffer_.size());
  if (kept > 0) std::memmove(buffer_.data(), ahead_.data(), kept);
  ssize_t n;
  do {
    n = ::read(fd_.get(), buffer_.data() + kept, buffer_.size() - kept);
  } while (n < 0 && errno == EINTR);
  if (n < 0) {
    status_ = Status(StatusCode::kUnreadable, "reading at byte " + std::to_string(taken_ + kept) +
                                                  ": " + std::strerror(errno));
  }
  ahead_ = std::span(buffer_).first(kept + static_cast<size_t>(std::max<ssize_t>(n, 0)));
  return n > 0;
}

}  // namespace godwit
