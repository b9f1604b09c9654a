// Byte-level text, as GPT-2 has it: each byte of a text's UTF-8 is written as one printable character, so that every text is a string over
// 256 letters; and the words that its regular expression cuts texts into.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace inlay::tokenize {

/// Printable ASCII and Latin-1 stand for themselves, the other bytes, in order, for U+0100 and what follows: a space is U+0120.
[[nodiscard]] char32_t byte_character(unsigned char byte) noexcept;

/// byte_character in UTF-8: one or two bytes.
struct ByteText {
  std::array<char, 2> bytes;
  unsigned char length;
  [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), length}; }
};
[[nodiscard]] const std::array<ByteText, 256>& byte_texts() noexcept;

/// The length in bytes of the first word of a well-formed text that is not empty: what GPT-2's expression
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ matches there. Every text is a sequence of words.
[[nodiscard]] std::size_t word_length(std::string_view text) noexcept;

}  // namespace inlay::tokenize
