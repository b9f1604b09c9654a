#include "platform/log.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace inlay {
namespace {

std::mutex callback_mutex;
std::shared_ptr<const LogCallback> callback;  // shared: a call in progress outlives its replacement

std::mutex call_mutex;

}  // namespace

void set_log_callback(LogCallback replacement) {
  auto next = replacement ? std::make_shared<const LogCallback>(std::move(replacement)) : nullptr;
  const std::lock_guard lock(callback_mutex);
  callback = std::move(next);
}

namespace platform {

void log(LogLevel level, std::string_view message) noexcept {
  try {
    std::shared_ptr<const LogCallback> current;
    {
      const std::lock_guard lock(callback_mutex);
      current = callback;
    }
    if (current == nullptr) return;
    const std::lock_guard lock(call_mutex);
    (*current)(level, message);
  } catch (...) {  // a log that fails must not fail what it reports on (log.hpp)
  }
}

}  // namespace platform
}  // namespace inlay
