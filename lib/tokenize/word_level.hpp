// WordLevel: a word is a token, or unknown.
#pragma once

#include <string_view>
#include <utility>

#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

class WordLevelModel final : public TokenModel {
 public:
  WordLevelModel(Vocabulary vocabulary, std::string_view unknown_token, std::string_view label)
      : vocabulary_(std::move(vocabulary)), unknown_(vocabulary_, unknown_token, label) {}

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override {
    const auto id = vocabulary_.find(word);
    tokens.push_back({id ? *id : unknown_.id(), 0, static_cast<std::uint32_t>(word.size())});
  }
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::size_t memory() const noexcept override { return sizeof *this + vocabulary_.memory(); }

 private:
  Vocabulary vocabulary_;
  UnknownToken unknown_;
};

}  // namespace inlay::tokenize
