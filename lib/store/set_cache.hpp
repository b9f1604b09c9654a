// SetCache: an embedding set as a cache that is only read: what the last run made need not be made again.
//
// Holds an index of the keys in memory, some 25 bytes a row; the vectors stay in their file, which stays readable when another set takes its
// place. They are read, not mapped: pages of a mapping would count as this process's memory. Rows without a key are not found. A set has no
// checksums: what cannot be told from the files' structure is believed, as load_embeddings does.
//
// Thread rule: any number of threads.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "inlay/vector_cache.hpp"
#include "platform/files.hpp"
#include "store/key_index.hpp"

namespace inlay::store {

class SetCache final : public VectorCache {
 public:
  /// Throws Error for what load_embeddings throws for.
  [[nodiscard]] static std::unique_ptr<SetCache> open(const std::filesystem::path& folder);

  ~SetCache() override;
  SetCache(const SetCache&) = delete;
  SetCache& operator=(const SetCache&) = delete;

  std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) override;
  void insert(const CacheModel& model, std::span<const CacheEntry> entries) override;  ///< keeps nothing
  void flush() override {}
  [[nodiscard]] CacheStatistics statistics() const override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;  ///< throws Error (unsupported)
  void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const override;

  /// Whose vectors they are.
  [[nodiscard]] const CacheModel& model() const noexcept { return model_; }

  /// The row of a key, the last one of several.
  [[nodiscard]] std::optional<std::size_t> row(std::string_view key) const noexcept { return index_.find(pack_key(key)); }
  [[nodiscard]] std::size_t rows() const noexcept { return index_.numbers(); }
  [[nodiscard]] std::size_t keys() const noexcept { return index_.size(); }  ///< different ones

 private:
  struct Files;

  SetCache(std::filesystem::path folder, std::unique_ptr<const Files> files);
  void read_index();
  [[nodiscard]] bool read(std::size_t row, std::span<float> vector) const;

  const std::filesystem::path folder_;
  const std::unique_ptr<const Files> files_;
  CacheModel model_;
  KeyIndex index_;
  mutable std::atomic<bool> told_ = false;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
};

}  // namespace inlay::store
