#include "tokenize/byte_level.hpp"

#include <string>

#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

constexpr bool stands_for_itself(unsigned byte) noexcept {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
}

constexpr std::array<char32_t, 256> make_byte_characters() noexcept {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) characters[byte] = stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
  return characters;
}

constexpr std::array<char32_t, 256> byte_characters = make_byte_characters();

enum class Kind : unsigned char { letter, number, space, other };

Kind kind_of(char32_t code_point) noexcept {
  const text::CharacterClass properties = text::character_class(code_point);
  if (properties & text::letter) return Kind::letter;
  if (properties & text::number) return Kind::number;
  return properties & text::space ? Kind::space : Kind::other;
}

struct AsciiKinds {
  std::array<Kind, 128> kinds;
  AsciiKinds() noexcept {
    for (char32_t code_point = 0; code_point < 128; ++code_point) kinds[code_point] = kind_of(code_point);
  }
};

struct Character {
  Kind kind;
  std::size_t length;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text), ascii_(ascii_kinds()) {}

  [[nodiscard]] Character at(std::size_t position) const noexcept {
    const auto byte = static_cast<unsigned char>(text_[position]);
    if (byte < 0x80) return {ascii_[byte], 1};
    const auto [code_point, length] = text::decode_utf8(text_.data() + position);
    return {kind_of(code_point), length};
  }

  // Where the run of characters of this kind ends that `position` lies in or behind.
  [[nodiscard]] std::size_t run_end(std::size_t position, Kind kind) const noexcept {
    while (position < text_.size()) {
      const Character character = at(position);
      if (character.kind != kind) break;
      position += character.length;
    }
    return position;
  }

 private:
  static const std::array<Kind, 128>& ascii_kinds() noexcept {
    static const AsciiKinds table;
    return table.kinds;
  }

  std::string_view text_;
  const std::array<Kind, 128>& ascii_;
};

// 's 't 're 've 'm 'll 'd
std::size_t contraction_length(std::string_view text) noexcept {
  if (text.size() < 2) return 0;
  const char first = text[1];
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (text.size() < 3) return 0;
  const char second = text[2];
  return (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l') ? 3 : 0;
}

}  // namespace

char32_t byte_character(unsigned char byte) noexcept { return byte_characters[byte]; }

const std::array<ByteText, 256>& byte_texts() noexcept {
  struct Texts {
    std::array<ByteText, 256> texts;
    Texts() noexcept {
      for (unsigned byte = 0; byte < 256; ++byte) {
        const char32_t c = byte_characters[byte];
        texts[byte] = c < 0x80 ? ByteText{{static_cast<char>(c), 0}, 1}
                               : ByteText{{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))}, 2};
      }
    }
  };
  static const Texts texts;
  return texts.texts;
}

std::size_t word_length(std::string_view text) noexcept {
  const Scanner scanner(text);
  if (text[0] == '\'') {
    if (const std::size_t length = contraction_length(text); length > 0) return length;
  }
  const Character first = scanner.at(0);
  if (first.kind != Kind::space) return scanner.run_end(first.length, first.kind);
  if (text[0] == ' ' && text.size() > 1) {
    const Character second = scanner.at(1);
    if (second.kind != Kind::space) return scanner.run_end(1 + second.length, second.kind);
  }
  // \s+(?!\S): before other characters the last white space is left to the next word, unless it is the only one.
  const std::size_t end = scanner.run_end(0, Kind::space);
  if (end == text.size()) return end;
  const std::size_t before_last = end - text::decode_last_utf8(text.substr(0, end)).length;
  return before_last > 0 ? before_last : end;
}

}  // namespace inlay::tokenize
