#include "model/file_errors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay::model {

std::string one_line(std::string_view text) {
  constexpr std::size_t longest = 400;
  std::string line = text::repair_utf8(text.substr(0, longest)).text;
  std::ranges::replace_if(
      line, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }, '?');
  if (text.size() > longest) line += "...";
  return line;
}

void refuse_git_lfs_pointer(std::string_view file, const std::string& label) {
  if (!file.starts_with("version https://git-lfs")) return;
  throw Error(Status::invalid_model, fmt::format("{} is a Git LFS pointer, not the weights; fetch them with `git lfs pull`", label));
}

}  // namespace inlay::model
