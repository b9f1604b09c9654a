#include "code/parse/plain_c.hpp"

#include <algorithm>
#include <cstddef>

namespace inlay::code {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

bool is_capital(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_capital(c) || (c >= 'a' && c <= 'z') || is_digit(c); }

// Positions in a source, each behind something that begins at `at`.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  [[nodiscard]] bool is_at(std::size_t at, std::string_view text) const { return source_.substr(at).starts_with(text); }

  [[nodiscard]] std::size_t behind_word(std::size_t at) const {
    while (at < source_.size() && is_word(source_[at])) ++at;
    return at;
  }

  [[nodiscard]] std::size_t behind_blanks(std::size_t at) const { return std::min(source_.find_first_not_of(blanks, at), source_.size()); }

  // Behind a comment, string or character, else `at` itself.
  [[nodiscard]] std::size_t behind_text(std::size_t at) const {
    if (is_at(at, "//")) return std::min(source_.find('\n', at), source_.size());
    if (is_at(at, "/*")) {
      const std::size_t close = source_.find("*/", at + 2);
      return close == std::string_view::npos ? source_.size() : close + 2;
    }
    const char quote = source_[at];
    const bool is_quote = quote == '"' || (quote == '\'' && (at == 0 || !is_word(source_[at - 1])));  // 1'000 is no character
    if (!is_quote) return at;
    for (++at; at < source_.size() && source_[at] != quote && source_[at] != '\n'; ++at) at += source_[at] == '\\' ? 1 : 0;
    return std::min(at + 1, source_.size());
  }

  // Behind a word in capitals and what it is given in brackets; `at` itself where there is none.
  [[nodiscard]] std::size_t behind_macro(std::size_t at) const {
    constexpr std::size_t shortest = 3;  // T and ID are types
    constexpr std::size_t longest_arguments = 256;
    const std::size_t end = behind_word(at);
    const std::string_view word = source_.substr(at, end - at);
    if (word.size() < shortest || !is_capital(word.front())) return at;
    if (std::ranges::any_of(word, [](char c) { return !is_capital(c) && !is_digit(c); })) return at;
    const std::size_t open = behind_blanks(end);
    if (!is_at(open, "(")) return end;
    std::size_t depth = 0;
    for (std::size_t next = open; next < std::min(source_.size(), open + longest_arguments); ++next) {
      if (source_[next] == '(') ++depth;
      if (source_[next] == ')' && --depth == 0) return next + 1;
    }
    return at;
  }

 private:
  std::string_view source_;
};

}  // namespace

std::string plain_c(std::string_view source) {
  const Reader reader(source);
  std::string plain;
  // Blanks the macros that begin at `at`, if what stands behind them is what `ends` asks for.
  const auto blank_macros = [&](std::size_t at, const auto& ends) {
    const std::size_t begin = at;
    std::size_t end = at;
    for (std::size_t next = reader.behind_macro(at); next != at; next = reader.behind_macro(at)) {
      end = next;
      at = reader.behind_blanks(next);
      if (!ends(at)) continue;
      if (plain.empty()) plain = source;
      const auto from = plain.begin() + static_cast<std::ptrdiff_t>(begin);
      std::replace_if(
          from, plain.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return blanks.find(c) == std::string_view::npos; }, ' ');
      return end;
    }
    return begin;
  };
  const auto is_class_head = [&](std::size_t at) {  // a name, and then its bases or members
    std::size_t next = reader.behind_word(at);
    if (next == at || is_digit(source[at])) return false;
    while (reader.is_at(next, "::") && reader.behind_word(next + 2) > next + 2) next = reader.behind_word(next + 2);
    next = reader.behind_blanks(next);
    if (reader.is_at(next, "final")) next = reader.behind_blanks(next + std::string_view("final").size());
    return reader.is_at(next, "{") || (reader.is_at(next, ":") && !reader.is_at(next, "::"));
  };
  const auto is_body = [&](std::size_t at) { return reader.is_at(at, "{"); };

  for (std::size_t at = 0; at < source.size();) {
    if (const std::size_t behind = reader.behind_text(at); behind != at) {
      at = behind;
    } else if (is_word(source[at])) {
      const std::size_t end = reader.behind_word(at);
      const std::string_view word = source.substr(at, end - at);
      at = end;
      if (word == "class" || word == "struct" || word == "union") {
        at = blank_macros(reader.behind_blanks(end), is_class_head);
      } else if (word == "const" || word == "override" || word == "noexcept") {
        at = blank_macros(reader.behind_blanks(end), is_body);
      }
    } else {
      const bool closes = source[at++] == ')';
      if (closes) at = blank_macros(reader.behind_blanks(at), is_body);
    }
  }
  return plain;
}

}  // namespace inlay::code
