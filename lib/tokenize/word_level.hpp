// WordLevel: a word is a token, or unknown.
#pragma once

#include <string>

#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

class WordLevelModel final : public TokenModel {
 public:
  /// Throws Error (invalid_model), naming `label`, when the vocabulary lacks the unknown token.
  WordLevelModel(Vocabulary vocabulary, std::string_view unknown_token, std::string_view label);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override {
    tokens.push_back({vocabulary_.find(word).value_or(unknown_), 0, static_cast<std::uint32_t>(word.size())});
  }
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::size_t memory() const noexcept override { return sizeof *this + vocabulary_.memory(); }

 private:
  Vocabulary vocabulary_;
  TokenId unknown_ = 0;
};

}  // namespace inlay::tokenize
