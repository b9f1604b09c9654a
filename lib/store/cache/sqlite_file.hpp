// SqliteFile: a cache's file in SQLite. The schema is documented in vector_cache.hpp.
#pragma once

#include <memory>
#include <optional>

#include "platform/files.hpp"
#include "store/cache/cache_file.hpp"
#include "store/cache/sqlite.hpp"

namespace inlay::store {

class SqliteFile final : public CacheFile {
 public:
  /// Opens nothing yet. `path` is absolute.
  SqliteFile(std::filesystem::path path, Warnings& warnings, std::chrono::milliseconds busy_timeout);
  ~SqliteFile() override;

  [[nodiscard]] CacheKind kind() const noexcept override { return CacheKind::sqlite; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept override { return path_; }
  [[nodiscard]] bool takes(const CacheModel&) override { return true; }
  [[nodiscard]] bool due() const noexcept override { return true; }
  void find(const CacheModel& model, std::span<const std::string> keys, std::span<const std::size_t> wanted, const Found& found) override;
  void write(std::span<const Pending> entries, std::chrono::milliseconds patience) override;
  void flush() override;
  [[nodiscard]] std::vector<CacheModelCount> models() override;
  [[nodiscard]] std::uint64_t bytes() const noexcept override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;
  [[nodiscard]] std::unique_ptr<Cursor> entries() override;

 private:
  class Session;  // an open connection and its statements
  class Walk;
  struct Row;

  [[nodiscard]] bool is_ours(Connection& connection) const;
  /// Nothing where the database is empty, and may not be filled.
  [[nodiscard]] std::unique_ptr<Session> connect(Access access, std::chrono::milliseconds patience) const;
  /// Whether there is a cache to read: false where there is no file, an empty one, or one that is known to be damaged.
  bool open_to_read();
  bool open_undamaged();  // the same, and throws where it is damaged
  void open_to_write(std::chrono::milliseconds patience);
  void drop_moved_file();
  [[nodiscard]] bool is_known_damage() const noexcept;
  void keep_damage_aside(std::chrono::milliseconds patience);
  /// Runs work on the session; remembers the file where it turns out to be damaged.
  template <class Work>
  auto guarded(Work&& work);
  void write_once(std::span<const Pending> entries, std::chrono::milliseconds patience);
  std::size_t remove(const PruneOptions& options);
  void shrink_to(std::uint64_t bytes);
  /// Up to `most` rows behind `after`, up to `last`, in order; returns the last one's id, or `after` where there was none.
  std::int64_t read_rows(std::int64_t after, std::int64_t last, std::int64_t most, const std::function<void(const Row&)>& visit);

  const std::filesystem::path path_;
  const std::filesystem::path log_path_;  // of SQLite's write-ahead log
  const std::chrono::milliseconds busy_timeout_;
  std::unique_ptr<Session> session_;
  std::optional<platform::FileIdentity> damaged_;  // the file that was found so
  std::string damage_;                             // how
};

}  // namespace inlay::store
