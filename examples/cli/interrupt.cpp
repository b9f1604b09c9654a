#include "interrupt.hpp"

#include <pthread.h>

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "commands.hpp"

namespace inlay::cli {
namespace {

std::mutex mutex;
std::optional<std::stop_source> source;  // where a StopScope stands

void wait_for_signals(sigset_t signals) {
  while (true) {
    int number = 0;
    if (::sigwait(&signals, &number) != 0) return;
    const std::lock_guard lock(mutex);
    if (!source || !source->request_stop()) std::_Exit(exit_code::interrupted);
  }
}

}  // namespace

void Interrupt::listen() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for_signals, signals).detach();  // a handler may do next to nothing; a thread that waits may do anything
}

StopScope::StopScope() {
  const std::lock_guard lock(mutex);
  source.emplace();
}

StopScope::~StopScope() {
  const std::lock_guard lock(mutex);
  source.reset();
}

std::stop_token StopScope::token() const {
  const std::lock_guard lock(mutex);
  return source->get_token();
}

}  // namespace inlay::cli
