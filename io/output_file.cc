#include "io/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

#include "io/owned_fd.h"

namespace godwit {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;

Status NotWritable(std::string_view path, std::string_view why) {
  return Status(StatusCode::kNotWritable, std::string(path) + ": " + std::string(why));
}
Status NotWritable(std::string_view path) { return NotWritable(path, std::strerror(errno)); }

// Paths that a signal handler may read: fixed storage, published by `state`.
struct Slot {
  enum : int { kFree, kFilling, kLive };
  std::atomic<int> state{kFree};
  char path[PATH_MAX];
};
constexpr int kSlots = 64;
Slot g_slots[kSlots];
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler reads it");

int ClaimSlot(const std::string& path) {
  if (path.size() >= sizeof(Slot::path)) return -1;
  for (int i = 0; i < kSlots; ++i) {
    int expected = Slot::kFree;
    if (!g_slots[i].state.compare_exchange_strong(expected, Slot::kFilling)) continue;
    std::memcpy(g_slots[i].path, path.c_str(), path.size() + 1);
    g_slots[i].state.store(Slot::kLive);
    return i;
  }
  return -1;
}

void FreeSlot(int slot) {
  if (slot >= 0) g_slots[slot].state.store(Slot::kFree);
}

// Async-signal-safe: unlink and raise only. SA_RESETHAND has put the default action back.
void RemoveAndDie(int signal) {
  for (Slot& slot : g_slots) {
    if (slot.state.load() == Slot::kLive) ::unlink(slot.path);
  }
  ::raise(signal);
}

// Renames, but never onto a file that exists.
bool RenameNew(const char* from, const char* to) {
#ifdef RENAME_NOREPLACE
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
#endif
  // A file system without it (NFS): the moment between these two calls stays open.
  struct stat about;
  if (::lstat(to, &about) == 0) {
    errno = EEXIST;
    return false;
  }
  return ::rename(from, to) == 0;
}

}  // namespace

struct AtomicOutputFile::State {
  std::string name;       // for messages
  std::string target;     // empty where the output is written directly
  std::string temporary;  // empty once renamed
  bool overwrite = false;
  OwnedFd fd;
  int slot = -1;
  Bytes buffer;
  Status failed;

  ~State() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
    FreeSlot(slot);
  }
  Status OpenTemporary();
  Status WriteThrough(std::span<const std::byte> bytes);
  Status Flush() {
    GODWIT_RETURN_IF_ERROR(WriteThrough(buffer));
    buffer.clear();
    return {};
  }
};

// O_EXCL with 0666 rather than mkstemp(), whose 0600 would have to be undone by the umask.
Status AtomicOutputFile::State::OpenTemporary() {
  const size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    char leaf[32];
    std::snprintf(leaf, sizeof(leaf), ".godwit-%08x.tmp", random());
    std::string path = folder + leaf;
    // Registered before it exists, so that no signal can fall between.
    slot = ClaimSlot(path);
    fd = OwnedFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.get() >= 0) {
      temporary = std::move(path);
      return {};
    }
    FreeSlot(std::exchange(slot, -1));
    if (errno != EEXIST) return NotWritable(name);
  }
  return NotWritable(name, "no free name for a temporary file beside it");
}

Status AtomicOutputFile::State::WriteThrough(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return NotWritable(name);
    if (n == 0) return NotWritable(name, "takes no more bytes");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<AtomicOutputFile> AtomicOutputFile::Create(const std::string& path, bool overwrite) {
  auto state = std::make_unique<State>();
  state->name = path == "-" ? "standard output" : path;
  state->overwrite = overwrite;
  state->buffer.reserve(kBufferBytes);
  if (path == "-") {
    if (::isatty(STDOUT_FILENO)) return NotWritable(state->name, "is a terminal");
    state->fd = OwnedFd(STDOUT_FILENO);
    return AtomicOutputFile(std::move(state));
  }
  if (path.empty()) return NotWritable("output", "its name is empty");
  state->target = path;
  struct stat about;
  if (::lstat(path.c_str(), &about) != 0) {
    if (errno != ENOENT) return NotWritable(path);
    GODWIT_RETURN_IF_ERROR(state->OpenTemporary());
    return AtomicOutputFile(std::move(state));
  }
  if (S_ISLNK(about.st_mode)) {
    char* const real = ::realpath(path.c_str(), nullptr);
    if (real == nullptr) return NotWritable(path, "is a link to nothing");
    state->target = real;
    std::free(real);
    if (::stat(path.c_str(), &about) != 0) return NotWritable(path);
  }
  if (S_ISDIR(about.st_mode)) return NotWritable(path, "is a directory");
  if (!S_ISREG(about.st_mode)) {
    state->target.clear();
    state->fd = OwnedFd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (state->fd.get() < 0) return NotWritable(path);
    return AtomicOutputFile(std::move(state));
  }
  if (!overwrite) return NotWritable(path, "exists already");
  GODWIT_RETURN_IF_ERROR(state->OpenTemporary());
  if (::fchmod(state->fd.get(), about.st_mode & 07777) != 0) return NotWritable(path);
  return AtomicOutputFile(std::move(state));
}

AtomicOutputFile::AtomicOutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
AtomicOutputFile::AtomicOutputFile(AtomicOutputFile&&) noexcept = default;
AtomicOutputFile& AtomicOutputFile::operator=(AtomicOutputFile&&) noexcept = default;
AtomicOutputFile::~AtomicOutputFile() = default;

Status AtomicOutputFile::Write(std::span<const std::byte> bytes) {
  State& s = *state_;
  if (!s.failed.ok()) return s.failed;
  if (s.buffer.size() + bytes.size() > kBufferBytes) s.failed = s.Flush();
  if (s.failed.ok() && bytes.size() > kBufferBytes) {
    s.failed = s.WriteThrough(bytes);
  } else if (s.failed.ok()) {
    s.buffer.insert(s.buffer.end(), bytes.begin(), bytes.end());
  }
  return s.failed;
}

Status AtomicOutputFile::Flush() {
  State& s = *state_;
  if (s.failed.ok()) s.failed = s.Flush();
  return s.failed;
}

Status AtomicOutputFile::Commit() {
  State& s = *state_;
  if (!s.failed.ok()) return s.failed;
  if (s.failed = s.Flush(); !s.failed.ok()) return s.failed;
  if (!s.fd.Close()) return s.failed = NotWritable(s.name);
  if (s.target.empty()) return {};
  const bool renamed = s.overwrite ? ::rename(s.temporary.c_str(), s.target.c_str()) == 0
                                   : RenameNew(s.temporary.c_str(), s.target.c_str());
  if (!renamed) return s.failed = NotWritable(s.name);
  s.temporary.clear();
  FreeSlot(std::exchange(s.slot, -1));
  return {};
}

void RemoveOutputsOnSignal() {
  struct sigaction action = {};
  action.sa_handler = RemoveAndDie;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old = {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN) {
      ::sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace godwit
