// MemoryLayer: the vectors that were found or inserted last, within a bound; and those that wait for being written to a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/cache/cache_file.hpp"

namespace inlay::store {

/// Where else an entry of the layer is.
enum class Place {
  in_file,  ///< least recently used, first dropped
  nowhere,  ///< likewise: no file will take it
  waiting,  ///< for being written; dropped when nothing else is left, the oldest first
};

/// Any thread may call find; the other functions have one caller at a time.
class MemoryLayer {
 public:
  explicit MemoryLayer(std::size_t most_bytes) noexcept : most_bytes_(most_bytes) {}

  /// Copies the vectors of the keys that are here; sets their elements of `known`.
  void find(const CacheModel& model, std::span<const std::string> keys, std::span<float> vectors, std::vector<bool>& known);

  /// Keeps a copy, in place of what has the same key; what was found in the file does not take the place of what waits. Returns how many waiting entries had to go for it.
  std::size_t add(const Pending& entry, Place place);

  /// What waits, in order of insertion; valid until the layer is changed by anything but find.
  [[nodiscard]] std::vector<Pending> waiting() const;
  /// All of it is in the file now.
  void written();

  /// The entries that are in no file: those that wait, and those that no file takes.
  [[nodiscard]] std::vector<Kept> unwritten() const;

  /// Drops what is in the file.
  void drop_written();

  /// Drops the entries that are said to go, which is asked in order of insertion; returns how many.
  std::size_t remove_if(const std::function<bool(const Pending&)>& goes);

  [[nodiscard]] std::size_t entries() const;
  [[nodiscard]] std::size_t waiting_entries() const;
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t waiting_bytes() const;
  [[nodiscard]] std::size_t most_bytes() const noexcept { return most_bytes_; }

 private:
  struct Node {
    const CacheModel* model;
    std::string key;
    std::string label;
    std::string name;
    std::vector<float> vector;
    Timestamp created;
    std::chrono::steady_clock::time_point inserted;
    std::uint64_t number;  // order of insertion
    Place place;
  };
  using Nodes = std::list<Node>;
  struct Id {
    const CacheModel* model;
    std::string_view key;
    friend bool operator==(const Id&, const Id&) = default;
  };
  struct IdHash {
    std::size_t operator()(const Id& id) const noexcept;
  };

  const CacheModel* known_model(const CacheModel& model) const noexcept;
  Nodes& list_of(Place place) noexcept { return place == Place::waiting ? waiting_ : recent_; }
  void remove(Nodes::iterator node);
  std::vector<const Node*> in_order() const;
  static Pending view(const Node& node) noexcept;
  static std::size_t size(const Node& node) noexcept;

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<CacheModel> models_;
  Nodes recent_;   // most recently used first
  Nodes waiting_;  // oldest first
  std::unordered_map<Id, Nodes::iterator, IdHash> by_key_;
  std::size_t bytes_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t next_number_ = 0;
};

}  // namespace inlay::store
