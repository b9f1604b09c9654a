#include "text/reference_characters.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace inlay::text {
namespace {

struct ClassRun {
  char32_t first;
  CharacterClass properties;
};

struct LowerRun {
  char32_t first;
  char32_t last;
  std::uint32_t step;
  std::int32_t difference;
};

struct Range {
  char32_t first;
  char32_t last;
};

#include "text/reference_characters.inc"

// The last run that begins at or before the code point; null before the first.
template <typename Run, std::size_t count>
const Run* run_of(const Run (&runs)[count], char32_t code_point) noexcept {
  const Run* next = std::ranges::upper_bound(runs, code_point, {}, &Run::first);
  return next == std::begin(runs) ? nullptr : next - 1;
}

bool is_in(const Range* range, char32_t code_point) noexcept { return range != nullptr && code_point <= range->last; }

// utf8proc may know decompositions of characters that the reference's Unicode 9 doesn't have; they all lie above U+FFFF.
bool may_decompose(char32_t code_point) noexcept {
  if (code_point < 0xC0) return false;
  return code_point <= 0xFFFF || is_in(run_of(decomposing_ranges, code_point), code_point);
}

void append_decomposition_with(std::u32string& text, char32_t code_point, utf8proc_option_t options) {
  std::array<utf8proc_int32_t, 18> characters;  // the longest decomposition of any character, compatibility ones included
  int boundary = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), characters.data(),
                                                         static_cast<utf8proc_ssize_t>(characters.size()), options, &boundary);
  if (count <= 0 || static_cast<std::size_t>(count) > characters.size()) {
    text.push_back(code_point);
    return;
  }
  for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index) text.push_back(static_cast<char32_t>(characters[index]));
}

// The classes of all code points in pages of 256, equal ones held once: any class by two memory accesses. Without an allocation, which
// could fail.
class ClassTable {
 public:
  ClassTable() noexcept {
    std::size_t used = 0;
    const ClassRun* run = class_runs;
    for (std::size_t number = 0; number < page_count; ++number) {
      Page& page = pages_[used];
      for (std::size_t index = 0; index < page.size(); ++index) {
        const auto code_point = static_cast<char32_t>(number * page.size() + index);
        while (run + 1 != std::end(class_runs) && run[1].first <= code_point) ++run;
        page[index] = run->properties;
      }
      const auto same = static_cast<std::size_t>(std::ranges::find(pages_, page) - pages_.begin());
      page_numbers_[number] = static_cast<std::uint16_t>(same);
      if (same == used) ++used;
    }
  }

  [[nodiscard]] CharacterClass operator[](char32_t code_point) const noexcept {
    return pages_[page_numbers_[code_point >> 8]][code_point & 0xFF];
  }

 private:
  using Page = std::array<CharacterClass, 256>;
  static constexpr std::size_t page_count = 0x110000 / 256;
  std::array<std::uint16_t, page_count> page_numbers_;
  std::array<Page, distinct_pages + 1> pages_;  // and one to work in
};

}  // namespace

CharacterClass character_class(char32_t code_point) noexcept {
  static const ClassTable table;
  return table[code_point];
}

void append_lower_case(std::u32string& text, char32_t code_point) {
  if (code_point == 0x130) {
    text += U"i\u0307";
    return;
  }
  const LowerRun* run = run_of(lower_runs, code_point);
  if (run != nullptr && code_point <= run->last && (code_point - run->first) % run->step == 0) {
    code_point = static_cast<char32_t>(static_cast<std::int32_t>(code_point) + run->difference);
  }
  text.push_back(code_point);
}

void append_decomposition(std::u32string& text, char32_t code_point) {
  if (!may_decompose(code_point)) {
    text.push_back(code_point);
  } else {
    append_decomposition_with(text, code_point, UTF8PROC_DECOMPOSE);
  }
}

void append_compatibility_decomposition(std::u32string& text, char32_t code_point) {
  if (!is_in(run_of(compatible_ranges, code_point), code_point)) {
    append_decomposition(text, code_point);
  } else {
    append_decomposition_with(text, code_point, static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT));
  }
}

char32_t composition(char32_t first, char32_t second) noexcept {
  if (second < 0x300) return 0;
  constexpr char32_t before_final_consonants = 0x11A7;  // composes with nothing; utf8proc lets it vanish into the syllable before it
  if (second == before_final_consonants) return 0;
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  if (utf8proc_normalize_utf32(pair, 2, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE)) != 1) return 0;
  const auto composite = static_cast<char32_t>(pair[0]);
  return may_decompose(composite) ? composite : 0;
}

int combining_class(char32_t code_point) noexcept {
  if (!(character_class(code_point) & non_starter)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class;
}

}  // namespace inlay::text
