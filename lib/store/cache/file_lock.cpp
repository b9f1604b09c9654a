#include "store/cache/file_lock.hpp"

#include <fmt/format.h>

#include <thread>

#include "store/cache/cache_file.hpp"

namespace inlay::store {

platform::FileLock lock_file(const std::filesystem::path& path, std::chrono::milliseconds patience) {
  const std::filesystem::path place = path.parent_path() / fmt::format(".{}.lock", path.filename().string());
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (auto lock = platform::FileLock::try_acquire(place)) return std::move(*lock);
    if (std::chrono::steady_clock::now() >= end) {
      throw CacheFailure(Trouble::busy, fmt::format("the vector cache {} is being written by another process", path.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace inlay::store
