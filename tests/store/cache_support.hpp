// What the tests of caches share: looking up, and what the log was told.
#pragma once

#include <inlay/log.hpp>
#include <inlay/vector_cache.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "store/cache_keys.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

namespace inlay::test {

/// How many of the keys are found; each that is found must have its own vector.
inline std::size_t count_found(VectorCache& cache, const CacheModel& model, std::size_t first, std::size_t count) {
  const CacheLookup lookup = look_up_entries(cache, model, first, count);
  CHECK(lookup.wrong == 0);
  return lookup.found;
}

/// Collects what is logged while it lives.
class LogCapture {
 public:
  LogCapture() {
    set_log_callback([this](LogLevel level, std::string_view message) {
      const std::lock_guard lock(mutex_);
      if (level == LogLevel::warning) warnings_.emplace_back(message);
    });
  }
  ~LogCapture() { set_log_callback({}); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  [[nodiscard]] std::vector<std::string> warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }
  /// How many of the warnings have this in them.
  [[nodiscard]] std::size_t count(std::string_view part) const {
    std::size_t count = 0;
    for (const std::string& warning : warnings()) count += warning.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;
};

inline const CacheOptions no_memory{.memory_bytes = 0};

}  // namespace inlay::test
