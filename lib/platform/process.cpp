#include "platform/process.hpp"

#include <pthread.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>

namespace inlay::platform {

std::uint64_t process_id() noexcept { return static_cast<std::uint64_t>(::getpid()); }

std::filesystem::path home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16'384, '\0');  // as sysconf(_SC_GETPW_R_SIZE_MAX) suggests, and more
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr || found->pw_dir == nullptr)
    return {};
  return found->pw_dir;
}

namespace {

sigset_t pipe_signal() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

PipeSignalBlock::PipeSignalBlock() noexcept {
  sigset_t waiting;
  sigemptyset(&waiting);
  ::sigpending(&waiting);
  if (sigismember(&waiting, SIGPIPE) == 1) return;  // the host's own, which it keeps blocked
  const sigset_t set = pipe_signal();
  sigset_t before;
  ours_ = ::pthread_sigmask(SIG_BLOCK, &set, &before) == 0 && sigismember(&before, SIGPIPE) == 0;
}

PipeSignalBlock::~PipeSignalBlock() {
  if (!ours_) return;
  const sigset_t set = pipe_signal();
  const timespec at_once{};
  while (::sigtimedwait(&set, nullptr, &at_once) > 0) {  // what was raised meanwhile is gone before the block is
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace inlay::platform
