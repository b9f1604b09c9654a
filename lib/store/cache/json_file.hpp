// JsonFile: a cache's file in JSON. The format is documented in vector_cache.hpp.
#pragma once

#include <optional>
#include <vector>

#include "store/cache/cache_file.hpp"
#include "store/cache/json_entry.hpp"
#include "store/cache/json_index.hpp"

namespace inlay::store {

class JsonFile final : public CacheFile {
 public:
  /// Opens nothing yet. `path` is absolute.
  JsonFile(std::filesystem::path path, Warnings& warnings, std::chrono::milliseconds busy_timeout);

  [[nodiscard]] CacheKind kind() const noexcept override { return CacheKind::json; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept override { return path_; }
  [[nodiscard]] bool takes(const CacheModel& model) override;
  [[nodiscard]] bool due() const noexcept override;
  void find(const CacheModel& model, std::span<const std::string> keys, std::span<const std::size_t> wanted, const Found& found) override;
  void write(std::span<const Pending> entries, std::chrono::milliseconds patience) override;
  void flush() override {}
  [[nodiscard]] std::vector<CacheModelCount> models() override;
  [[nodiscard]] std::uint64_t bytes() const noexcept override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;
  [[nodiscard]] std::unique_ptr<Cursor> entries() override;

 private:
  class Walk;

  void refresh();                                                // reads the file again where somebody changed it
  void forget() { index_.identity = platform::FileIdentity{}; }  // which no file has
  void check_usable() const;
  [[nodiscard]] bool is_of_other_model() const noexcept;
  void make_room();
  /// Writes what is kept of the file and the new entries. False where somebody changed the file meanwhile.
  bool replace(std::span<const Pending> entries, const std::vector<bool>& keep);
  [[nodiscard]] std::vector<bool> kept_by(const PruneOptions& options) const;

  const std::filesystem::path path_;
  const std::chrono::milliseconds busy_timeout_;
  JsonIndex index_;
  std::optional<CacheModel> model_;  // the first that this cache was used for
  bool wrote_ = false;
  JsonEntryReader reader_;
  std::chrono::steady_clock::time_point next_write_{};
};

}  // namespace inlay::store
