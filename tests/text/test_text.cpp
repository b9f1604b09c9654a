#include "support/catch.hpp"
#include "text/reference_characters.hpp"
#include "text/utf8.hpp"

using namespace inlay;

// Expected: Python's bytes.decode("utf-8", "replace"); the first ones are Unicode's own table 3-8 and its neighbours.
TEST_CASE("each maximal subpart that is not UTF-8 becomes one U+FFFD") {
  const std::string replacement = "\xEF\xBF\xBD";
  const auto times = [&](int count) {
    std::string text;
    for (; count > 0; --count) text += replacement;
    return text;
  };
  for (const auto& [bytes, expected] : {std::pair<std::string, std::string>{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", times(8) + "A"},
                                        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", times(8) + "A"},
                                        {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", times(5) + "A" + times(2) + "B"},
                                        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", times(4) + "A"},
                                        {"\xE4\xB8", times(1)},
                                        {"\xF0\x9F\x98", times(1)},
                                        {"a\xC3", std::string("a").append(replacement)},
                                        {"\xE4\xB8\xAD\xE4\xB8\xADz", "\xE4\xB8\xAD\xE4\xB8\xADz"}}) {
    CHECK(text::repair_utf8(bytes).text == expected);
    CHECK(text::is_valid_utf8(bytes) == (bytes == expected));
  }
}

TEST_CASE("every code point survives encoding and decoding") {
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    std::string bytes = "x";
    text::append_utf8(bytes, code_point);
    REQUIRE(text::is_valid_utf8(bytes));
    const auto decoded = text::decode_utf8(bytes.data() + 1);
    REQUIRE(decoded.code_point == code_point);
    REQUIRE(decoded.length == bytes.size() - 1);
    REQUIRE(text::decode_last_utf8(bytes).code_point == code_point);
  }
}

// What tells the reference's Unicode versions from others; all of it is checked by reference_characters.py --check.
TEST_CASE("characters are what the reference takes them for") {
  const auto lower = [](char32_t code_point) {
    std::u32string text;
    text::append_lower_case(text, code_point);
    return text;
  };
  const auto decomposed = [](char32_t code_point) {
    std::u32string text;
    text::append_decomposition(text, code_point);
    return text;
  };
  CHECK_FALSE(text::character_class(0x0898) & text::mark);  // Mn since Unicode 14: unknown to its categories
  CHECK(text::character_class(0x0898) & text::extending);   // but not to its graphemes
  CHECK(text::character_class(0x0300) == (text::mark | text::non_starter | text::word | text::extending | text::combining));
  CHECK(text::character_class(0x0488) == (text::word | text::extending | text::combining));
  CHECK(text::character_class('a') == (text::word | text::letter));
  CHECK(text::character_class('7') == (text::word | text::number | text::numeric));
  CHECK(text::character_class(' ') == (text::whitespace | text::space));
  CHECK(text::character_class(0x600) & text::prepended);
  CHECK(text::character_class('\n') & text::control);
  CHECK(text::character_class(0x1734) & text::mark);               // Mc since Unicode 14
  CHECK_FALSE(text::character_class(0x061D) & text::punctuation);  // Po since Unicode 14
  CHECK(text::character_class(0x166D) & text::punctuation);        // So since Unicode 12
  CHECK(text::character_class('$') & text::punctuation);
  CHECK(text::character_class(0x85) == (text::dropped | text::whitespace | text::space | text::control));
  CHECK(text::character_class(0xFFFD) & text::dropped);
  CHECK(text::character_class(0x4E2D) & text::chinese);
  CHECK(lower(0x130) == U"i\u0307");
  CHECK(lower(0x3A3) == U"\u03C3");
  CHECK(lower(0x10D50) == U"\U00010D70");  // since Unicode 16
  CHECK(lower(0x101) == U"\u0101");
  CHECK(decomposed(0x1E9B) == U"\u017F\u0307");
  CHECK(decomposed(0xAC01) == U"\u1100\u1161\u11A8");
  CHECK(decomposed(0x1D160) == U"\U0001D158\U0001D165\U0001D16E");
  CHECK(decomposed(0x11938) == U"\U00011938");  // decomposes since Unicode 13
  CHECK(text::composition('e', 0x301) == 0xE9);
  CHECK(text::composition(0x1100, 0x1161) == 0xAC00);
  CHECK(text::composition(0xAC00, 0x11A8) == 0xAC01);
  CHECK(text::composition('e', 'f') == 0);
  CHECK(text::composition(0x915, 0x93C) == 0);      // U+0958 is excluded from composition
  CHECK(text::composition(0x11935, 0x11930) == 0);  // compose since Unicode 13
  CHECK(text::composition(0xAC00, 0x11A8) == 0xAC01);
  CHECK(text::composition(0xAC00, 0x11A7) == 0);  // no final consonant, though it stands before the first
  CHECK(text::combining_class(0x0301) == 230);
  CHECK(text::combining_class(0x16FF0) == 0);  // 6 since Unicode 13
}
