#include "code/index/item_filter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"

namespace inlay::code {

namespace {

void check_glob(std::string_view glob) {
  const auto fail = [glob](std::string_view reason) {
    throw Error(Status::invalid_argument, fmt::format("the path glob \"{}\" {}", glob, reason));
  };
  if (glob.front() == '!' || glob.front() == '#') fail("begins with ! or #: put a backslash in front where the name does");
  if (glob.find('\n') != std::string_view::npos) fail("has a line break");
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '\\')
      ++i;
    else if (glob[i] == '[' && glob.find(']', i + 2) == std::string_view::npos)
      fail("has a [ without its ]");
  }
}

std::string lower_case(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

}  // namespace

FilterMatcher::FilterMatcher(const ItemFilter& filter) : filter_(filter), language_(lower_case(filter.language)) {
  std::string_view glob = filter.path_glob;
  while (glob.starts_with("./")) glob.remove_prefix(2);
  if (glob.empty()) return;
  check_glob(glob);
  path_.emplace(glob);
}

bool FilterMatcher::filters() const noexcept { return path_ || !language_.empty() || !filter_.kinds.empty(); }

bool FilterMatcher::matches(const IndexedItem& item) const {
  if (!language_.empty() && item.language != language_) return false;
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
