// RecursiveCharacterTextSplitter: long texts in chunks of at most so many tokens, cut where the text itself divides: between paragraphs
// rather than lines, lines rather than sentences, sentences rather than words.
//
//   inlay::TokenCounter counter(generator.tokenizer(), generator.max_sequence_length());
//   inlay::RecursiveCharacterTextSplitter splitter(counter, {.chunk_overlap = 32, .language = "python"});
//   for (const inlay::TextChunk& chunk : splitter.split(text)) embed(chunk.of(text));    // none is truncated
//
// The method is LangChain's. The text is cut at the first separator of the list that occurs in it; neighbouring pieces are put together for
// as long as they fit into a chunk; a piece that is too long for one is cut in the same way by the separators that follow in the list, at
// last between characters. With a counter that adds up (of characters) the chunks are those of langchain-text-splitters with
// keep_separator="start" and strip_whitespace=False, but for this:
//
//   - The length is counted in tokens, of each chunk as it will be embedded: counts of its pieces are only a guide.
//   - Nothing is dropped: chunks are ranges of bytes, and without overlap they are, one after the other, the text.
//   - No chunk is too long. Where the list does not end with "" it is taken to. No cut is made inside a UTF-8 sequence, and none inside a
//     character with its accents, a pair \r\n, a flag or a joined emoji (the graphemes of UAX 29, up to 32 code points) unless that alone
//     is too long. One code point of more tokens than chunk_size is the one chunk that can exceed it.
//   - A piece of exactly chunk_size tokens fits.
//   - What has no token (white space, for many models) joins the chunk before it, or after it, rather than be a chunk of its own.
//   - What is too long is told by the guide (see below), which takes a very long word for several tokens. So where a model has but one for
//     it ([UNK] for more than 100 letters without a space) it may be cut although it would fit, into parts that the model can read.
//   - The overlap is looked for before every chunk, and not only among pieces of one separator.
//
// A separator stays with what follows it ("\nclass " begins a chunk), so that a chunk begins where a definition, paragraph or word does.
// Closing marks at its beginning (any of . ! ? ; : , ) ] } 。 ！ ？ ； ： ， 、), and white space before them, stay with what precedes them:
// ". " cuts behind the full stop and before the space, "\n}\n" behind the brace. A separator that begins with \n takes along a \r before
// it.
//
// Time: linear in the text's length. Tokens are counted in short stretches for a guide, then chunk by chunk, some parts once more: two to
// three times in all for prose and code, four to six for text without white space; with overlap, more by what is repeated. Memory: about
// half of what the text takes, or eight bytes for each separator in a stretch that is cut by it.
//
// Everything here is immutable once made: share it between threads where the counter allows.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inlay/tokenizer.hpp"

namespace inlay {

/// How many tokens a text has, the special ones around it not counted. Copies are cheap. May be called by any number of threads at once,
/// where it was made from a callable if that may be.
class TokenCounter {
 public:
  /// Shares the tokenizer. `max_tokens`: what the model sees of a text, special tokens included; no_limit where it is not known.
  /// Throws Error (invalid_argument) for a null pointer.
  explicit TokenCounter(std::shared_ptr<const Tokenizer> tokenizer, std::size_t max_tokens = Tokenizer::no_limit);

  /// The tokenizer must outlive the counter and its copies: a generator's does while the generator lives.
  explicit TokenCounter(const Tokenizer& tokenizer, std::size_t max_tokens = Tokenizer::no_limit);

  /// Any callable may stand in for a tokenizer: words, characters, another library's tokens. It has no special tokens.
  template <typename Count>
  requires(!std::same_as<std::remove_cvref_t<Count>, TokenCounter> && std::is_invocable_r_v<std::size_t, Count&, std::string_view>)
      TokenCounter(Count&& count)  // NOLINT(bugprone-forwarding-reference-overload): constrained
      : count_(std::forward<Count>(count)) {}

  /// Of UTF-8 text, or any other bytes that the tokenizer takes. Throws what Tokenizer::encode_into, or the callable, does.
  [[nodiscard]] std::size_t operator()(std::string_view text) const { return count_(text); }

  /// How many special tokens stand around a text: 2 for BERT.
  [[nodiscard]] std::size_t special_tokens() const noexcept { return special_tokens_; }

  /// The model's limit, special tokens included; Tokenizer::no_limit where it is not known.
  [[nodiscard]] std::size_t max_tokens() const noexcept { return max_tokens_; }

 private:
  std::function<std::size_t(std::string_view)> count_;
  std::size_t special_tokens_ = 0;
  std::size_t max_tokens_ = Tokenizer::no_limit;
};

struct SplitterOptions {
  /// Tokens of a chunk at most, special ones included, as the model's limit counts them. 0: the counter's max_tokens, so that no chunk is
  /// truncated when it is embedded alone.
  std::size_t chunk_size = 0;
  /// Tokens at the end of a chunk, at most, that the next one repeats at its beginning, counted alone. The repeated text begins at the
  /// first separator of the list that occurs in the first half of what could be repeated, or else anywhere in it, or else at a character;
  /// it is shorter, down to nothing, where the chunk's first new piece needs the room.
  std::size_t chunk_overlap = 0;
  std::vector<std::string> separators{};  ///< from coarse to fine; "": between characters. Empty: the language's
  std::string language{};                 ///< for separators_for, where no separators are given
};

struct TextChunk {
  ByteRange range{};
  std::size_t tokens = 0;  ///< of the chunk alone, special ones included: Encoding::tokens_seen

  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(range.begin, range.end - range.begin); }
  friend bool operator==(const TextChunk&, const TextChunk&) = default;
};

class RecursiveCharacterTextSplitter {
 public:
  /// Throws Error (invalid_argument): no chunk_size where the counter knows no limit, one that leaves no room beside the special tokens, or
  /// a chunk_overlap that is not less than this room.
  explicit RecursiveCharacterTextSplitter(TokenCounter counter, SplitterOptions options = {});

  /// The text's chunks in order; none of an empty text. Bytes that are not UTF-8 are kept as they are, and counted as the counter does.
  /// Throws what the counter throws.
  [[nodiscard]] std::vector<TextChunk> split(std::string_view text) const;

  /// With the chunk_size and separators that are used.
  [[nodiscard]] const SplitterOptions& options() const noexcept { return options_; }

 private:
  TokenCounter counter_;
  SplitterOptions options_;
};

/// A language's separators, from coarse to fine, "" last: definitions, then statements, blank lines, lines, words, characters. By the names
/// that read_corpus gives ("python", "javascript", "typescript", "java", "c", "cpp", "csharp", "go", "rust", "ruby", "php", "swift",
/// "kotlin", "scala", "lua", "bash", "sql", "html", "css", "markdown", "latex", "haskell", and more) and their usual short forms ("js",
/// "c++", "c#", "py", "md"), ASCII letters in any case. Any other name, "" included, gives those of prose: paragraphs, lines, sentences,
/// clauses, words, characters. Valid for ever.
[[nodiscard]] std::span<const std::string_view> separators_for(std::string_view language) noexcept;

}  // namespace inlay
