#include "text/graphemes.hpp"

#include <utf8proc.h>

#include "text/utf8.hpp"

namespace inlay::text {
namespace {

constexpr int longest_grapheme = 32;  // in code points

bool is_ascii(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x80; }

utf8proc_int32_t code_point(std::string_view sequence) noexcept {
  return is_valid_utf8(sequence) ? static_cast<utf8proc_int32_t>(decode_utf8(sequence.data()).code_point) : 0xFFFD;
}

std::size_t code_point_end(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin + 1;
  while (end < text.size() && code_point_begin(text, end) != end) ++end;
  return end;
}

// Whether a grapheme begins with `behind` whatever stands before `before`.
bool surely_breaks(utf8proc_int32_t before, utf8proc_int32_t behind) noexcept {
  const auto kind = utf8proc_get_property(before)->boundclass;  // joined emoji and conjuncts go on behind such a character
  if (kind == UTF8PROC_BOUNDCLASS_EXTEND || kind == UTF8PROC_BOUNDCLASS_ZWJ) return false;
  return utf8proc_grapheme_break(before, behind);
}

// The last border between graphemes in (begin, position], by the rules that need to see more than two code points (flags, joined emoji);
// `begin` where there is none.
std::size_t last_break(std::string_view text, std::size_t begin, std::size_t position) noexcept {
  std::size_t border = begin;
  utf8proc_int32_t state = 0;
  std::size_t next = code_point_end(text, begin);
  utf8proc_int32_t before = code_point(text.substr(begin, next - begin));
  for (std::size_t at = next; at <= position && at < text.size(); at = next) {
    next = code_point_end(text, at);
    const utf8proc_int32_t behind = code_point(text.substr(at, next - at));
    if (utf8proc_grapheme_break_stateful(before, behind, &state)) border = at;
    before = behind;
  }
  return border;
}

}  // namespace

std::size_t code_point_begin(std::string_view text, std::size_t position) noexcept {
  if (position >= text.size()) return text.size();
  for (std::size_t back = 0; back < 4 && back <= position; ++back) {
    const auto byte = static_cast<unsigned char>(text[position - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte < 0xC2 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 1;
    return back < length ? position - back : position;
  }
  return position;
}

std::size_t grapheme_begin(std::string_view text, std::size_t position) noexcept {
  const std::size_t border = code_point_begin(text, position);
  if (border == 0 || border == text.size()) return border;
  std::size_t begin = border;
  for (int length = 0; begin > 0; ++length) {
    if (length == longest_grapheme) return border;
    const std::size_t previous = code_point_begin(text, begin - 1);
    const std::size_t end = code_point_end(text, begin);
    const bool ascii = is_ascii(text[begin]) && is_ascii(text[previous]);
    if (ascii ? text[begin] != '\n' || text[previous] != '\r'
              : surely_breaks(code_point(text.substr(previous, begin - previous)), code_point(text.substr(begin, end - begin)))) {
      break;
    }
    begin = previous;
  }
  return begin == border ? border : last_break(text, begin, border);
}

}  // namespace inlay::text
