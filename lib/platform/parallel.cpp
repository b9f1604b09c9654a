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

void for_each_parallel(std::size_t count, const std::function<void(std::size_t)>& body, std::size_t threads) {
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
    std::vector<std::jthread> running;
    try {
      const std::size_t all = std::min(count, threads > 0 ? threads : available_processors());
      running.reserve(all);
      for (std::size_t i = 1; i < all; ++i) running.emplace_back(work);
    } catch (const std::system_error&) {
      // Fewer threads, then.
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace inlay::platform
