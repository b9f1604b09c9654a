#include "tokenize/bert_normalizer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

namespace inlay::tokenize {
namespace {

// Decomposed characters in canonical order, without marks. Non-starters wait until a starter, or the end, shows that none follows.
class AccentStripper {
 public:
  explicit AccentStripper(std::u32string& output) : output_(output) {}

  void add(char32_t code_point) {
    const text::CharacterClass properties = text::character_class(code_point);
    if (!(properties & text::non_starter)) flush();
    if (properties & text::mark) return;
    if (properties & text::non_starter) {
      waiting_.emplace_back(text::combining_class(code_point), code_point);
    } else {
      output_.push_back(code_point);
    }
  }

  void flush() {
    std::ranges::stable_sort(waiting_, {}, &std::pair<int, char32_t>::first);
    for (const auto& [order, code_point] : waiting_) output_.push_back(code_point);
    waiting_.clear();
  }

 private:
  std::u32string& output_;
  std::vector<std::pair<int, char32_t>> waiting_;
};

}  // namespace

std::string BertNormalizer::normalize(std::string_view text) const {
  std::string normalized;
  normalized.reserve(text.size());
  std::u32string front;
  while (!text.empty()) {
    front.clear();
    text.remove_prefix(normalize_front(text, front));
    for (const char32_t code_point : front) text::append_utf8(normalized, code_point);
  }
  return normalized;
}

// The reference's order: clean, space ideographs, decompose, strip, lower. Each step but the canonical ordering sees one character at a
// time.
std::size_t BertNormalizer::normalize_front(std::string_view text, std::u32string& normalized) const {
  std::u32string stripped;
  std::u32string decomposed;
  AccentStripper stripper(stripped);
  std::size_t done = 0;
  while (done < text.size()) {
    auto [code_point, length] = text::decode_utf8(text.data() + done);
    const text::CharacterClass properties = text::character_class(code_point);
    // Tab, newline and carriage return are controls that count as white space, and so are not dropped.
    const bool removed = options_.clean_text && (properties & text::dropped);
    if (!removed) {
      if (options_.clean_text && (properties & text::whitespace)) code_point = U' ';
      const bool spaced = options_.handle_chinese_chars && (properties & text::chinese);
      decomposed.clear();
      if (options_.strip_accents) {
        text::append_decomposition(decomposed, code_point);
      } else {
        decomposed.push_back(code_point);
      }
      const bool starts_anew = spaced || !options_.strip_accents || !(text::character_class(decomposed[0]) & text::non_starter);
      if (done > 0 && starts_anew) break;
      if (spaced) stripped.push_back(U' ');
      for (const char32_t part : decomposed) {
        if (options_.strip_accents) {
          stripper.add(part);
        } else {
          stripped.push_back(part);
        }
      }
      if (spaced) stripped.push_back(U' ');
    }
    done += length;
  }
  stripper.flush();
  for (const char32_t code_point : stripped) {
    if (options_.lowercase) {
      text::append_lower_case(normalized, code_point);
    } else {
      normalized.push_back(code_point);
    }
  }
  return done;
}

CharacterKind normalized_kind(char32_t code_point) noexcept {
  const text::CharacterClass properties = text::character_class(code_point);
  if (properties & text::whitespace) return CharacterKind::space;
  if (properties & text::punctuation) return CharacterKind::isolated;
  return CharacterKind::word;
}

BertCharacterTable::BertCharacterTable(const BertOptions& options)
    : normalizer_(options), options_(options), pages_(std::make_unique<std::atomic<const Page*>[]>(page_count)) {}

BertCharacterTable::~BertCharacterTable() {
  for (std::size_t number = 0; number < page_count; ++number) delete pages_[number].load(std::memory_order_relaxed);
}

std::size_t BertCharacterTable::memory() const noexcept {
  std::size_t bytes = page_count * sizeof(pages_[0]);
  for (std::size_t number = 0; number < page_count; ++number) {
    if (pages_[number].load(std::memory_order_relaxed) != nullptr) bytes += sizeof(Page);
  }
  return bytes;
}

const BertCharacterTable::Page* BertCharacterTable::add_page(std::size_t number) const {
  auto page = std::make_unique<Page>();
  for (std::size_t index = 0; index < page->size(); ++index) (*page)[index] = make_character(static_cast<char32_t>(number << 8 | index));
  const Page* present = nullptr;
  // Another thread may have made the same page meanwhile: the first one stays.
  if (pages_[number].compare_exchange_strong(present, page.get(), std::memory_order_acq_rel)) return page.release();
  return present;
}

BertCharacter BertCharacterTable::make_character(char32_t code_point) const {
  BertCharacter character{{}, 0, 0, CharacterKind::nothing};
  if (code_point >= 0xD800 && code_point < 0xE000) return character;  // no text holds a surrogate
  std::string bytes;
  text::append_utf8(bytes, code_point);
  std::u32string normalized;
  normalizer_.normalize_front(bytes, normalized);
  if (normalized.empty()) return character;

  const bool ideograph = options_.handle_chinese_chars && (text::character_class(code_point) & text::chinese);
  if (ideograph) normalized = normalized.substr(1, normalized.size() - 2);
  bytes.clear();
  for (const char32_t part : normalized) text::append_utf8(bytes, part);
  const CharacterKind kind = normalized_kind(normalized[0]);
  const bool plain = std::ranges::all_of(normalized, [kind](char32_t part) { return normalized_kind(part) == kind; }) &&
                     (kind == CharacterKind::word || normalized.size() == 1) && !(ideograph && kind != CharacterKind::word);
  const bool moves = options_.strip_accents &&
                     std::ranges::any_of(normalized, [](char32_t part) { return text::character_class(part) & text::non_starter; });
  if (!plain || moves || bytes.size() > BertCharacter::capacity) {
    character.kind = CharacterKind::complex;
    return character;
  }
  std::ranges::copy(bytes, character.bytes.begin());
  character.length = static_cast<std::uint8_t>(bytes.size());
  character.characters = static_cast<std::uint8_t>(normalized.size());
  character.kind = ideograph ? CharacterKind::isolated : kind;
  return character;
}

}  // namespace inlay::tokenize
