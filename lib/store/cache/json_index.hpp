// JsonIndex: where everything lies in a cache's JSON file. The vectors stay in the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/files.hpp"
#include "store/cache/cache_file.hpp"

namespace inlay::store {

struct JsonIndex {
  struct Entry {
    std::uint64_t offset = 0;  // of the member's text
    std::uint64_t label = 0;   // hashes
    std::uint64_t key = 0;     // 0: there is none
    std::uint64_t model = 0;
    std::uint64_t text = 0;
    std::uint32_t length = 0;
    std::uint32_t dimension = 0;
    Timestamp created;
    std::chrono::steady_clock::time_point seen;  // first, by this process
  };

  std::shared_ptr<const platform::ReadableFile> file;     // null: there is none
  std::optional<platform::FileIdentity> identity;         // of the file that was read
  std::string damage;                                     // why it is of no use as a whole
  bool foreign = false;                                   // because it is another program's
  CacheModel model;                                       // of the metadata
  std::string created;                                    // likewise
  std::string unknown_metadata;                           // members that aren't ours, with a comma before each
  std::string unknown_members;                            // of the whole, likewise
  std::vector<Entry> entries;                             // in the file's order
  std::unordered_map<std::uint64_t, std::size_t> by_key;  // hash of model and key
  std::unordered_map<std::uint64_t, CacheModel> other_models;
  std::vector<CacheProblem> problems;  // entries that are left out
  std::size_t left_out = 0;
};

[[nodiscard]] std::uint64_t key_hash(std::uint64_t model, std::uint64_t key) noexcept;

/// Reads the file whole. What is wrong with it is in the index; throws Error only when it cannot be read. `before`: the last one, for `seen`.
[[nodiscard]] JsonIndex read_json_index(const std::filesystem::path& path, const JsonIndex& before);

/// Completes by_key from the entries.
void index_keys(JsonIndex& index);

/// The entry's text; nothing where somebody changed the file meanwhile.
[[nodiscard]] std::optional<std::string> read_text(const JsonIndex& index, const JsonIndex::Entry& entry);

}  // namespace inlay::store
