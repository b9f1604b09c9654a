// BERT's normaliser and pre-tokenizer, character by character, as the reference does them (BertNormalizer, BertPreTokenizer).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace inlay::tokenize {

struct BertOptions {
  bool clean_text = true;            ///< controls away, every white space a space
  bool handle_chinese_chars = true;  ///< each ideograph a word
  bool strip_accents = true;         ///< NFD, then nonspacing marks away
  bool lowercase = true;
};

class BertNormalizer {
 public:
  explicit BertNormalizer(const BertOptions& options) : options_(options) {}

  /// `text` is well-formed UTF-8.
  [[nodiscard]] std::string normalize(std::string_view text) const;

  /// Appends what becomes of the first character and of the non-starters behind it that canonical ordering may move; returns how many bytes
  /// of the text that was. `text` is well-formed and not empty.
  std::size_t normalize_front(std::string_view text, std::u32string& normalized) const;

 private:
  BertOptions options_;
};

/// What normaliser and pre-tokenizer together make of a character.
enum class CharacterKind : std::uint8_t {
  word,      ///< part of a word
  space,     ///< ends a word
  isolated,  ///< a word of its own
  nothing,   ///< removed
  complex,   ///< depends on what follows, or is several of these: ask BertNormalizer
};

struct BertCharacter {
  static constexpr std::size_t capacity = 12;
  std::array<char, capacity> bytes;  ///< the normalised text, UTF-8
  std::uint8_t length;               ///< in bytes
  std::uint8_t characters;
  CharacterKind kind;
};

/// The kind of a character that the normaliser produced.
[[nodiscard]] CharacterKind normalized_kind(char32_t code_point) noexcept;

/// BertCharacter for every code point, in pages that are made when a text first needs them: few texts need more than a few of 4,352. Any
/// number of threads may read.
class BertCharacterTable {
 public:
  explicit BertCharacterTable(const BertOptions& options);
  ~BertCharacterTable();
  BertCharacterTable(const BertCharacterTable&) = delete;
  BertCharacterTable& operator=(const BertCharacterTable&) = delete;

  [[nodiscard]] const BertCharacter& operator[](char32_t code_point) const {
    const Page* page = pages_[code_point >> 8].load(std::memory_order_acquire);
    if (page == nullptr) page = add_page(code_point >> 8);
    return (*page)[code_point & 0xFF];
  }

  [[nodiscard]] const BertNormalizer& normalizer() const noexcept { return normalizer_; }
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  using Page = std::array<BertCharacter, 256>;
  static constexpr std::size_t page_count = 0x110000 / 256;

  const Page* add_page(std::size_t number) const;
  [[nodiscard]] BertCharacter make_character(char32_t code_point) const;

  BertNormalizer normalizer_;
  BertOptions options_;
  std::unique_ptr<std::atomic<const Page*>[]> pages_;
};

}  // namespace inlay::tokenize
