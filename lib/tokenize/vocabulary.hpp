// Vocabulary: a model's tokens by id, and their ids by text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "tokenize/byte_trie.hpp"

namespace inlay::tokenize {

struct VocabularyEntry {
  std::string_view text;
  std::int64_t id;
};

class Vocabulary {
 public:
  static constexpr std::int64_t largest_id = ByteTrie::largest_value;

  /// Entries in the order of the file; of two with the same text the later one counts. Ids may have gaps; of several texts with one id the
  /// last in the order of their bytes is the id's. Throws Error (invalid_model), naming `label` and the token, for an id below 0 or above
  /// largest_id (2^24 - 2).
  Vocabulary(std::vector<VocabularyEntry> entries, std::string_view label);

  /// For models that look for tokens from each place of a word: with one that is very long they would take ages. Throws Error (unsupported),
  /// naming `label` and its id, for one of more than longest_searched bytes.
  static constexpr std::size_t longest_searched = 1000;
  void check_lengths(std::string_view label) const;

  [[nodiscard]] std::optional<TokenId> find(std::string_view text) const noexcept;
  /// "" for an id that is not there.
  [[nodiscard]] std::string_view text(TokenId id) const noexcept;

  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }             ///< distinct texts
  [[nodiscard]] bool shares_ids() const noexcept { return shares_ids_; }              ///< whether several texts have one id
  [[nodiscard]] std::size_t id_limit() const noexcept { return starts_.size() - 1; }  ///< one more than the largest id
  [[nodiscard]] const ByteTrie& trie() const noexcept { return trie_; }
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  std::size_t entries_ = 0;
  bool shares_ids_ = false;
  std::optional<TokenId> empty_text_;  // the trie holds no empty key
  std::string texts_;                  // one behind the other, by id
  std::vector<std::uint32_t> starts_;  // id_limit() + 1 of them
  ByteTrie trie_;
};

/// The token of words that a model lacks. The vocabulary may lack it, too: as in the reference, that counts when a text needs it.
class UnknownToken {
 public:
  UnknownToken(const Vocabulary& vocabulary, std::string_view text, std::string_view label)
      : id_(vocabulary.find(text)), text_(text), label_(label) {}
  [[nodiscard]] bool known() const noexcept { return id_.has_value(); }
  /// Throws Error (invalid_model), naming the label and the token, when the vocabulary lacks it.
  [[nodiscard]] TokenId id() const { return id_ ? *id_ : fail(); }

 private:
  [[noreturn]] TokenId fail() const;

  std::optional<TokenId> id_;
  std::string text_;
  std::string label_;
};

}  // namespace inlay::tokenize
