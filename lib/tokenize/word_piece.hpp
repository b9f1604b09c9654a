// WordPiece: each word is cut, from the left, into the longest pieces of the vocabulary. Schuster and Nakajima 2012; as implemented by
// Hugging Face tokenizers.
#pragma once

#include <memory>
#include <string>

#include "tokenize/bert_normalizer.hpp"
#include "tokenize/segment_encoder.hpp"
#include "tokenize/token_model.hpp"

namespace inlay::tokenize {

struct WordPieceOptions {
  std::string unknown_token = "[UNK]";
  std::string continuing_prefix = "##";       ///< what a piece inside a word begins with in the vocabulary
  std::size_t max_characters_per_word = 100;  ///< a longer word is unknown
};

class WordPieceModel final : public TokenModel {
 public:
  /// Throws Error (unsupported), naming `label` and the token, for one that is longer than Vocabulary::longest_searched, where words can be.
  WordPieceModel(Vocabulary vocabulary, const WordPieceOptions& options, std::string_view label);

  void tokenize(std::string_view word, std::vector<ModelToken>& tokens) const override;
  [[nodiscard]] const Vocabulary& vocabulary() const noexcept override { return vocabulary_; }
  [[nodiscard]] std::size_t memory() const noexcept override { return sizeof *this + vocabulary_.memory(); }

  [[nodiscard]] std::size_t max_characters() const noexcept { return max_characters_; }
  [[nodiscard]] const UnknownToken& unknown() const noexcept { return unknown_; }
  /// Where the continuing prefix ends; without children when no token has it.
  [[nodiscard]] ByteTrie::Node inside_word() const noexcept { return inside_word_; }

  struct Piece {
    std::uint32_t value = ByteTrie::no_value;
    std::size_t length = 0;
  };
  /// The longest key below `node` that the text, each byte put through `map`, begins with.
  template <typename Map>
  [[nodiscard]] Piece longest_piece(ByteTrie::Node node, std::string_view text, const Map& map) const noexcept {
    Piece longest;
    const ByteTrie& trie = vocabulary_.trie();
    for (std::size_t index = 0; index < text.size() && trie.step(node, map(text[index])); ++index) {
      if (node.value() != ByteTrie::no_value) longest = {node.value(), index + 1};
    }
    return longest;
  }

 private:
  Vocabulary vocabulary_;
  std::size_t max_characters_;
  UnknownToken unknown_;
  ByteTrie::Node inside_word_;
};

/// ids alone, behind BERT's normaliser and pre-tokenizer; null where the vocabulary lacks the unknown token. The model must outlive it.
[[nodiscard]] std::unique_ptr<const SegmentEncoder> make_bert_encoder(const WordPieceModel& model, const BertOptions& bert);

}  // namespace inlay::tokenize
