// Added tokens: texts that are one token wherever they stand, found before the model sees the text. As the reference does it: those that
// are not `normalized` are looked for in the raw text, the others in what the normaliser leaves of the stretches between; leftmost first,
// longest of those that begin together.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenize/aho_corasick.hpp"
#include "tokenize/byte_trie.hpp"
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
  /// Of patterns with the same text the first counts. The empty one matches between any two characters where no other one begins or ends.
  explicit TokenMatcher(std::vector<Pattern> patterns);

  [[nodiscard]] bool empty() const noexcept { return patterns_.empty() && !empty_pattern_; }
  [[nodiscard]] std::size_t memory() const noexcept;

  /// Calls on_text(std::string_view) and on_token(TokenId, std::string_view) for what the text consists of, from left to right; with the
  /// bytes of the text that it is. Those of a token can begin inside the one before it, whose rstrip took white space that it begins with.
  template <typename OnText, typename OnToken>
  void split(std::string_view text, const OnText& on_text, const OnToken& on_token) const {
    std::size_t done = 0;
    std::size_t space_end = 0;  // of the white space that an rstrip took last
    const auto tell = [&](const Match& match) {
      const Pattern& pattern = *match.pattern;
      if (pattern.single_word && touches_word(text, match)) return;
      std::size_t start = match.start;
      std::size_t end = match.end;
      if (pattern.lstrip) start = std::max(done, white_space_before(text, start, done));
      if (pattern.rstrip) end = space_end = end < space_end ? space_end : white_space_behind(text, end);
      if (start > end) return;  // inside white space that is taken: the reference panics
      if (done < start) on_text(text.substr(done, start - done));
      if (start < end) on_token(pattern.id, text.substr(start, end - start));
      done = end;  // the search goes on at match.end all the same: white space taken by rstrip can be a token of its own
    };
    Search search(*this, text);
    for (std::size_t position = 0;;) {
      const auto match = search.next(position);
      if (empty_pattern_) {
        const std::size_t limit = match ? match->start : text.size() + 1;
        for (std::size_t place = position; place < limit; place += character_length(text, place)) {
          if (place != position || position == 0) tell({place, place, &*empty_pattern_});
        }
      }
      if (!match) break;
      tell(*match);
      position = match->end;
    }
    if (done < text.size()) on_text(text.substr(done));
  }

 private:
  struct Match {
    std::size_t start;
    std::size_t end;
    const Pattern* pattern;
  };

  // Finds a text's matches from left to right.
  class Search {
   public:
    Search(const TokenMatcher& matcher, std::string_view text) noexcept : matcher_(matcher), text_(text) {}
    /// The leftmost match at or behind `position`, which only grows, and of those that begin there the longest.
    [[nodiscard]] std::optional<Match> next(std::size_t position) {
      if (matcher_.patterns_.empty()) return std::nullopt;
      return matcher_.trie_ ? next_of_short(position) : next_of_long(position);
    }

   private:
    [[nodiscard]] std::optional<Match> next_of_short(std::size_t position) const noexcept;
    [[nodiscard]] std::optional<Match> next_of_long(std::size_t position);

    const TokenMatcher& matcher_;
    std::string_view text_;
    std::size_t searched_ = 0;               // up to here found_ is complete
    std::vector<AhoCorasick::Match> found_;  // the last one first
  };

  // Walking the trie from each place of a text again costs up to this many steps a byte.
  static constexpr std::size_t longest_of_short = 128;

  [[nodiscard]] static std::size_t character_length(std::string_view text, std::size_t position) noexcept;
  [[nodiscard]] static bool touches_word(std::string_view text, const Match& match) noexcept;
  [[nodiscard]] static std::size_t white_space_before(std::string_view text, std::size_t position, std::size_t limit) noexcept;
  [[nodiscard]] static std::size_t white_space_behind(std::string_view text, std::size_t position) noexcept;

  std::vector<Pattern> patterns_;  // but the empty one
  std::optional<Pattern> empty_pattern_;
  std::optional<ByteTrie> trie_;  // to the index in patterns_; none where one of them is long
  AhoCorasick automaton_;         // then this
  std::array<bool, 256> begins_{};
  int only_begin_ = -1;  // the byte that every pattern begins with
};

class AddedTokens {
 public:
  using Normalize = std::function<std::string(std::string_view)>;

  /// `tokens` in the order in which they are added. One that the vocabulary holds has its id there; others get ids from first_new_id on.
  /// Of several with one id the last counts, with all its flags.
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

  std::vector<Entry> entries_;                        // sorted by id
  std::vector<std::pair<std::string, TokenId>> ids_;  // sorted by content
  TokenMatcher raw_;
  TokenMatcher normalized_;
};

}  // namespace inlay::tokenize
