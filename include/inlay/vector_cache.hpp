// VectorCache: vectors that were computed before, so that nothing is computed twice.
//
// A vector is found by what it depends on: the model's fingerprint, and the content_key (embedding_set.hpp) of the text that the model saw.
// Where the text stands, "src/auth.py:12", is a label for people: a function that moved is found, an edited one on the same line is not.
//
//   auto cache = inlay::open_cache("~/.cache/project/vectors.db");                   // SQLite
//   const inlay::CacheModel model = inlay::cache_model(generator.info(), long_text);
//   inlay::Matrix vectors = inlay::Matrix::from_shape({keys.size(), model.dimension});
//   std::vector<bool> known = cache->find(model, keys, {vectors.data(), vectors.size()});
//   ...                                                                              // embed those that are not
//   cache->insert(model, entries);
//
// Nothing that is wrong with a cache stops the work: find, insert and flush throw for arguments that make no sense, and for nothing else
// but want of memory. A damaged file is kept aside ("vectors.db.damaged-1") before another is begun in its place; one that cannot be
// written is gone on with in memory, and tried again now and then; one of another program or of a newer version is not used, nor touched; a
// JSON file of another model is not used, and kept aside as well ("vectors.json.other-model-1") before ours takes its place. Each cause is
// told once, as a warning of the log callback (log.hpp), which must not call the cache; CacheStatistics::persistent tells, too. Nothing
// is returned that is not known to be what was inserted: every vector has a checksum.
//
// SQLite: one file for any number of models, with two more beside it (-wal, -shm) while it is open. What insert was given is in the file
// when it returns, and outlasts the process, however that ends. When the power fails the last inserts before it may be missing, back to
// the last flush; the file is whole. Schema 1 (application_id 0x496E6C79, user_version 1), for reading with other programs:
//
//   models(id, fingerprint, name, dimension)
//   vectors(id, model, key, label, name, created, checksum, vector)    id: order of insertion; model: models.id; created: milliseconds since
//                                                                      1970, UTC; vector: float32, little-endian
//
// JSON: one file of one model, readable and writable by hand and by other programs, held as an index in memory:
//
//   {"metadata": {"model_name", "model_version", "dimensions", "created", "updated"},
//    "embeddings": {"src/auth.py:12": {"function_name" or "name", "embedding": [...], "timestamp", "model_version", "content_hash",
//                                      "checksum"}}}
//
// model_version is the fingerprint, content_hash the key. An entry without content_hash tells not of what text it is: it is never found,
// but stays. Fields that are unknown stay as well. The file has one entry a label: of two with one label the later; those without a label
// have "content:KEY". It is written as a whole, on flush, on destruction, and between them as often as takes less than a tenth of the time
// (10 times the last writing apart, at least a second), or when half of CacheOptions::memory_bytes waits: a killed process loses what it
// inserted since. What other processes wrote meanwhile is kept; of two with one label the newer. A lock, ".NAME.lock", lies beside it.
//
// Thread rule: any number of threads may call one cache at once, and any number of processes may use one file at once. A call that finds
// all in memory waits for none; those that need the file take turns, as one connection serves them: the file is some hundred times
// faster than any encoder, and one connection means one view of it. A cache does not survive fork(): open it in the child.
//
// A cache is meant for a local disk. Clocks need not be right: times are told, and used by prune, but decide nothing else, except between
// processes that change one label of a JSON file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/generator.hpp"

namespace inlay {

/// Whose vectors. Those of different fingerprints or dimensions never mix.
struct CacheModel {
  std::string name{};         ///< for people
  std::string fingerprint{};  ///< as ModelInfo's; not empty
  std::size_t dimension = 0;  ///< 1 to 1,048,576

  friend bool operator==(const CacheModel&, const CacheModel&) = default;
};

/// The model as a cache is to know it. A vector also depends on what becomes of long texts: where chunks are averaged the fingerprint ends
/// in "+average(chunk_size,chunk_overlap)"; where only whole texts are wanted, in "+whole".
[[nodiscard]] CacheModel cache_model(const ModelInfo& model, const LongTextOptions& long_text = {});

/// A vector to keep, or one that is kept. Bytes of label and name that are not UTF-8 are kept as U+FFFD; what is longer than 65,536 bytes
/// is cut.
struct CacheEntry {
  std::string key{};            ///< content_key of the text; any UTF-8 of 1 to 1,024 bytes
  std::string label{};          ///< "file_path:line_number"; may be empty
  std::string name{};           ///< of the function or class; may be empty
  std::vector<float> vector{};  ///< as many components as the model's dimension
  /// Kept in milliseconds. The epoch, on insert: now.
  std::chrono::system_clock::time_point created{};

  friend bool operator==(const CacheEntry&, const CacheEntry&) = default;
};

enum class CacheKind : std::int32_t { memory = 0, sqlite = 1, json = 2, other = 3 };

/// "memory", "sqlite", "json", "other".
[[nodiscard]] std::string_view to_string(CacheKind kind) noexcept;

struct CacheModelCount {
  CacheModel model{};
  std::size_t entries = 0;
};

struct CacheStatistics {
  CacheKind kind = CacheKind::other;
  std::filesystem::path path{};           ///< absolute, links followed; empty without a file
  bool persistent = false;                ///< what is inserted reaches the file: not where there is none, or after it could not be written
  std::size_t entries = 0;                ///< in the file, and what waits for being written
  std::vector<CacheModelCount> models{};  ///< those of the file; in memory, where there is none
  std::uint64_t file_bytes = 0;           ///< SQLite's -wal included
  std::size_t memory_entries = 0;         ///< of the memory layer
  std::size_t memory_bytes = 0;           ///< at most CacheOptions::memory_bytes
  std::uint64_t hits = 0;                 ///< since the cache was opened, as all that follows
  std::uint64_t misses = 0;
  std::uint64_t inserted = 0;
};

/// One thing that is wrong in a cache's file.
struct CacheProblem {
  std::string key{};    ///< empty where it concerns no entry, or the key cannot be read
  std::string label{};  ///< likewise
  std::string message{};
};

struct CacheCheck {
  std::size_t entries = 0;               ///< that are well
  std::size_t unverifiable = 0;          ///< JSON: entries without content_hash
  std::size_t wrong = 0;                 ///< that are not
  std::vector<CacheProblem> problems{};  ///< the first 1,000 of what is wrong

  [[nodiscard]] bool ok() const noexcept { return wrong == 0; }
};

/// What prune removes: whatever one of these says.
struct PruneOptions {
  std::optional<std::chrono::system_clock::time_point> created_before{};
  std::optional<std::string> keep_fingerprint{};  ///< removes all other models' vectors
  std::optional<std::string> drop_fingerprint{};  ///< removes this model's vectors
  std::optional<std::size_t> max_entries{};       ///< removes the oldest: SQLite by order of insertion, JSON by timestamp
  std::optional<std::uint64_t> max_bytes{};       ///< of the file; removes the oldest
};

struct PruneResult {
  std::size_t removed = 0;
  std::size_t kept = 0;
  std::uint64_t bytes_before = 0;  ///< of the file
  std::uint64_t bytes_after = 0;
};

/// The interface. A cache of your own serves wherever these do; it keeps the thread rule, and the rule about exceptions, above.
class VectorCache {
 public:
  virtual ~VectorCache();

  /// Copies the vectors that are known into their rows of `vectors`, [keys.size(), model.dimension]; the other rows stay as they are.
  /// Element i of what it returns: whether key i is known. Throws Error (invalid_argument) for a model without fingerprint or dimension, and
  /// for `vectors` of another size.
  virtual std::vector<bool> find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors) = 0;

  /// Keeps the entries; of two with one key the later. One whose vector is not of finite numbers is left out, and said. Throws Error
  /// (invalid_argument), before any is kept, for a model as find does, for a vector of another dimension and for a key that is empty, too
  /// long or not UTF-8.
  virtual void insert(const CacheModel& model, std::span<const CacheEntry> entries) = 0;

  /// Writes what waits for being written. After it, where `persistent` says so, all that was inserted outlasts a power failure.
  virtual void flush() = 0;

  [[nodiscard]] virtual CacheStatistics statistics() const = 0;

  /// Reads the whole file and checks all that can be checked; repairs nothing. Throws Error: io_error; unsupported for a file of another
  /// program or a newer version.
  [[nodiscard]] virtual CacheCheck verify() = 0;

  /// Removes entries and gives their space back; the memory layer is emptied, too. Throws Error: as verify; invalid_data for a damaged
  /// file; io_error also while another process keeps the file busy.
  virtual PruneResult prune(const PruneOptions& options) = 0;

  /// Hands over every entry that can be found, in a stable order (SQLite: of insertion; JSON: of the file), in bounded memory. `visit` may
  /// call the cache; what it throws ends the walk. Throws Error: as prune.
  virtual void for_each(const std::function<void(const CacheModel&, const CacheEntry&)>& visit) const = 0;

 protected:
  VectorCache() = default;
  VectorCache(const VectorCache&) = default;
  VectorCache& operator=(const VectorCache&) = default;
};

struct CacheOptions {
  /// Bounds the memory layer, which holds what was found or inserted last; look-ups that it answers touch no file. What a file cannot take
  /// waits in it, and with 0 is lost. When it is full of what waits, the oldest goes, which is said.
  std::size_t memory_bytes = std::size_t{256} << 20;
  /// How long an insert waits for other processes that are writing. After that it stays in memory, for the next one to write.
  std::chrono::milliseconds busy_timeout{5000};
};

/// Opens a cache; where there is none, the first insert makes it, and the folders that it lies in.
///
///   "PATH.json", "json:PATH"    JSON; "json:" alone: ~/.codesearch/embeddings/cache.json
///   "memory:"                   no file; keeps what was found or inserted last
///   "sqlite:PATH", any other    SQLite; "sqlite:" alone, and "": XDG_CACHE_HOME/inlay/vectors.db, else ~/.cache/inlay/vectors.db
///
/// "~/" at the front of a path is the home folder; a symbolic link is followed once, now. Throws Error: invalid_argument for another word
/// before a colon (write "./a:b.db" for a file of that name), for a folder, for a path with a NUL; not_found where a home folder is needed
/// and none is known.
[[nodiscard]] std::shared_ptr<VectorCache> open_cache(std::string_view path_or_url, const CacheOptions& options = {});

/// Copies every entry of `from`, or those of one model, into `to`, in bounded memory, with flush; returns how many. So a cache is exported to
/// JSON, imported, or moved. Throws Error: what for_each throws; invalid_argument where both are one file, or for a JSON file, which is of one
/// model, when the entries are of several or of another; io_error when `to` could not be written.
std::size_t copy_cache(const VectorCache& from, VectorCache& to, std::string_view fingerprint = {});

}  // namespace inlay
