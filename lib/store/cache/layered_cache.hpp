// LayeredCache: the memory layer, a file behind it, and what is done when the file cannot be used.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "inlay/vector_cache.hpp"
#include "store/cache/cache_file.hpp"
#include "store/cache/memory_layer.hpp"

namespace inlay::store {

class LayeredCache final : public VectorCache {
 public:
  using MakeFile = std::function<std::unique_ptr<CacheFile>(Warnings&)>;

  /// `make_file` may be empty: then there is only the memory layer.
  LayeredCache(const CacheOptions& options, const MakeFile& make_file);
  ~LayeredCache() override;
  LayeredCache(const LayeredCache&) = delete;
  LayeredCache& operator=(const LayeredCache&) = delete;

  std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) override;
  void insert(const CacheModel& model, std::span<const CacheEntry> entries) override;
  void flush() override;
  [[nodiscard]] CacheStatistics statistics() const override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;
  void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const override;

 private:
  using Clock = std::chrono::steady_clock;

  void find_in_file(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors, std::vector<bool>& known);
  /// Whether the entries, and those that wait, are in the file now.
  bool write(std::span<const Pending> entries);
  void keep(std::span<const Pending> entries, Place place);
  bool write_waiting();  ///< whether nothing waits any more
  std::size_t prune_memory(const PruneOptions& options);
  void tell(const Error& error) const;

  const CacheOptions options_;
  MemoryLayer memory_;
  mutable std::mutex file_mutex_;  // guards all that follows, the statistics excepted
  mutable Warnings warnings_;
  std::unique_ptr<CacheFile> file_;  // null: there is none
  bool persistent_;
  bool refused_ = false;           // something was inserted that the file doesn't take
  bool was_busy_ = false;          // when it was tried last
  Clock::time_point next_read_{};  // not before, after trouble
  Clock::time_point next_write_{};
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> inserted_ = 0;
};

}  // namespace inlay::store
