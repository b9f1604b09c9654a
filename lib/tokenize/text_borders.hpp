// Where a text may be cut: by separators, between graphemes, between code points.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inlay/tokenizer.hpp"

namespace inlay::tokenize {

/// The places where separators divide a text. Refers to the text and the separators.
class SeparatorCuts {
 public:
  static constexpr std::size_t none = std::string_view::npos;

  /// `separators` end before the first empty one.
  SeparatorCuts(std::string_view text, std::span<const std::string> separators);

  [[nodiscard]] std::size_t separators() const noexcept { return separators_.size(); }

  /// Inside `range`, its ends excluded, by the separator's occurrences in it that do not overlap one another.
  [[nodiscard]] std::vector<std::size_t> all(std::size_t separator, ByteRange range) const;

  /// The first of them, also by an occurrence that begins before the range; none where there is none.
  [[nodiscard]] std::size_t first(std::size_t separator, ByteRange range) const;

 private:
  struct Separator {
    std::string_view text;
    std::size_t closing = 0;           ///< bytes of an occurrence that lie before its cut
    bool is_indexed = false;           ///< it begins a line
    std::vector<std::size_t> index{};  ///< if so: all its occurrences
  };

  void index_lines();
  [[nodiscard]] std::size_t next_occurrence(const Separator& separator, std::size_t from, std::size_t end) const;
  [[nodiscard]] std::size_t cut(const Separator& separator, std::size_t occurrence, std::size_t begin) const;

  std::string_view text_;
  std::vector<Separator> separators_;
};

/// The borders in a stretch of text. Its end is one, its beginning none.
class TextBorders {
 public:
  enum class Between { pieces, graphemes, code_points };

  /// At these positions; the last one is the end.
  TextBorders(std::size_t begin, std::vector<std::size_t> cuts) : range_{begin, cuts.back()}, cuts_(std::move(cuts)) {}

  /// Refers to the whole text.
  TextBorders(std::string_view whole, ByteRange range, Between between) : between_(between), whole_(whole), range_(range) {}

  [[nodiscard]] ByteRange range() const noexcept { return range_; }

  /// The last border at or before `position`; the stretch's beginning where there is none.
  [[nodiscard]] std::size_t upto(std::size_t position) const noexcept;

  /// The first border behind `position`, which lies before the end.
  [[nodiscard]] std::size_t after(std::size_t position) const noexcept;

 private:
  Between between_ = Between::pieces;
  std::string_view whole_{};
  ByteRange range_;
  std::vector<std::size_t> cuts_{};
};

}  // namespace inlay::tokenize
