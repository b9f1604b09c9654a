// CacheFile: what lies behind the memory layer of a cache. One caller at a time: the layer above sees to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/error.hpp"
#include "inlay/vector_cache.hpp"
#include "store/timestamp.hpp"

namespace inlay::store {

/// Why a file cannot be used just now, as far as it makes a difference to what is done about it.
enum class Trouble {
  busy,         ///< another process is at it
  unavailable,  ///< a full disk, missing rights, a broken device
  damaged,      ///< kept aside when the next entries are written
  foreign,      ///< another program's, a newer version's or another model's: never touched
};

class CacheFailure : public Error {
 public:
  CacheFailure(Trouble trouble, const std::string& message)
      : Error(trouble == Trouble::damaged   ? Status::invalid_data
              : trouble == Trouble::foreign ? Status::unsupported
                                            : Status::io_error,
              message),
        trouble_(trouble) {}

  [[nodiscard]] Trouble trouble() const noexcept { return trouble_; }

 private:
  Trouble trouble_;
};

/// Tells each cause once.
class Warnings {
 public:
  void once(std::string_view cause, std::string_view message);
  /// From now on the cause may be told again.
  void over(std::string_view cause);

 private:
  std::set<std::string, std::less<>> told_;
};

/// An entry on its way into a file. Views: into what the caller keeps meanwhile.
struct Pending {
  const CacheModel* model = nullptr;
  std::string_view key;
  std::string_view label;
  std::string_view name;
  std::span<const float> vector;
  Timestamp created;
  std::chrono::steady_clock::time_point inserted;
};

/// An entry as a walk over the file finds it.
struct Kept {
  std::shared_ptr<const CacheModel> model;
  CacheEntry entry;
};

/// A walk over the file. Calls to the file between two of next() are allowed.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The next few entries; none at the end. Throws as CacheFile's functions.
  virtual std::vector<Kept> next() = 0;
};

/// All functions that say nothing else throw CacheFailure, or Error (io_error), when they cannot do their work.
class CacheFile {
 public:
  using Found = std::function<void(std::size_t index, std::span<const float> vector)>;

  explicit CacheFile(Warnings& warnings) noexcept : warnings_(warnings) {}
  virtual ~CacheFile() = default;
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  [[nodiscard]] virtual CacheKind kind() const noexcept = 0;
  [[nodiscard]] virtual const std::filesystem::path& path() const noexcept = 0;

  /// Whether this model's vectors can be in the file; says why not.
  [[nodiscard]] virtual bool takes(const CacheModel& model) = 0;

  /// Whether entries should be written at once, not collected for a later write.
  [[nodiscard]] virtual bool due() const noexcept = 0;

  /// Calls found(i, vector) for each i of `wanted` whose keys[i] the file has. What it has given before it throws is right.
  virtual void find(const CacheModel& model, std::span<const std::string> keys, std::span<const std::size_t> wanted,
                    const Found& found) = 0;

  /// Writes all entries or none, the later of two with one key counts. Waits `patience` for other processes.
  virtual void write(std::span<const Pending> entries, std::chrono::milliseconds patience) = 0;

  /// What was written outlasts a power failure.
  virtual void flush() = 0;

  [[nodiscard]] virtual std::vector<CacheModelCount> models() = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const noexcept = 0;
  [[nodiscard]] virtual CacheCheck verify() = 0;
  virtual PruneResult prune(const PruneOptions& options) = 0;
  [[nodiscard]] virtual std::unique_ptr<Cursor> entries() = 0;

 protected:
  Warnings& warnings() const noexcept { return warnings_; }

 private:
  Warnings& warnings_;
};

constexpr std::size_t most_problems = 1000;

/// Adds a problem, unless there are enough.
void add_problem(CacheCheck& check, CacheProblem problem);

}  // namespace inlay::store
