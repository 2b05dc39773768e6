#include "eval/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fmt/core.h"
#include "io/owned_fd.h"

extern char** environ;

namespace godwit {
namespace {

constexpr size_t kMostOutput = 1 << 20;

struct Pipe {
  OwnedFd read, write;
};

Result<Pipe> OpenPipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return Status(StatusCode::kInternal, std::string("no pipe: ") + std::strerror(errno));
  }
  return Pipe{OwnedFd(fds[0]), OwnedFd(fds[1])};
}

// Both ends at once, so that a talkative child is never blocked.
void Drain(const OwnedFd& out, const OwnedFd& err, std::string* out_text, std::string* err_text) {
  std::array<pollfd, 2> polls = {{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
  const std::array<std::string*, 2> texts = {out_text, err_text};
  std::array<char, 65536> buffer;
  while (polls[0].fd >= 0 || polls[1].fd >= 0) {
    if (::poll(polls.data(), polls.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    for (size_t i = 0; i < polls.size(); ++i) {
      if (polls[i].fd < 0 || polls[i].revents == 0) continue;
      const ssize_t n = ::read(polls[i].fd, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        polls[i].fd = -1;  // which poll() passes over
      } else if (texts[i]->size() < kMostOutput) {
        texts[i]->append(buffer.data(), static_cast<size_t>(n));
      }
    }
  }
}

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const size_t start = text.rfind('\n');
  return text.substr(start == text.npos ? 0 : start + 1, 300);
}

std::string WhyItEnded(int status) {
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Result<ChildOutput> RunChild(const std::vector<std::string>& args) {
  GODWIT_ASSIGN_OR_RETURN(Pipe out, OpenPipe());
  GODWIT_ASSIGN_OR_RETURN(Pipe err, OpenPipe());
  std::vector<char*> argv;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Status(StatusCode::kInternal, args[0] + ": " + std::strerror(error));
  out.write = OwnedFd();
  err.write = OwnedFd();
  ChildOutput output;
  std::string talk;
  Drain(out.read, err.read, &output.out, &talk);
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  output.peak_bytes = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  const std::string last = LastLine(talk);
  return Status(StatusCode::kInternal,
                args[0] + ": " + WhyItEnded(status) + (last.empty() ? "" : ": " + last));
}

bool ProgramOnPath(std::string_view program) {
  const char* const variable = std::getenv("PATH");
  std::string_view path = variable == nullptr ? "" : variable;
  while (!path.empty()) {
    const size_t colon = std::min(path.find(':'), path.size());
    const std::string file = std::string(path.substr(0, colon)) + "/" + std::string(program);
    if (colon > 0 && ::access(file.c_str(), X_OK) == 0) return true;
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return false;
}

std::string ShellQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

Result<TemporaryFolder> TemporaryFolder::Create() {
  std::error_code error;
  std::string path = (std::filesystem::temp_directory_path(error) / "godwit_eval_XXXXXX").string();
  if (error || ::mkdtemp(path.data()) == nullptr) {
    return Status(StatusCode::kNotWritable, path + ": no temporary folder can be made");
  }
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace godwit
