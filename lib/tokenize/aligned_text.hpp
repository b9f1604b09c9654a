// AlignedText: a stretch of a text as normalisers and pre-tokenizers change it, with the place in the text that each byte comes from.
//
// The reference's NormalizedString, and equal to it down to the last byte of an alignment: offsets are told from alignments alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::tokenize {

/// Bytes [begin, end) of the text that is being tokenised: well-formed UTF-8 of less than 4 GB.
struct TextRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

/// One character of what a normaliser makes of a text, and which characters of that text it stands for.
struct Edit {
  char32_t character;
  std::int32_t change = 0;    ///< 0: in place of the next character; 1: new; -n: in place of the next one, and the n behind it go
  std::uint32_t skipped = 0;  ///< characters that go before it
};

using Edits = std::vector<Edit>;

class AlignedText {
 public:
  /// The stretch of the text that begins at `begin`, unchanged.
  AlignedText(std::string_view stretch, std::size_t begin);

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  /// Where in the text the stretch begins.
  [[nodiscard]] std::uint32_t begin() const noexcept { return begin_; }

  /// What bytes [begin, end) of text() come from. One that lies beyond the end comes from nowhere: an empty range.
  [[nodiscard]] TextRange source(std::size_t begin, std::size_t end) const noexcept;

  [[nodiscard]] AlignedText slice(std::size_t begin, std::size_t end) const;

  /// The whole becomes what the edits say. An edit beyond the end of the text counts as new.
  void apply(const Edits& edits);

  /// Puts a character in front; in an empty text it has no place.
  void prepend(std::string_view prefix);

 private:
  AlignedText() = default;

  std::string text_;
  std::vector<TextRange> sources_;  // of each byte of text_
  std::uint32_t begin_ = 0;
};

/// The text that the edits make.
[[nodiscard]] std::string edited(const Edits& edits);

}  // namespace inlay::tokenize
