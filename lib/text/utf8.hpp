// UTF-8: checking, repairing, decoding, encoding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::text {

[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// A text made well-formed, and where its parts come from.
struct RepairedText {
  std::string text;

  /// The position in the text as it was that one between two characters of `text` had.
  [[nodiscard]] std::size_t original(std::size_t position) const noexcept;

  struct Repair {
    std::size_t end;           ///< of a replacement, in `text`
    std::size_t original_end;  ///< of what it replaces
  };
  std::vector<Repair> repairs;  ///< in order
};

/// The text with U+FFFD in place of each maximal subpart of an ill-formed sequence (Unicode 15, section 3.9, table 3-8), as Python's
/// bytes.decode("utf-8", "replace") does it.
[[nodiscard]] RepairedText repair_utf8(std::string_view text);

struct DecodedCharacter {
  char32_t code_point;
  std::size_t length;  ///< in bytes
};

/// The first character of well-formed, non-empty text.
[[nodiscard]] inline DecodedCharacter decode_utf8(const char* text) noexcept {
  const auto byte = [text](int index) { return static_cast<char32_t>(static_cast<unsigned char>(text[index])); };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xE0) return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (byte(0) < 0xF0) return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

/// The last character of well-formed, non-empty text.
[[nodiscard]] inline DecodedCharacter decode_last_utf8(std::string_view text) noexcept {
  std::size_t start = text.size() - 1;
  while ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  return decode_utf8(text.data() + start);
}

void append_utf8(std::string& text, char32_t code_point);

}  // namespace inlay::text
