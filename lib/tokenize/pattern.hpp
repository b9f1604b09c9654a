// Pattern: what "Split" and "Replace" look for, a literal text or a regular expression.
//
// The reference matches its regular expressions with Oniguruma, in Ruby's syntax; so do we, as no other engine reads each of them alike.
// Which characters \p{L} and its like match depends on the installed version: 6.9.8 knows Unicode 14, the reference's a newer one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

/// A part of a text that matches, or one between matches.
struct Part {
  std::size_t begin;
  std::size_t end;
  bool matches;
};

class Pattern {
 public:
  static Pattern literal(std::string text);
  /// Throws Error (invalid_model), naming `where` and the expression, when it is none.
  static Pattern regex(std::string_view expression, std::string_view where);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// The whole text, in parts; well-formed UTF-8. Any thread. Throws Error (unsupported) when the expression takes too many steps on it.
  [[nodiscard]] std::vector<Part> split(std::string_view text) const;

 private:
  class Regex;
  Pattern();
  [[nodiscard]] std::vector<Part> split_by_literal(std::string_view text) const;

  std::string literal_;
  std::unique_ptr<const Regex> regex_;
};

}  // namespace inlay::tokenize
