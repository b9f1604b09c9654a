#include "platform/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "platform/processors.hpp"

namespace inlay::platform {

void for_each_parallel(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      const std::size_t others = std::min(count, available_processors());
      threads.reserve(others);
      for (std::size_t i = 1; i < others; ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // Fewer threads, then.
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace inlay::platform
