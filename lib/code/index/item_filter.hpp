// Which items of an index a search looks at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "code/ignore_rules.hpp"
#include "inlay/codebase_index.hpp"

namespace inlay::code {

class FilterMatcher {
 public:
  /// Throws Error (invalid_argument) for a bad glob.
  explicit FilterMatcher(const ItemFilter& filter);

  /// Whether any item may fail.
  [[nodiscard]] bool filters() const noexcept;
  [[nodiscard]] bool matches(const IndexedItem& item) const;

 private:
  [[nodiscard]] bool path_matches(std::string_view path) const;

  const ItemFilter& filter_;
  std::string language_;
  std::optional<IgnoreFile> path_;
};

}  // namespace inlay::code
