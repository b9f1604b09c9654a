#include "code/parse/plain_c.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace inlay::code {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";
constexpr std::string_view blanks_of_line = " \t\f\v";

bool is_capital(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_capital(c) || (c >= 'a' && c <= 'z') || is_digit(c); }

// A word in capitals that is no type's name: T and ID are.
bool is_macro(std::string_view word) {
  constexpr std::size_t shortest = 3;
  return word.size() >= shortest && is_capital(word.front()) &&
         std::ranges::all_of(word, [](char c) { return is_capital(c) || is_digit(c); });
}

// Whether what is in brackets behind this word may be a function's parameters.
bool may_be_function(std::string_view word) {
  constexpr auto others = std::to_array<std::string_view>({"if", "while", "for", "switch", "catch", "return", "sizeof", "new", "alignas",
                                                           "__attribute__", "__declspec", "decltype", "explicit", "noexcept", "defined"});
  return !word.empty() && !is_macro(word) && std::ranges::find(others, word) == others.end();
}

class Mender {
 public:
  explicit Mender(std::string_view source) : source_(source) {}

  std::string run() {
    for (std::size_t at = 0; at < source_.size();) at = step(at);
    return std::move(plain_);
  }

 private:
  [[nodiscard]] bool is_at(std::size_t at, std::string_view text) const { return source_.substr(at).starts_with(text); }

  [[nodiscard]] std::size_t behind_word(std::size_t at) const {
    while (at < source_.size() && is_word(source_[at])) ++at;
    return at;
  }
  [[nodiscard]] std::string_view word_at(std::size_t at) const { return source_.substr(at, behind_word(at) - at); }

  [[nodiscard]] std::size_t behind(std::size_t at, std::string_view characters) const {
    return std::min(source_.find_first_not_of(characters, at), source_.size());
  }

  // Behind a preprocessor's line and those that go on behind a backslash.
  [[nodiscard]] std::size_t behind_directive(std::size_t at) const {
    for (;;) {
      at = source_.find('\n', at);
      if (at == std::string_view::npos) return source_.size();
      const std::size_t last = at > 0 && source_[at - 1] == '\r' ? at - 1 : at;
      ++at;
      if (last == 0 || source_[last - 1] != '\\') return at;
    }
  }

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

  // Behind a macro and what it is given in brackets; `at` itself where there is none.
  [[nodiscard]] std::size_t behind_macro(std::size_t at) const {
    constexpr std::size_t longest_arguments = 256;
    const std::size_t end = behind_word(at);
    if (!is_macro(source_.substr(at, end - at))) return at;
    const std::size_t open = behind(end, blanks_of_line);
    if (!is_at(open, "(")) return end;
    std::size_t depth = 0;
    for (std::size_t next = open; next < std::min(source_.size(), open + longest_arguments); ++next) {
      if (source_[next] == '(') ++depth;
      if (source_[next] == ')' && --depth == 0) return next + 1;
    }
    return at;
  }

  // Whether a class's name is at `at`, and then its bases or members.
  [[nodiscard]] bool is_class_head(std::size_t at) const {
    std::size_t next = behind_word(at);
    if (next == at || is_digit(source_[at])) return false;
    while (is_at(next, "::") && behind_word(next + 2) > next + 2) next = behind_word(next + 2);
    next = behind(next, blanks);
    if (word_at(next) == "final") next = behind(behind_word(next), blanks);
    if (is_at(next, ":")) return !is_at(next, "::");
    return is_at(next, "{") && !is_list(next + 1);
  }

  // {1, 2}: the first values of a variable, and no members.
  [[nodiscard]] bool is_list(std::size_t at) const {
    const std::size_t end = source_.find_first_of(";{}()#:", at);
    return end != std::string_view::npos && source_[end] == '}' && behind(at, blanks) < end;
  }

  void blank(std::size_t begin, std::size_t end) {
    if (plain_.empty()) plain_ = source_;
    const auto first = plain_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::replace_if(
        first, plain_.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return blanks.find(c) == std::string_view::npos; }, ' ');
  }

  // `class` ends at `at`: behind its macros, or `at` itself.
  std::size_t mend_class(std::size_t at) {
    constexpr int most_macros = 4;
    const std::size_t begin = behind(at, blanks);
    std::size_t next = begin;
    for (int macro = 0; macro < most_macros; ++macro) {
      const std::size_t end = behind_macro(next);
      if (end == next) break;
      next = behind(end, blanks);
      if (!is_class_head(next)) continue;
      blank(begin, end);
      return end;
    }
    return at;
  }

  // A function's parameters end at `at`: behind a macro on the same line, if its body comes then, or `at` itself.
  std::size_t mend_function(std::size_t at) {
    std::size_t next = behind(at, blanks_of_line);
    for (std::string_view word = word_at(next); word == "const" || word == "override" || word == "final" || word == "noexcept";
         word = word_at(next)) {
      next = behind(next + word.size(), blanks_of_line);
    }
    const std::size_t end = behind_macro(next);
    if (end == next || !is_at(behind(end, blanks), "{")) return at;
    blank(next, end);
    return end;
  }

  // What is at `at`, and where the next thing begins.
  std::size_t step(std::size_t at) {
    const char c = source_[at];
    if (c == '\n') is_line_begin_ = true;
    if (blanks.find(c) != std::string_view::npos) return at + 1;
    const bool is_line_begin = std::exchange(is_line_begin_, false);
    if (c == '#' && is_line_begin) {
      is_line_begin_ = true;
      return behind_directive(at);
    }
    if (const std::size_t behind = behind_text(at); behind != at) return behind;
    if (is_word(c)) {
      last_word_ = word_at(at);
      at += last_word_.size();
      return last_word_ == "class" || last_word_ == "struct" || last_word_ == "union" ? mend_class(at) : at;
    }
    const std::string_view word = std::exchange(last_word_, {});
    if (c == '(') functions_.push_back(may_be_function(word));
    if (c != ')' || functions_.empty()) return at + 1;
    const bool is_function = functions_.back();
    functions_.pop_back();
    return is_function ? mend_function(at + 1) : at + 1;
  }

  std::string_view source_;
  std::string plain_;
  bool is_line_begin_ = true;
  std::string_view last_word_;   // if there is nothing but blanks and comments behind it
  std::vector<bool> functions_;  // by open bracket, whether it may be a function's
};

}  // namespace

std::string plain_c(std::string_view source) { return Mender(source).run(); }

}  // namespace inlay::code
