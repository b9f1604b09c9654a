// PostProcessor: what a text's tokens are put between, and which spaces their offsets leave out, step by step as the reference does it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "tokenize/aligned_text.hpp"

namespace inlay::tokenize {

/// A token, where it is in the text, and how many white spaces its own text begins and ends with.
struct PlacedToken {
  TokenId id = 0;
  TextRange range;
  std::uint32_t leading_spaces = 0;
  std::uint32_t trailing_spaces = 0;
};

/// White space as byte-level text has it, U+0120, or as itself.
[[nodiscard]] PlacedToken placed(TokenId id, TextRange range, std::string_view token_text) noexcept;

class PostProcessor {
 public:
  /// ids around a text.
  void add_special_tokens(const std::vector<TokenId>& before, const std::vector<TokenId>& behind);
  /// Offsets without the spaces that a token's text begins and ends with.
  void add_trimming(bool add_prefix_space);

  [[nodiscard]] const std::vector<TokenId>& before() const noexcept { return before_; }
  [[nodiscard]] const std::vector<TokenId>& behind() const noexcept { return behind_; }

  /// The steps on the tokens of `text`, well-formed UTF-8.
  void process(std::string_view text, std::vector<PlacedToken>& tokens) const;

 private:
  struct Step {
    bool trims;
    bool add_prefix_space;
    std::vector<TokenId> before;
    std::vector<TokenId> behind;
  };
  std::vector<Step> steps_;
  std::vector<TokenId> before_;  // of all steps
  std::vector<TokenId> behind_;
};

}  // namespace inlay::tokenize
