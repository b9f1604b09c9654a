// Added tokens: texts that are one token wherever they stand, found before the model sees the text. As the reference does it: those that
// are not `normalized` are looked for in the raw text, the others in what the normaliser leaves of the stretches between; leftmost first,
// longest of those that begin together.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenize/vocabulary.hpp"

namespace inlay::tokenize {

struct AddedToken {
  std::string content;
  bool special = false;
  bool single_word = false;  ///< not beside a word character
  bool lstrip = false;       ///< takes the white space on its left with it
  bool rstrip = false;       ///< and on its right
  bool normalized = true;
};

/// Finds a set of texts in another.
class TokenMatcher {
 public:
  struct Pattern {
    std::string text;
    TokenId id;
    bool single_word;
    bool lstrip;
    bool rstrip;
  };

  TokenMatcher() = default;
  /// Of patterns with the same text the first counts; empty ones match nothing.
  explicit TokenMatcher(std::vector<Pattern> patterns);

  [[nodiscard]] bool empty() const noexcept { return patterns_.empty(); }
  [[nodiscard]] std::size_t memory() const noexcept;

  /// Calls on_text(std::string_view) and on_token(TokenId, std::string_view) for what the text consists of, from left to right; with the
  /// bytes of the text that it is. Those of a token can begin inside the one before it, whose rstrip took white space that it begins with.
  template <typename OnText, typename OnToken>
  void split(std::string_view text, const OnText& on_text, const OnToken& on_token) const {
    std::size_t done = 0;
    for (std::size_t position = 0; auto match = next_match(text, position);) {
      position = match->end;
      const Pattern& pattern = *match->pattern;
      if (pattern.single_word && touches_word(text, *match)) continue;
      std::size_t start = match->start;
      std::size_t end = match->end;
      if (pattern.lstrip) start = std::max(done, white_space_before(text, start));
      if (pattern.rstrip) end = white_space_behind(text, end);
      if (done < start) on_text(text.substr(done, start - done));
      on_token(pattern.id, text.substr(start, end - start));
      done = end;  // the search goes on at match->end all the same: white space taken by rstrip can be a token of its own
    }
    if (done < text.size()) on_text(text.substr(done));
  }

 private:
  struct Match {
    std::size_t start;
    std::size_t end;
    const Pattern* pattern;
  };

  [[nodiscard]] std::optional<Match> next_match(std::string_view text, std::size_t position) const noexcept;
  [[nodiscard]] static bool touches_word(std::string_view text, const Match& match) noexcept;
  [[nodiscard]] static std::size_t white_space_before(std::string_view text, std::size_t position) noexcept;
  [[nodiscard]] static std::size_t white_space_behind(std::string_view text, std::size_t position) noexcept;

  std::vector<Pattern> patterns_;
  ByteTrie trie_;  // to the index in patterns_
  std::array<bool, 256> begins_{};
  int only_begin_ = -1;  // the byte that every pattern begins with
};

class AddedTokens {
 public:
  using Normalize = std::function<std::string(std::string_view)>;

  /// `tokens` in the order in which they are added. One that the vocabulary holds has its id there; others get ids from first_new_id on.
  AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, std::size_t first_new_id, const Normalize& normalize);

  [[nodiscard]] const TokenMatcher& raw() const noexcept { return raw_; }
  [[nodiscard]] const TokenMatcher& normalized() const noexcept { return normalized_; }

  [[nodiscard]] std::optional<TokenId> find(std::string_view content) const noexcept;
  /// "" for an id that none of them has.
  [[nodiscard]] std::string_view text(TokenId id) const noexcept;
  [[nodiscard]] std::size_t id_limit() const noexcept;
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  struct Entry {
    TokenId id;
    AddedToken token;
  };
  [[nodiscard]] const Entry* entry(TokenId id) const noexcept;

  std::vector<Entry> entries_;  // sorted by id
  TokenMatcher raw_;
  TokenMatcher normalized_;
};

}  // namespace inlay::tokenize
