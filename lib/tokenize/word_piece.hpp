// WordPiece behind BERT's normaliser and pre-tokenizer: each word is cut, from the left, into the longest pieces of the vocabulary.
// Schuster and Nakajima 2012; as implemented by Hugging Face tokenizers.
#pragma once

#include <memory>
#include <string>

#include "tokenize/bert_normalizer.hpp"
#include "tokenize/segment_encoder.hpp"

namespace inlay::tokenize {

struct WordPieceOptions {
  std::string unknown_token = "[UNK]";
  std::string continuing_prefix = "##";       ///< what a piece inside a word begins with in the vocabulary
  std::size_t max_characters_per_word = 100;  ///< a longer word is unknown
};

/// Throws Error (invalid_model), naming `label`, when the vocabulary lacks the unknown token.
[[nodiscard]] std::unique_ptr<const SegmentEncoder> make_word_piece(Vocabulary vocabulary, const WordPieceOptions& options,
                                                                    const BertOptions& bert, std::string_view label);

}  // namespace inlay::tokenize
