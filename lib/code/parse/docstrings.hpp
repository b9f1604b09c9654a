// What a definition's author says of it: Python's docstrings, and the comments that stand for them elsewhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "code/parse/language_rules.hpp"

namespace inlay::code {

/// A string literal's value as Python's own compiler makes it, with its prefix and quotes, parts that follow one another joined; nothing where
/// it is none, or not one that a docstring can be (bytes, f-strings). Names of characters (\N{...}) stay as they are; a surrogate is U+FFFD.
[[nodiscard]] std::optional<std::string> python_string_value(std::string_view literals);

/// inspect.cleandoc: tabs of 8 columns, the margin that all lines but the first share, and empty lines at either end are gone.
[[nodiscard]] std::string clean_docstring(std::string_view docstring);

struct CommentText {
  std::string text{};
  std::size_t begin = 0;  ///< of the first comment that is in the text
};

/// The text of comments that follow one another, without their markers: of those that this language counts as documentation, the last ones in a row;
/// directives for tools (//go:, eslint-disable, magic comments) are none.
/// `comments` reaches from the first one's beginning to the last one's end.
[[nodiscard]] CommentText comment_text(std::string_view comments, Docs docs);

}  // namespace inlay::code
