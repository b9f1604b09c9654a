#include "code/index/item_filter.hpp"

#include <algorithm>

namespace inlay::code {

FilterMatcher::FilterMatcher(const ItemFilter& filter) : filter_(filter) {
  if (!filter.path_glob.empty()) path_.emplace(filter.path_glob);
}

bool FilterMatcher::filters() const noexcept { return path_ || !filter_.language.empty() || !filter_.kinds.empty(); }

bool FilterMatcher::matches(const IndexedItem& item) const {
  if (!filter_.language.empty() && item.language != filter_.language) return false;
  if (!filter_.kinds.empty() && std::ranges::find(filter_.kinds, item.kind) == filter_.kinds.end()) return false;
  return !path_ || path_matches(item.file_path);
}

// A glob says yes to a file, or to a folder that it lies in.
bool FilterMatcher::path_matches(std::string_view path) const {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (path_->match(path.substr(0, slash), true) == Verdict::ignored) return true;
  }
  return path_->match(path, false) == Verdict::ignored;
}

}  // namespace inlay::code
