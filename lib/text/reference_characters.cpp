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

// utf8proc may know decompositions of characters that the reference's Unicode 9 doesn't have; they all lie above U+FFFF.
bool may_decompose(char32_t code_point) noexcept {
  if (code_point < 0xC0) return false;
  if (code_point <= 0xFFFF) return true;
  const Range* range = run_of(decomposing_ranges, code_point);
  return range != nullptr && code_point <= range->last;
}

}  // namespace

CharacterClass character_class(char32_t code_point) noexcept { return run_of(class_runs, code_point)->properties; }

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
  std::array<utf8proc_int32_t, 18> characters;  // the longest decomposition of any character, compatibility ones included
  int boundary = 0;
  utf8proc_ssize_t count = 0;
  if (may_decompose(code_point)) {
    count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), characters.data(),
                                    static_cast<utf8proc_ssize_t>(characters.size()), UTF8PROC_DECOMPOSE, &boundary);
  }
  if (count <= 0 || static_cast<std::size_t>(count) > characters.size()) {
    text.push_back(code_point);
    return;
  }
  for (utf8proc_ssize_t index = 0; index < count; ++index)
    text.push_back(static_cast<char32_t>(characters[static_cast<std::size_t>(index)]));
}

int combining_class(char32_t code_point) noexcept {
  if (!(character_class(code_point) & non_starter)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class;
}

}  // namespace inlay::text
