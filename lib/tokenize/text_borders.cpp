#include "tokenize/text_borders.hpp"

#include <algorithm>
#include <array>

#include "text/graphemes.hpp"

namespace inlay::tokenize {
namespace {

// How many bytes a closing mark takes at the text's beginning; 0: there is none.
std::size_t closing_mark(std::string_view text) noexcept {
  static constexpr std::array<std::string_view, 16> marks = {".", "!",  "?",  ";",  ":",  ",",  ")",  "]",
                                                             "}", "。", "！", "？", "；", "：", "，", "、"};
  for (const std::string_view mark : marks) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

std::size_t closing_marks(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || closing_mark(text.substr(first)) == 0) return 0;
  std::size_t end = first;
  while (const std::size_t length = closing_mark(text.substr(end))) end += length;
  return end;
}

}  // namespace

SeparatorCuts::SeparatorCuts(std::string_view text, std::span<const std::string> separators) : text_(text) {
  for (const std::string& separator : separators) {
    if (separator.empty()) break;
    const bool begins_line = separator.size() > 1 && separator[0] == '\n' && separator[1] != '\n';
    separators_.push_back({.text = separator, .closing = closing_marks(separator), .is_indexed = begins_line});
  }
  index_lines();
}

// Lists have dozens of separators that begin a line, and each would be looked for at every one.
void SeparatorCuts::index_lines() {
  std::array<std::vector<Separator*>, 256> by_second_byte;
  for (Separator& separator : separators_) {
    if (separator.is_indexed) by_second_byte[static_cast<unsigned char>(separator.text[1])].push_back(&separator);
  }
  for (std::size_t line = text_.find('\n'); line < text_.size() - 1; line = text_.find('\n', line + 1)) {
    for (Separator* separator : by_second_byte[static_cast<unsigned char>(text_[line + 1])]) {
      if (text_.compare(line, separator->text.size(), separator->text) == 0) separator->index.push_back(line);
    }
  }
}

std::size_t SeparatorCuts::next_occurrence(const Separator& separator, std::size_t from, std::size_t end) const {
  if (!separator.is_indexed) return text_.substr(0, end).find(separator.text, from);
  const auto found = std::ranges::lower_bound(separator.index, from);
  return found != separator.index.end() && *found + separator.text.size() <= end ? *found : none;
}

std::size_t SeparatorCuts::cut(const Separator& separator, std::size_t occurrence, std::size_t begin) const {
  const bool takes_return = separator.closing == 0 && separator.text[0] == '\n' && occurrence > begin && text_[occurrence - 1] == '\r';
  return takes_return ? occurrence - 1 : occurrence + separator.closing;
}

std::vector<std::size_t> SeparatorCuts::all(std::size_t separator, ByteRange range) const {
  const Separator& each = separators_[separator];
  std::vector<std::size_t> cuts;
  for (std::size_t from = range.begin;;) {
    const std::size_t occurrence = next_occurrence(each, from, range.end);
    if (occurrence == none) return cuts;
    const std::size_t position = cut(each, occurrence, range.begin);
    if (position > range.begin && position < range.end) cuts.push_back(position);
    from = occurrence + each.text.size();
  }
}

std::size_t SeparatorCuts::first(std::size_t separator, ByteRange range) const {
  const Separator& each = separators_[separator];
  for (std::size_t from = range.begin - std::min(range.begin, each.closing);;) {
    const std::size_t occurrence = next_occurrence(each, from, range.end);
    if (occurrence == none) return none;
    const std::size_t position = cut(each, occurrence, range.begin);
    if (position > range.begin && position < range.end) return position;
    from = occurrence + 1;
  }
}

std::size_t TextBorders::upto(std::size_t position) const noexcept {
  if (position >= range_.end) return range_.end;
  if (between_ == Between::pieces) {
    const auto next = std::ranges::upper_bound(cuts_, position);
    return next == cuts_.begin() ? range_.begin : *(next - 1);
  }
  const std::size_t border =
      between_ == Between::graphemes ? text::grapheme_begin(whole_, position) : text::code_point_begin(whole_, position);
  return std::max(border, range_.begin);
}

std::size_t TextBorders::after(std::size_t position) const noexcept {
  if (between_ == Between::pieces) return *std::ranges::upper_bound(cuts_, position);
  std::size_t border = std::max(position, range_.begin) + 1;
  while (border < range_.end && upto(border) != border) ++border;
  return border;
}

}  // namespace inlay::tokenize
