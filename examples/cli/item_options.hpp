// The options that say which items of an index are meant, and items for people and programs; shared by search and duplicates.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inlay/codebase_index.hpp"

namespace inlay::cli {

struct ItemOptions {
  std::string path;
  std::string language;
  std::vector<std::string> kinds;

  void add(CLI::App& command);
  /// Throws Error (invalid_argument).
  [[nodiscard]] ItemFilter filter() const;
};

/// "src/auth.py:12"; "row 3" of an item that has no path.
[[nodiscard]] std::string place(const IndexedItem& item, std::size_t row);

/// All that is known of an item, and its source as "content".
[[nodiscard]] nlohmann::ordered_json to_json(const CodebaseIndex& index, std::size_t row);

}  // namespace inlay::cli
