#include "tokenize/normalizers.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "text/utf8.hpp"
#include "tokenize/byte_level.hpp"

namespace inlay::tokenize {
namespace {

template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  for (std::size_t position = 0; position < text.size();) {
    const auto [code_point, length] = text::decode_utf8(text.data() + position);
    visit(code_point);
    position += length;
  }
}

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

bool is_ascii(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

bool is(char32_t code_point, text::CharacterClass properties) noexcept { return (text::character_class(code_point) & properties) != 0; }

// A normaliser that looks at one character at a time: visit(code point, edits) appends what becomes of it, or nothing, to remove it.
class CharacterEditor {
 public:
  explicit CharacterEditor(Edits& edits) : edits_(edits) {}
  void put(char32_t code_point, std::int32_t change = 0) { edits_.push_back({code_point, change, std::exchange(skipped_, 0)}); }
  void remove() { ++skipped_; }

 private:
  Edits& edits_;
  std::uint32_t skipped_ = 0;
};

// Decomposed characters in canonical order, and composed again where the form asks for it; each with the change by which it came from
// those of the text. What is put in another order keeps its change, as in the reference.
class UnicodeNormalizer final : public Normalizer {
 public:
  explicit UnicodeNormalizer(UnicodeForm form)
      : compatible_(form == UnicodeForm::nfkc || form == UnicodeForm::nfkd),
        composed_(form == UnicodeForm::nfc || form == UnicodeForm::nfkc) {}

  bool edit(std::string_view text, Edits& edits) const override {
    if (is_ascii(text)) return false;
    const std::size_t start = edits.size();
    decompose(text, edits);
    if (composed_) compose(edits, start);
    return true;
  }

 private:
  void decompose(std::string_view text, Edits& edits) const {
    std::u32string parts;
    std::size_t non_starters = edits.size();  // where the run of them begins that is not yet in order
    const auto sort = [&] {
      if (edits.size() - non_starters > 1) {
        std::ranges::stable_sort(std::span(edits).subspan(non_starters), {},
                                 [](const Edit& edit) { return text::combining_class(edit.character); });
      }
    };
    for_each_character(text, [&](char32_t code_point) {
      parts.clear();
      if (compatible_) {
        text::append_compatibility_decomposition(parts, code_point);
      } else {
        text::append_decomposition(parts, code_point);
      }
      for (std::size_t index = 0; index < parts.size(); ++index) {
        if (!is(parts[index], text::non_starter)) {
          sort();
          non_starters = edits.size() + 1;
        }
        edits.push_back({parts[index], index > 0 ? 1 : 0});
      }
    });
    if (non_starters < edits.size()) sort();
  }

  static void compose(Edits& edits, std::size_t start) {
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t starter = none;
    int last_class = -1;  // of what stands between the starter and the next character; -1: nothing
    std::size_t kept = start;
    for (std::size_t index = start; index < edits.size(); ++index) {
      const Edit edit = edits[index];
      const int order = text::combining_class(edit.character);
      const bool blocked = last_class >= order;
      if (starter != none && !blocked) {
        if (const char32_t composite = text::composition(edits[starter].character, edit.character); composite != 0) {
          edits[starter].character = composite;
          edits[starter].change += edit.change - 1;
          continue;
        }
      }
      if (order == 0) {
        starter = kept;
        last_class = -1;
      } else if (starter != none) {
        last_class = order;
      }
      edits[kept++] = edit;
    }
    edits.resize(kept);
  }

  bool compatible_;
  bool composed_;
};

class Lowercase final : public Normalizer {
 public:
  bool edit(std::string_view text, Edits& edits) const override {
    std::u32string lower;
    for_each_character(text, [&](char32_t code_point) {
      lower.clear();
      text::append_lower_case(lower, code_point);
      for (std::size_t index = 0; index < lower.size(); ++index) edits.push_back({lower[index], index > 0 ? 1 : 0});
    });
    return true;
  }
};

class Remover final : public Normalizer {
 public:
  explicit Remover(text::CharacterClass removed) : removed_(removed) {}

  bool edit(std::string_view text, Edits& edits) const override {
    CharacterEditor editor(edits);
    for_each_character(text, [&](char32_t code_point) { is(code_point, removed_) ? editor.remove() : editor.put(code_point); });
    return true;
  }

 private:
  text::CharacterClass removed_;
};

// BERT's "clean_text": what is dropped goes, any white space is a space.
class CleanText final : public Normalizer {
 public:
  bool edit(std::string_view text, Edits& edits) const override {
    CharacterEditor editor(edits);
    for_each_character(text, [&](char32_t code_point) {
      if (is(code_point, text::dropped)) {
        editor.remove();
      } else {
        editor.put(is(code_point, text::whitespace) ? U' ' : code_point);
      }
    });
    return true;
  }
};

class SpacedIdeographs final : public Normalizer {
 public:
  bool edit(std::string_view text, Edits& edits) const override {
    if (is_ascii(text)) return false;
    for_each_character(text, [&](char32_t code_point) {
      if (!is(code_point, text::chinese)) {
        edits.push_back({code_point});
        return;
      }
      edits.insert(edits.end(), {{U' ', 0}, {code_point, 1}, {U' ', 1}});
    });
    return true;
  }
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  bool edit(std::string_view text, Edits& edits) const override {
    std::size_t begin = 0;
    std::size_t end = text.size();
    while (right_ && end > 0) {
      const auto last = text::decode_last_utf8(text.substr(0, end));
      if (!is(last.code_point, text::whitespace)) break;
      end -= last.length;
    }
    while (left_ && begin < end) {
      const auto first = text::decode_utf8(text.data() + begin);
      if (!is(first.code_point, text::whitespace)) break;
      begin += first.length;
    }
    if (begin == 0 && end == text.size()) return false;
    CharacterEditor editor(edits);
    for (std::size_t count = count_characters(text.substr(0, begin)); count > 0; --count) editor.remove();
    for_each_character(text.substr(begin, end - begin), [&](char32_t code_point) { editor.put(code_point); });
    return true;
  }

 private:
  bool left_;
  bool right_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string_view prefix) {
    for_each_character(prefix, [this](char32_t code_point) { prefix_.push_back(code_point); });
  }

  bool edit(std::string_view text, Edits& edits) const override {
    if (text.empty()) return false;
    for (const char32_t code_point : prefix_) edits.push_back({code_point, edits.empty() ? 0 : 1});
    bool first = true;
    for_each_character(text, [&](char32_t code_point) { edits.push_back({code_point, std::exchange(first, false) ? 1 : 0}); });
    // Of an empty prefix is left that the first character counts as new.
    if (prefix_.empty() && edits.size() > 1) edits[1].skipped = 1;
    return true;
  }

  [[nodiscard]] std::size_t memory() const noexcept override { return prefix_.capacity() * sizeof(char32_t); }

 private:
  std::u32string prefix_;
};

class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string_view content) : pattern_(std::move(pattern)) {
    for_each_character(content, [this](char32_t code_point) { content_.push_back(code_point); });
  }

  bool edit(std::string_view text, Edits& edits) const override {
    const std::vector<Part> parts = pattern_.split(text);
    if (std::ranges::none_of(parts, &Part::matches)) return false;
    CharacterEditor editor(edits);
    for (const Part& part : parts) {
      const std::string_view piece = text.substr(part.begin, part.end - part.begin);
      if (!part.matches) {
        for_each_character(piece, [&](char32_t code_point) { editor.put(code_point); });
        continue;
      }
      for (std::size_t count = count_characters(piece); count > 0; --count) editor.remove();
      for (const char32_t code_point : content_) editor.put(code_point, 1);
    }
    return true;
  }

 private:
  Pattern pattern_;
  std::u32string content_;
};

class Nmt final : public Normalizer {
 public:
  bool edit(std::string_view text, Edits& edits) const override {
    CharacterEditor editor(edits);
    for_each_character(text, [&](char32_t c) {
      if ((c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F) {
        editor.remove();
      } else {
        const bool is_space = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) || c == 0x2028 ||
                              c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
        editor.put(is_space ? U' ' : c);
      }
    });
    return true;
  }
};

// All pictographs above U+FFFF take four bytes: with a mark they are six, too long for it to matter what they are joined to. It does
// matter what is joined to them; so take any symbol of theirs for one.
bool is_pictograph(char32_t code_point) noexcept {
  return code_point > 0xFFFF ? code_point >= 0x1F000 && code_point < 0x1FFFE : is(code_point, text::pictograph);
}

// The grapheme (UAX 29) that a text begins with. It may end earlier where that makes no difference: behind five bytes, before a base
// character that no rule begins with when a mark follows it. That leaves out Hangul syllables and Indic conjuncts; flags are two of four
// bytes each.
std::size_t grapheme_length(std::string_view text) noexcept {
  if (text.starts_with("\r\n")) return 2;
  const auto [first, first_length] = text::decode_utf8(text.data());
  std::size_t length = first_length;
  bool joins_pictographs = is_pictograph(first);
  text::CharacterClass last = text::character_class(first);
  bool joined = false;  // the last character was U+200D behind a pictograph
  while (length < text.size() && !(last & text::control)) {
    const auto [next, next_length] = text::decode_utf8(text.data() + length);
    const text::CharacterClass properties = text::character_class(next);
    const bool extends = (properties & text::extending) != 0;
    const bool goes_on = extends || ((last & text::prepended) && !(properties & text::control)) || (joined && is_pictograph(next));
    if (!goes_on) break;
    if (!extends) joins_pictographs = is_pictograph(next);
    joined = joins_pictographs && next == 0x200D;
    length += next_length;
    last = properties;
  }
  return length;
}

// A grapheme of less than six bytes is looked up as a whole, and where no rule begins it, as all longer ones, character by character.
class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(PrecompiledCharsmap charsmap) : charsmap_(std::move(charsmap)) {
    for (unsigned char byte = 0; byte < 128; ++byte) {
      const char text = static_cast<char>(byte);
      unchanged_[byte] = !charsmap_.replacement({&text, 1});
    }
  }

  bool edit(std::string_view text, Edits& edits) const override {
    const std::size_t start = edits.size();
    bool changed = false;
    for (std::size_t position = 0; position < text.size();) {
      // An ASCII character before another one is a grapheme, but for CR before LF; a rule that it has no part in leaves both alone.
      const auto byte = static_cast<unsigned char>(text[position]);
      if (byte < 0x80 && unchanged_[byte] && (position + 1 == text.size() || static_cast<unsigned char>(text[position + 1]) < 0x80) &&
          byte != '\r') {
        edits.push_back({byte});
        ++position;
        continue;
      }
      const std::string_view grapheme = text.substr(position, grapheme_length(text.substr(position)));
      position += grapheme.size();
      if (grapheme.size() < 6) {
        if (const auto replacement = charsmap_.replacement(grapheme)) {
          replace(grapheme, *replacement, edits, start);
          changed = true;
          continue;
        }
      }
      for (std::size_t offset = 0; offset < grapheme.size();) {
        const auto [code_point, length] = text::decode_utf8(grapheme.data() + offset);
        const std::string_view character = grapheme.substr(offset, length);
        offset += length;
        if (const auto replacement = charsmap_.replacement(character)) {
          replace(character, *replacement, edits, start);
          changed = true;
        } else {
          edits.push_back({code_point});
        }
      }
    }
    if (!changed) edits.resize(start);
    return changed;
  }

  [[nodiscard]] std::size_t memory() const noexcept override { return charsmap_.memory(); }

 private:
  // As many characters as there were stand in their place; further ones are new; where there are fewer, the last one before the gap takes
  // it up. At the beginning of a text nothing does, as in the reference.
  static void replace(std::string_view old_text, std::string_view new_text, Edits& edits, std::size_t start) {
    const auto old_count = static_cast<std::int32_t>(count_characters(old_text));
    std::int32_t new_count = 0;
    for_each_character(new_text, [&](char32_t code_point) {
      edits.push_back({code_point});
      ++new_count;
    });
    for (std::int32_t index = 1; index <= new_count - old_count; ++index) edits[edits.size() - static_cast<std::size_t>(index)].change = 1;
    if (new_count < old_count && edits.size() > start) edits.back().change += new_count - old_count;
  }

  PrecompiledCharsmap charsmap_;
  std::array<bool, 128> unchanged_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  bool edit(std::string_view text, Edits& edits) const override {
    for (const char byte : text) {
      const bool continues = (byte & 0xC0) == 0x80;
      edits.push_back({byte_character(static_cast<unsigned char>(byte)), continues ? 1 : 0});
    }
    return true;
  }
};

}  // namespace

void normalize(const Normalizers& normalizers, AlignedText& text) {
  Edits edits;
  for (const auto& normalizer : normalizers) {
    edits.clear();
    if (normalizer->edit(text.text(), edits)) text.apply(edits);
  }
}

std::string normalize(const Normalizers& normalizers, std::string_view text) {
  std::string normalized(text);
  Edits edits;
  for (const auto& normalizer : normalizers) {
    edits.clear();
    if (normalizer->edit(normalized, edits)) normalized = edited(edits);
  }
  return normalized;
}

std::unique_ptr<const Normalizer> make_unicode_normalizer(UnicodeForm form) { return std::make_unique<UnicodeNormalizer>(form); }
std::unique_ptr<const Normalizer> make_lowercase() { return std::make_unique<Lowercase>(); }
std::unique_ptr<const Normalizer> make_remover(text::CharacterClass removed) { return std::make_unique<Remover>(removed); }
std::unique_ptr<const Normalizer> make_strip(bool left, bool right) { return std::make_unique<Strip>(left, right); }
std::unique_ptr<const Normalizer> make_prepend(std::string_view prefix) { return std::make_unique<Prepend>(prefix); }
std::unique_ptr<const Normalizer> make_replace(Pattern pattern, std::string_view content) {
  return std::make_unique<Replace>(std::move(pattern), content);
}
std::unique_ptr<const Normalizer> make_nmt() { return std::make_unique<Nmt>(); }
std::unique_ptr<const Normalizer> make_precompiled(PrecompiledCharsmap charsmap) {
  return std::make_unique<Precompiled>(std::move(charsmap));
}
std::unique_ptr<const Normalizer> make_byte_level_normalizer() { return std::make_unique<ByteLevelNormalizer>(); }

void append_bert_normalizers(Normalizers& normalizers, const BertOptions& options) {
  if (options.clean_text) normalizers.push_back(std::make_unique<CleanText>());
  if (options.handle_chinese_chars) normalizers.push_back(std::make_unique<SpacedIdeographs>());
  if (options.strip_accents) {
    normalizers.push_back(make_unicode_normalizer(UnicodeForm::nfd));
    normalizers.push_back(make_remover(text::mark));
  }
  if (options.lowercase) normalizers.push_back(make_lowercase());
}

}  // namespace inlay::tokenize
