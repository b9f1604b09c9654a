// CacheChain: several caches as one. A search asks them in order, each for what those before it do not know.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "inlay/vector_cache.hpp"

namespace inlay::store {

/// As thread-safe as its caches are.
class CacheChain final : public VectorCache {
 public:
  struct Link {
    std::shared_ptr<VectorCache> cache;
    bool written = false;  ///< whether insert goes to it; it goes to the first in any case
    bool searched = true;  ///< whether find asks it; it asks the first in any case
  };

  /// Throws Error (invalid_argument) for no links, and for one without a cache.
  explicit CacheChain(std::vector<Link> links);

  std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) override;
  void insert(const CacheModel& model, std::span<const CacheEntry> entries) override;
  void flush() override;
  /// Path and `persistent` are the first cache's; entries, bytes and models of all are added up, what several have more than once.
  [[nodiscard]] CacheStatistics statistics() const override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;  ///< throws Error (unsupported): prune each by itself
  /// Of what several caches have, the first one's.
  void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const override;

 private:
  const std::vector<Link> links_;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> inserted_ = 0;
};

}  // namespace inlay::store
