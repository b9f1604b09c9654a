// Tokenizer: from text to the token ids that a model was trained on, equal to Hugging Face tokenizers' on every string.
//
//   auto tokenizer = inlay::load_tokenizer("models/all-MiniLM-L6-v2");
//   inlay::Encoding encoding = tokenizer->encode("open a file", 256);   // {101, 2330, 1037, 5371, 102}
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

using TokenId = std::int32_t;

/// Bytes [begin, end) of a text.
struct ByteRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// One text's tokens.
struct Encoding {
  std::vector<TokenId> ids;        ///< special tokens included
  std::size_t tokens_seen = 0;     ///< how many there would be without truncation, special tokens included
  std::vector<ByteRange> offsets;  ///< of encode_with_offsets: for each id the bytes of the caller's text that it stands for

  [[nodiscard]] bool truncated() const noexcept { return ids.size() < tokens_seen; }
};

/// Immutable: any number of threads may call one tokenizer at once. Implementations: lib/tokenize, one file each.
class Tokenizer {
 public:
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  virtual ~Tokenizer() = default;

  /// Tokenises UTF-8 text, special tokens put around it, and appends to `ids` at most max_tokens ids (special tokens included; what is too
  /// much is cut from the right, inside the special tokens). Bytes that are not UTF-8 count as U+FFFD, one per maximal invalid
  /// subsequence (Unicode 15, section 3.9). Returns the number of tokens that the whole text has. Throws Error: invalid_argument when
  /// max_tokens leaves no room for the special tokens, or for a text above 1 GB where the tokenizer is none of BERT's (WordPiece),
  /// RoBERTa's (byte-level BPE) and XLM-R's (Unigram) kind; invalid_model when the text needs an unknown token that the files lack;
  /// unsupported when a regular expression of theirs takes too many steps on it. `ids` may then have some of the text's ids behind it.
  virtual std::size_t encode_into(std::string_view text, std::size_t max_tokens, std::vector<TokenId>& ids) const = 0;

  /// The same ids, with the bytes of `text` that each stands for, equal to Hugging Face tokenizers' offsets, which count characters.
  /// Special tokens put around the text have the empty range {0, 0}. Ranges can overlap (the tokens of one character each have all of
  /// it), leave gaps (white space, what a normaliser drops), and include less than what was normalised to a token, as they do in the
  /// reference. Takes longer than encode, and some tens of bytes of memory a byte. Throws Error as encode_into does, and invalid_argument
  /// for a text above 1 GB.
  [[nodiscard]] virtual Encoding encode_with_offsets(std::string_view text, std::size_t max_tokens = no_limit) const = 0;

  /// The token's text as it stands in the vocabulary ("##ing"); "" for an id that is not there. Valid as long as the tokenizer.
  [[nodiscard]] virtual std::string_view token(TokenId id) const noexcept = 0;

  /// One more than the largest id.
  [[nodiscard]] virtual std::size_t vocabulary_size() const noexcept = 0;

  /// How many special tokens stand around a text: 2 for BERT.
  [[nodiscard]] virtual std::size_t special_tokens() const noexcept = 0;

  /// Bytes of memory that the tokenizer holds.
  [[nodiscard]] virtual std::size_t memory() const noexcept = 0;

  [[nodiscard]] Encoding encode(std::string_view text, std::size_t max_tokens = no_limit) const {
    Encoding encoding;
    encoding.tokens_seen = encode_into(text, max_tokens, encoding.ids);
    return encoding;
  }

 protected:
  Tokenizer() = default;
  Tokenizer(const Tokenizer&) = default;
  Tokenizer& operator=(const Tokenizer&) = default;
};

/// Loads a model folder's tokenizer. tokenizer.json decides where there is one: WordPiece, BPE, Unigram and WordLevel models with the
/// field's normalisers, pre-tokenizers, post-processors and added tokens; the padding and truncation that it fixes are ignored. Else the
/// older files of the class that tokenizer_config.json, or config.json's model_type, names: vocab.txt (BERT's kin, MPNet), vocab.json
/// with merges.txt (RoBERTa), sentencepiece.bpe.model, tokenizer.model or spiece.model (XLM-R, or none); with tokenizer_config.json,
/// special_tokens_map.json and added_tokens.json. Throws Error: not_found, invalid_model, or unsupported for a part that is not known,
/// by its name.
[[nodiscard]] std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder);

}  // namespace inlay
