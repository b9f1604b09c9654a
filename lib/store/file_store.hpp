// FileStore: vectors in readable files, one a text, and an index of them. For small sets, and for people.
//
//   embeddings_index.json          {text_id: {"text" or "preview", "label", "name", "file", "status", "error", "model_name", "model_version",
//                                  "dimensions"}, …}; status: "completed" or "failed", which has an error and no file
//   embeddings_data/TEXT_ID.json   {"function_name", "embedding": […], "timestamp", "model_version", "content_hash", "checksum", "label",
//                                  "model_name"}: as an entry of a cache in JSON (vector_cache.hpp)
//   .lock                          one process at a time writes
//
// The text_id is the content_key of what the model saw; of a key that is none, a hash. model_version is the model's fingerprint.
//
// A text's file is written before insert returns, whole or not at all, and is what counts: the index is written on flush, on destruction, and
// between them as often as takes less than a tenth of the time. A killed process loses no vector; what the index lacks is added when the store
// is opened next. After a power failure a file may be damaged: that text is not found, which makes the next run write it anew.
//
// Files that cannot be written are told once, as a warning, and the run goes on. A text has one vector: another model's is replaced.
//
// Thread rule: any number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "inlay/vector_cache.hpp"
#include "platform/files.hpp"
#include "store/cache/cache_file.hpp"

namespace inlay::store {

constexpr std::string_view index_file = "embeddings_index.json";
constexpr std::string_view data_folder = "embeddings_data";

[[nodiscard]] std::string text_id(std::string_view key);

/// Whether the folder holds an index or the folder of a FileStore's texts.
[[nodiscard]] bool is_file_store(const std::filesystem::path& folder);

struct StoredVector {
  std::vector<float> vector{};
  std::string fingerprint{};  ///< of its model
};

/// The vector of a key, where the store has it, whole.
[[nodiscard]] std::optional<StoredVector> read_stored_vector(const std::filesystem::path& folder, std::string_view key);

class FileStore final : public VectorCache {
 public:
  enum class Existing { resume, discard };

  /// What the index says of a text beside its vector.
  struct Text {
    std::string text{};   ///< the first 200 characters are kept
    std::string label{};  ///< "src/auth.py:12"
    std::string name{};   ///< of the function or class
    std::string error{};  ///< why it has no vector; empty: it has one
  };

  /// Opens the store of a model, or begins one. A damaged index is kept aside and written anew from the files. Throws Error: invalid_argument
  /// for a model as VectorCache does, and for a folder that holds something else, which stays as it is; io_error, also while another process
  /// has it open.
  [[nodiscard]] static std::unique_ptr<FileStore> open(const std::filesystem::path& folder, const CacheModel& model,
                                                       Existing existing = Existing::resume);

  ~FileStore() override;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  /// Whether a text has a vector of this model here.
  [[nodiscard]] bool has(std::string_view key) const;

  /// What became of a text, for the index.
  void describe(std::string_view key, const Text& text);

  std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) override;
  void insert(const CacheModel& model, std::span<const CacheEntry> entries) override;
  void flush() override;
  [[nodiscard]] CacheStatistics statistics() const override;
  [[nodiscard]] CacheCheck verify() override;
  PruneResult prune(const PruneOptions& options) override;  ///< throws Error (unsupported): delete files
  void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const override;

 private:
  using Clock = std::chrono::steady_clock;

  // A text in the index.
  struct Record {
    std::string text{};
    bool whole_text = true;
    std::string label{};
    std::string name{};
    std::string error{};
    CacheModel model{};
    bool has_file = false;
  };

  FileStore(std::filesystem::path folder, CacheModel model, platform::FileLock lock);

  void discard();
  void read_index();
  void read_folder();
  void write_index();
  void write_index_if_due();
  void write_entry(const CacheEntry& entry) const;
  void tell_trouble(const Error& error);
  void tell_other_models() const;
  [[nodiscard]] bool has_file(std::string_view key) const;
  void give_up_file(std::string_view key);
  [[nodiscard]] std::vector<std::string> ids_with_file() const;

  const std::filesystem::path folder_;
  const CacheModel model_;
  platform::FileLock lock_;

  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Record, std::less<>> records_;
  bool changed_ = false;
  Clock::time_point next_index_ = Clock::now();
  Warnings warnings_;

  std::atomic<bool> persistent_ = true;
  std::atomic<std::uint64_t> hits_ = 0;
  std::atomic<std::uint64_t> misses_ = 0;
  std::atomic<std::uint64_t> inserted_ = 0;
};

}  // namespace inlay::store
