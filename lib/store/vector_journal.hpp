// VectorJournal: the vectors of one run, in one file that only grows, so that a run which was broken off goes on where it was.
//
//   header, 4,096 bytes      "INLAYJNL", version 1, dimension, the lengths of what follows (4 bytes each), fingerprint, model's name; zeros up to
//                            4,080; XXH3 of all that (8 bytes); the number of the process that has it open, or had (4 bytes), 4 zeros
//   records                  key (PackedKey, 16 bytes), vector (float32), XXH3 of the two (8 bytes), seeded by the model and the kind of key
//
// All numbers are little-endian. What insert was given is in the file when it returns, and outlasts the process, however that ends: of a
// killed one at most the last record is torn, which the next opening finds by its checksum, tells, and cuts off. It outlasts a power failure
// from the next flush on, which insert itself does when the last is 5 seconds ago.
//
// Labels, names and times are not kept. Of keys that are not content_keys only a hash is kept: they are found, but for_each leaves them out.
// prune is unsupported (Error): a journal goes as a whole.
//
// A journal that cannot be written is told once, as a warning; the run goes on, what could not be written is not kept, and each later insert
// tries again. statistics().persistent tells.
//
// Thread rule: any number of threads. One process at a time: the file itself is locked.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/vector_cache.hpp"
#include "platform/files.hpp"
#include "store/cache/cache_file.hpp"
#include "store/key_index.hpp"

namespace inlay::store {

class VectorJournal final : public VectorCache {
 public:
  enum class Existing { resume, discard };

  struct Opened {
    std::unique_ptr<VectorJournal> journal{};  ///< null where the file holds another model's vectors: then it was left as it is
    CacheModel made_by{};                      ///< the model whose vectors the file holds
  };

  /// Opens the journal of a model, or begins one, and the folders that it lies in. What is no journal, or one with a damaged header, is kept
  /// aside ("x.journal.damaged-1"), and said. Throws Error: invalid_argument for a model as VectorCache does, and for a fingerprint of more
  /// than 2,048 bytes; io_error where the file cannot be read or written, and, naming the process to wait for, where another has it open;
  /// unsupported for a journal of a newer version.
  [[nodiscard]] static Opened open(const std::filesystem::path& path, const CacheModel& model, Existing existing = Existing::resume);

  /// The journal of a run that goes on where an earlier one was broken off, unless that is not wanted (`fresh`). Throws Error as open, and
  /// invalid_argument where another model's unfinished run is there.
  [[nodiscard]] static std::shared_ptr<VectorJournal> open_run(const std::filesystem::path& path, const CacheModel& model, bool fresh);

  ~VectorJournal() override;
  VectorJournal(const VectorJournal&) = delete;
  VectorJournal& operator=(const VectorJournal&) = delete;

  std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) override;
  void insert(const CacheModel& model, std::span<const CacheEntry> entries) override;
  void flush() override;
  [[nodiscard]] CacheStatistics statistics() const override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;
  void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const override;

  /// Deletes the file, when the run is over. What is in it can be found as before; nothing more is kept. Throws Error (io_error).
  void remove();
  /// Does so where it has no vector: nothing is lost with it.
  void remove_if_empty() noexcept;

 private:
  struct Record;
  using Clock = std::chrono::steady_clock;

  VectorJournal(const std::filesystem::path& path, CacheModel model, platform::FileLock lock);

  [[nodiscard]] bool is_ours(const CacheModel& model) const noexcept;
  [[nodiscard]] std::uint64_t offset_of(std::size_t number) const noexcept;
  void begin();       // an empty file
  void read_index();  // of one with a header
  /// Nothing where the bytes are not a whole record.
  [[nodiscard]] std::optional<Record> decode(std::string_view bytes) const noexcept;
  void encode(std::string& bytes, std::string_view key, std::span<const float> vector) const;
  /// Calls visit(number, bytes) with each record before `end`, in order.
  void for_each_record(std::size_t end, const std::function<void(std::size_t, std::string_view)>& visit) const;
  [[nodiscard]] std::optional<Record> read(std::size_t number, std::string& bytes) const;
  [[nodiscard]] std::optional<std::size_t> number_of(const PackedKey& key) const;
  [[nodiscard]] std::size_t numbers() const;
  [[nodiscard]] bool has(const PackedKey& key, std::span<const float> vector, std::string& bytes) const;
  /// The next functions need write_mutex_. Whether all could be written.
  bool append(std::string_view records, std::span<const PackedKey> keys);
  void flush_if_due();
  void flush_file();
  void tell_trouble(const Error& error);

  const std::filesystem::path path_;
  const CacheModel model_;
  const std::size_t record_bytes_;
  const std::uint64_t content_key_seed_;
  const std::uint64_t other_key_seed_;
  platform::FileLock lock_;
  platform::AppendedFile file_;

  std::mutex write_mutex_;  // guards the end of the file, and what follows
  bool unflushed_ = false;
  bool removed_ = false;
  Clock::time_point flushed_ = Clock::now();

  mutable std::mutex warnings_mutex_;
  mutable Warnings warnings_;
  mutable std::shared_mutex index_mutex_;
  KeyIndex index_;

  std::atomic<bool> persistent_ = true;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> inserted_ = 0;
};

}  // namespace inlay::store
