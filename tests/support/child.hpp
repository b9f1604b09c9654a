// Processes that a test starts and kills, and a full disk.
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <new>
#include <thread>
#include <utility>

#include "support/catch.hpp"

namespace inlay::test {

/// A process that runs a function and ends with what it returns; killed with the object. Its function must not use Catch.
class Child {
 public:
  explicit Child(const std::function<int()>& run) : id_(::fork()) {
    REQUIRE(id_ >= 0);
    if (id_ != 0) return;
    int status = 99;
    try {
      status = run();
    } catch (...) {  // 99
    }
    ::_exit(status);
  }
  ~Child() {
    if (id_ > 0) kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t id() const noexcept { return id_; }

  /// Whether SIGKILL ended it; false when it had ended by itself.
  bool kill() {
    ::kill(id_, SIGKILL);
    const int status = wait_for_end();
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }
  /// What its function returned; -1 where a signal ended it.
  int wait() {
    const int status = wait_for_end();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  int wait_for_end() {
    int status = 0;
    while (::waitpid(std::exchange(id_, -1), &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  pid_t id_;
};

/// A number that processes share.
class SharedNumber {
 public:
  SharedNumber() {
    void* memory = ::mmap(nullptr, sizeof(std::atomic<std::size_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    number_ = new (memory) std::atomic<std::size_t>(0);
  }
  ~SharedNumber() { ::munmap(number_, sizeof(std::atomic<std::size_t>)); }
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;

  std::atomic<std::size_t>& operator*() const noexcept { return *number_; }

  /// Returns once another process has brought it so far, or `patience` is over: true and false.
  [[nodiscard]] bool wait_for(std::size_t value, std::chrono::seconds patience = std::chrono::seconds(60)) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (*number_ < value) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    return true;
  }

 private:
  std::atomic<std::size_t>* number_;
};

/// As long as it stands, no file grows beyond this: writing fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace inlay::test
