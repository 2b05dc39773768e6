// io/owned_fd.h: a file descriptor that closes itself; the three standard ones stay open.
#pragma once

#include <unistd.h>

#include <utility>

namespace godwit {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() { Close(); }
  int get() const { return fd_; }
  // False, with errno set, where the system reports a write that failed late.
  bool Close() {
    const int fd = std::exchange(fd_, -1);
    return fd <= STDERR_FILENO || ::close(fd) == 0;
  }

 private:
  int fd_ = -1;
};

}  // namespace godwit
