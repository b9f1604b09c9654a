#include "code/parse/docstrings.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "text/utf8.hpp"

namespace inlay::code {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";
constexpr std::size_t tab_width = 8;

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

void append_character(std::string& text, std::uint32_t code) {
  constexpr std::uint32_t replacement = 0xFFFD;
  const bool valid = code < 0xD800 || (code > 0xDFFF && code <= 0x10FFFF);
  text::append_utf8(text, valid ? code : replacement);
}

// What follows a backslash: appended to `value`; gives how many characters it took, 0 where it is no escape.
std::size_t unescape(std::string_view text, std::string& value) {
  constexpr std::string_view letters = "abfnrtv\\'\"";
  constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"";
  if (const std::size_t letter = letters.find(text.front()); letter != std::string_view::npos) {
    value += meanings[letter];
    return 1;
  }
  if (text.front() == '\n') return 1;  // goes on in the next line
  if (text.front() >= '0' && text.front() <= '7') {
    std::uint32_t code = 0;
    std::size_t used = 0;
    for (; used < 3 && used < text.size() && text[used] >= '0' && text[used] <= '7'; ++used)
      code = code * 8 + static_cast<unsigned>(text[used] - '0');
    append_character(value, code);
    return used;
  }
  const std::size_t digits = text.front() == 'x' ? 2 : text.front() == 'u' ? 4 : text.front() == 'U' ? 8 : 0;
  if (digits == 0 || text.size() <= digits) return 0;
  std::uint32_t code = 0;
  for (const char character : text.substr(1, digits)) {
    const int digit = hex_digit(character);
    if (digit < 0) return 0;
    code = code * 16 + static_cast<std::uint32_t>(digit);
  }
  append_character(value, code);
  return digits + 1;
}

std::string unescaped(std::string_view text) {
  std::string value;
  value.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      if (const std::size_t used = unescape(text.substr(at + 1), value); used > 0) {
        at += used + 1;
        continue;
      }
    }
    value += text[at++];
  }
  return value;
}

// A literal's end is a newline however the file writes it.
std::string with_newlines(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') {
      if (at + 1 < text.size() && text[at + 1] == '\n') continue;
      result += '\n';
    } else {
      result += text[at];
    }
  }
  return result;
}

// One literal at the text's beginning, which it is taken from.
std::optional<std::string> take_literal(std::string_view& text) {
  bool raw = false;
  std::size_t at = 0;
  for (; at < text.size() && at < 3 && text[at] != '"' && text[at] != '\''; ++at) {
    if (text[at] == 'r' || text[at] == 'R') {
      raw = true;
    } else if (text[at] != 'u' && text[at] != 'U') {
      return std::nullopt;
    }
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return std::nullopt;
  const char quote = text[at];
  const bool triple = text.size() >= at + 6 && text[at + 1] == quote && text[at + 2] == quote;
  const std::size_t width = triple ? 3 : 1;
  const std::string_view end(text.substr(at, width));
  const std::size_t begin = at + width;
  for (at = begin; at < text.size() && !text.substr(at).starts_with(end); ++at) {
    if (text[at] == '\\') ++at;
  }
  if (at + width > text.size()) return std::nullopt;
  const std::string content = with_newlines(text.substr(begin, at - begin));
  text.remove_prefix(at + width);
  return raw ? content : unescaped(content);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string_view trimmed_left(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::string_view trimmed_right(std::string_view text) {
  const std::size_t end = text.find_last_not_of(blanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

// str.expandtabs: columns are code points, counted from the last line break.
std::string expanded_tabs(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  std::size_t column = 0;
  for (const char character : text) {
    if (character == '\t') {
      const std::size_t spaces = tab_width - column % tab_width;
      result.append(spaces, ' ');
      column += spaces;
      continue;
    }
    result += character;
    if (character == '\n' || character == '\r') {
      column = 0;
    } else if ((static_cast<unsigned char>(character) & 0xC0U) != 0x80U) {
      ++column;
    }
  }
  return result;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (&line != &lines.front()) text += '\n';
    text += line;
  }
  return text;
}

// <summary>, </summary> and the like are gone; of <see cref="Name"/> the name is left.
std::string without_tags(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t open = text.find('<');
    result.append(text.substr(0, open));
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    const std::size_t close = text.find_first_of(">\n", 1);
    const bool is_tag =
        close != std::string_view::npos && text[close] == '>' && text.size() > 2 && (text[1] == '/' || (text[1] >= 'a' && text[1] <= 'z'));
    if (!is_tag) {
      result += '<';
      text.remove_prefix(1);
      continue;
    }
    const std::string_view tag = text.substr(0, close);
    for (const std::string_view attribute : {std::string_view("cref=\""), std::string_view("name=\""), std::string_view("langword=\"")}) {
      if (const std::size_t at = tag.find(attribute); at != std::string_view::npos) {
        const std::string_view value = tag.substr(at + attribute.size());
        result.append(value.substr(0, value.find('"')));
        if (tag.back() != '/') result += ": ";
        break;
      }
    }
    text.remove_prefix(close + 1);
  }
  return result;
}

// &lt; and the other four that XML itself has.
std::string without_entities(std::string_view text) {
  constexpr std::pair<std::string_view, char> entities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto* entity = std::ranges::find_if(entities, [&](const auto& known) { return text.substr(at).starts_with(known.first); });
    result += entity == std::end(entities) ? text[at] : entity->second;
    at += entity == std::end(entities) ? 1 : entity->first.size();
  }
  return result;
}

bool is_documentation(std::string_view comment, Docs docs) {
  const bool block = comment.starts_with("/**") || comment.starts_with("/*!");
  const bool line = comment.starts_with("///") || comment.starts_with("//!");
  switch (docs) {
    case Docs::block_marked: return block;
    case Docs::marked: return block || line;
    case Docs::xml: return line;
    default: return true;
  }
}

// What is for a tool, and not for a reader: compiler directives, magic comments, linters' switches.
bool is_directive(std::string_view comment) {
  for (const std::string_view marker : {"//go:", "//nolint", "// +build", "//export ", "//line ", "#!"}) {
    if (comment.starts_with(marker)) return true;
  }
  const std::string_view text = trimmed_left(comment.substr(std::min(comment.find_first_not_of("/*#"), comment.size())));
  for (const std::string_view word : {"eslint-", "rubocop:", "shellcheck ", "frozen_string_literal:", "encoding:", "-*-",
                                      "typed:", "clang-format ", "NOLINT", "prettier-ignore", "@ts-"}) {
    if (text.starts_with(word)) return true;
  }
  return false;
}

// The comment that a run of them begins with, with what separates it from the next.
std::string_view first_comment(std::string_view comments) {
  std::size_t end = comments.find('\n');
  if (comments.starts_with("/*")) {
    const std::size_t close = comments.find("*/", 2);
    end = close == std::string_view::npos ? close : comments.find_first_not_of(blanks, close + 2);
    return comments.substr(0, end);
  }
  if (comments.starts_with("=begin")) {
    const std::size_t close = comments.find("\n=end");
    end = close == std::string_view::npos ? close : comments.find('\n', close + 1);
  }
  return end == std::string_view::npos ? comments : comments.substr(0, comments.find_first_not_of(blanks, end));
}

// Of comments that follow one another the last ones that are documentation: others may stand before them, between and behind.
CommentText documentation_of(std::string_view comments, Docs docs) {
  CommentText found;
  bool ended = true;
  for (std::size_t at = 0; at < comments.size();) {
    const std::string_view comment = first_comment(comments.substr(at));
    const bool counts = is_documentation(comment, docs) && !is_directive(comment);
    if (counts && (found.text.empty() || (ended && docs != Docs::any_comment))) found = {{}, at};
    if (counts) found.text += comment;
    ended = !counts;
    at += comment.size();
  }
  return found;
}

}  // namespace

std::optional<std::string> python_string_value(std::string_view literals) {
  std::string value;
  bool found = false;
  for (;;) {
    // Between parts stand blanks, comments, and line breaks behind a backslash.
    for (literals = trimmed_left(literals); literals.starts_with('#') || literals.starts_with('\\'); literals = trimmed_left(literals)) {
      const std::size_t end = literals.find('\n');
      literals.remove_prefix(end == std::string_view::npos ? literals.size() : end);
    }
    if (literals.empty()) return found ? std::optional(value) : std::nullopt;
    const auto part = take_literal(literals);
    if (!part) return std::nullopt;
    value += *part;
    found = true;
  }
}

std::string clean_docstring(std::string_view docstring) {
  const std::string text = expanded_tabs(docstring);
  std::vector<std::string> lines;
  std::size_t margin = std::numeric_limits<std::size_t>::max();
  for (const std::string_view line : lines_of(text)) {
    if (lines.empty()) {
      lines.emplace_back(trimmed_left(line));
      continue;
    }
    lines.emplace_back(line);
    if (const std::string_view content = trimmed_left(line); !content.empty()) margin = std::min(margin, line.size() - content.size());
  }
  if (margin != std::numeric_limits<std::size_t>::max()) {
    for (std::size_t line = 1; line < lines.size(); ++line) lines[line].erase(0, std::min(margin, lines[line].size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  lines.erase(lines.begin(), std::ranges::find_if_not(lines, [](const std::string& line) { return line.empty(); }));
  return joined(lines);
}

CommentText comment_text(std::string_view comments, Docs docs) {
  const auto [documentation, begin] = documentation_of(comments, docs);
  if (documentation.empty()) return {};
  std::vector<std::string> lines;
  std::size_t margin = std::numeric_limits<std::size_t>::max();
  for (std::string_view line : lines_of(documentation)) {
    if (line.starts_with("=begin") || line.starts_with("=end")) line = {};
    line = trimmed_left(trimmed_right(line));
    const bool opens = line.starts_with("/*");  // what stands behind it is indented as its author liked
    bool marked = false;
    for (const std::string_view marker : {std::string_view("/**"), std::string_view("/*!"), std::string_view("/*"), std::string_view("///"),
                                          std::string_view("//!"), std::string_view("//")}) {
      if (!line.starts_with(marker) || line == "*/") continue;
      line.remove_prefix(marker.size());
      marked = true;
      break;
    }
    if (line.ends_with("*/")) line = trimmed_right(line.substr(0, line.size() - 2));
    if (marked) {
      line = line.substr(std::min(line.find_first_not_of("*/<!"), line.size()));  // a frame of stars, "///<"
    } else if (line.starts_with('#') || line.starts_with('*')) {
      line = line.substr(std::min(line.find_first_not_of(line.front()), line.size()));
    }
    if (opens) line = trimmed_left(line);
    if (const std::string_view content = trimmed_left(line); !content.empty() && !opens)
      margin = std::min(margin, line.size() - content.size());
    lines.emplace_back(line);
  }
  if (margin != std::numeric_limits<std::size_t>::max()) {  // the first line of a block has none
    for (std::string& line : lines) line.erase(0, std::min(margin, line.find_first_not_of(blanks)));
  }
  while (!lines.empty() && trimmed_left(lines.back()).empty()) lines.pop_back();
  lines.erase(lines.begin(), std::ranges::find_if_not(lines, [](const std::string& line) { return trimmed_left(line).empty(); }));
  std::string text = joined(lines);
  if (docs != Docs::xml) return {std::move(text), begin};
  const std::string plain = without_entities(without_tags(text));
  return {std::string(trimmed_left(trimmed_right(plain))), begin};
}

}  // namespace inlay::code
