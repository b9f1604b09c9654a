// SentencePieceModel: the pieces and the rules that a SentencePiece model (a serialised sentencepiece.ModelProto) holds.
//
// The ids that count are those of transformers 5, which reads the model's pieces and runs them in Hugging Face tokenizers' models, not in
// the sentencepiece library: the two differ in normalisation, in unknown characters and in ties. So we read the same fields, all of them
// plain protobuf, and run our own models; the library's reader would add nothing but ways for a damaged file to end the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

struct SentencePieceModel {
  enum class Kind : std::uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  enum class PieceKind : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

  struct Piece {
    std::string_view text;
    float score = 0;
    PieceKind kind = PieceKind::normal;
  };

  std::vector<Piece> pieces;
  Kind kind = Kind::unigram;
  bool byte_fallback = false;
  std::int64_t unknown_id = 0;
  std::int64_t bos_id = 1;  ///< -1: none
  std::int64_t eos_id = 2;
  std::string_view unknown_piece = "<unk>";
  std::string_view bos_piece = "<s>";
  std::string_view eos_piece = "</s>";
  std::string_view charsmap;  ///< precompiled; empty: no rules
};

/// Refers to `bytes`. Throws Error (invalid_model), naming `label`, for bytes that are no such model, and for one without pieces or with
/// pieces that are not UTF-8.
[[nodiscard]] SentencePieceModel read_sentencepiece_model(std::string_view bytes, std::string_view label);

}  // namespace inlay::tokenize
