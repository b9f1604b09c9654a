#include <utf8proc.h>

#include <random>
#include <set>

#include "support/catch.hpp"
#include "text/graphemes.hpp"
#include "text/utf8.hpp"

using namespace inlay;

TEST_CASE("a code point begins at its lead byte, and a byte that belongs to none at itself") {
  const std::string text = "aé中🔑\x80\xC3";
  const std::vector<std::size_t> begins = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 12, 12};
  for (std::size_t position = 0; position < begins.size(); ++position) CHECK(text::code_point_begin(text, position) == begins[position]);
  CHECK(text::code_point_begin("\x80\x80\x80\x80\x80", 4) == 4);
  CHECK(text::code_point_begin("\xE4\xB8\xAD\xAD", 3) == 3);
  CHECK(text::code_point_begin("", 0) == 0);
}

// Expected: utf8proc, going through the text from its beginning.
TEST_CASE("graphemes begin, from wherever one looks, where they begin in a pass through the text") {
  const std::vector<std::string> parts = {"a",  "b",  " ",      "\r",     "\n",     "\r\n",   "é",      "e",     "\u0301", "\u0308",
                                          "中", "한", "\u1112", "\u1161", "\u11AB", "👩",      "\u200D", "👧",     "🏽",   "\uFE0F",
                                          "❤",  "🇩",  "🇪",      "🇫",      "🇷",      "\u0915", "\u094D", "\u0937"};
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t count = 1 + random() % 24; count > 0; --count) text += parts[random() % parts.size()];
    std::set<std::size_t> expected = {0, text.size()};
    utf8proc_int32_t state = 0;
    std::size_t begin = text::decode_utf8(text.data()).length;
    for (auto before = static_cast<utf8proc_int32_t>(text::decode_utf8(text.data()).code_point); begin < text.size();) {
      const auto [code_point, length] = text::decode_utf8(text.data() + begin);
      if (utf8proc_grapheme_break_stateful(before, static_cast<utf8proc_int32_t>(code_point), &state)) expected.insert(begin);
      before = static_cast<utf8proc_int32_t>(code_point);
      begin += length;
    }
    INFO(text);
    for (std::size_t position = 0; position <= text.size(); ++position) {
      REQUIRE(text::grapheme_begin(text, position) == *std::prev(expected.upper_bound(position)));
    }
  }
}

TEST_CASE("a grapheme without end is cut, and bytes that are not UTF-8 are none's part") {
  std::string marks = "e";
  for (int count = 0; count < 1000; ++count) marks += "\u0301";
  CHECK(text::grapheme_begin(marks, 41) == 0);
  CHECK(text::grapheme_begin(marks, 1001) == 1001);
  CHECK(text::grapheme_begin("a\xFF\xFE", 2) == 2);
}
