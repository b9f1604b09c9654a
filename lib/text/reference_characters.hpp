// What the reference tokenizers take a character for.
//
// Hugging Face tokenizers 0.23.3 classifies characters with Rust crates whose Unicode data are of several versions: categories of about
// Unicode 8, canonical ordering of Unicode 9, lower case, graphemes and regular expressions of newer ones. Its ids depend on them, and the
// installed utf8proc's version is not ours to choose, so the classes and lower cases are held as tables, which reference_characters.py
// derives from the package. Decompositions, compositions and combining classes come from utf8proc: Unicode never changes them once they are
// assigned, so that only what was assigned later has to be kept out.
#pragma once

#include <cstdint>
#include <string>

namespace inlay::text {

/// A set of these properties.
using CharacterClass = std::uint16_t;
inline constexpr CharacterClass dropped = 1;         ///< "clean_text" removes it: controls, format, private use, U+FFFD
inline constexpr CharacterClass whitespace = 2;      ///< White_Space, as Rust's char::is_whitespace
inline constexpr CharacterClass punctuation = 4;     ///< BERT's: category P, and every ASCII sign
inline constexpr CharacterClass chinese = 8;         ///< CJK ideographs that "handle_chinese_chars" puts spaces around
inline constexpr CharacterClass mark = 16;           ///< category Mn, which "strip_accents" removes
inline constexpr CharacterClass non_starter = 32;    ///< its canonical combining class is not 0
inline constexpr CharacterClass word = 64;           ///< a regular expression's \w
inline constexpr CharacterClass letter = 128;        ///< \p{L} of ByteLevel's regular expression
inline constexpr CharacterClass number = 256;        ///< its \p{N}
inline constexpr CharacterClass space = 512;         ///< its \s
inline constexpr CharacterClass numeric = 1024;      ///< Rust's char::is_numeric
inline constexpr CharacterClass extending = 2048;    ///< belongs to the grapheme of the character before it
inline constexpr CharacterClass prepended = 4096;    ///< belongs to the grapheme of the character behind it
inline constexpr CharacterClass control = 8192;      ///< up to U+FFFF: a grapheme of its own, whatever follows
inline constexpr CharacterClass combining = 16384;   ///< category M, which the normaliser "StripAccents" removes
inline constexpr CharacterClass pictograph = 32768;  ///< up to U+FFFF: joined to a pictograph by U+200D, belongs to its grapheme

[[nodiscard]] CharacterClass character_class(char32_t code_point) noexcept;

/// Appends the full, context-free lower case: one character, but two for U+0130.
void append_lower_case(std::u32string& text, char32_t code_point);

/// Appends the full canonical decomposition, not yet in canonical order.
void append_decomposition(std::u32string& text, char32_t code_point);

/// The same by the compatibility decomposition.
void append_compatibility_decomposition(std::u32string& text, char32_t code_point);

/// The primary composite of two characters; 0 where there is none.
[[nodiscard]] char32_t composition(char32_t first, char32_t second) noexcept;

/// The canonical combining class; 0 for a starter.
[[nodiscard]] int combining_class(char32_t code_point) noexcept;

}  // namespace inlay::text
