// TokenModel: from a word, as normalisers and pre-tokenizers leave it, to tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "inlay/tokenizer.hpp"
#include "tokenize/vocabulary.hpp"

namespace inlay::tokenize {

struct ModelToken {
  TokenId id;
  std::uint32_t begin;  ///< in the word, in bytes
  std::uint32_t end;
  bool is_text = false;  ///< it is called what the word says there, not what the vocabulary says: an unknown token of Unigram
};

/// Immutable: any number of threads may call one.
class TokenModel {
 public:
  virtual ~TokenModel() = default;

  /// Appends the tokens of a word: well-formed UTF-8 of less than 4 GB, not empty.
  virtual void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const = 0;

  [[nodiscard]] virtual const Vocabulary& vocabulary() const noexcept = 0;

  /// How many tokens the reference counts: the id of the first added one.
  [[nodiscard]] virtual std::size_t size() const noexcept { return vocabulary().entries(); }

  /// Bytes, the vocabulary's included.
  [[nodiscard]] virtual std::size_t memory() const noexcept = 0;

 protected:
  TokenModel() = default;
  TokenModel(const TokenModel&) = delete;
  TokenModel& operator=(const TokenModel&) = delete;
};

}  // namespace inlay::tokenize
