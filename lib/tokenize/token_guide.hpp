// TokenGuide: about how many tokens the parts of a text have. Its tokens are counted once, in stretches that end before white space where
// they can; a part's are the sum of its stretches and of what it has of the first and last one.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "inlay/text_splitter.hpp"
#include "tokenize/text_borders.hpp"

namespace inlay::tokenize {

/// Exact for a counter that adds up over such stretches (characters, words), near it for tokenizers. Refers to the text and the counter.
class TokenGuide {
 public:
  /// `stretch`: about how many bytes are counted at once.
  TokenGuide(std::string_view text, const TokenCounter& counter, std::size_t stretch);

  [[nodiscard]] std::size_t total() const noexcept { return before_.back(); }
  [[nodiscard]] std::size_t tokens(ByteRange part) const;

  struct Reach {
    std::size_t position;
    std::size_t tokens;  ///< up to there
  };
  /// The last of the borders that a part from `begin` to it has at most `tokens` tokens; `begin` or before it where there is none.
  [[nodiscard]] Reach furthest(std::size_t begin, std::size_t tokens, const TextBorders& borders) const;

  /// The first position, between code points, from where up to `end` there are at most `tokens` tokens.
  [[nodiscard]] std::size_t earliest(std::size_t end, std::size_t tokens) const;

 private:
  [[nodiscard]] std::size_t stretch_of(std::size_t position) const noexcept;
  [[nodiscard]] std::size_t count(std::size_t begin, std::size_t end) const {
    return begin < end ? counter_(text_.substr(begin, end - begin)) : 0;
  }

  std::string_view text_;
  const TokenCounter& counter_;
  std::vector<std::size_t> starts_;  // of the stretches, and the text's end
  std::vector<std::size_t> before_;  // tokens before each of these
};

}  // namespace inlay::tokenize
