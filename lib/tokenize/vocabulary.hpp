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

  /// Entries in the order of the file; of two with the same text the later one counts. Ids may have gaps. Throws Error (invalid_model),
  /// naming `label` and the token, for an id below 0 or above largest_id (2^24 - 2), and for two texts with one id.
  Vocabulary(std::vector<VocabularyEntry> entries, std::string_view label);

  [[nodiscard]] std::optional<TokenId> find(std::string_view text) const noexcept;
  /// "" for an id that is not there.
  [[nodiscard]] std::string_view text(TokenId id) const noexcept;

  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }             ///< distinct texts
  [[nodiscard]] std::size_t id_limit() const noexcept { return starts_.size() - 1; }  ///< one more than the largest id
  [[nodiscard]] const ByteTrie& trie() const noexcept { return trie_; }
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  std::size_t entries_ = 0;
  std::optional<TokenId> empty_text_;  // the trie holds no empty key
  std::string texts_;                  // one behind the other, by id
  std::vector<std::uint32_t> starts_;  // id_limit() + 1 of them
  ByteTrie trie_;
};

}  // namespace inlay::tokenize
