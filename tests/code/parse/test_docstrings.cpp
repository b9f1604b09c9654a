// Expected values are those of Python 3.11's ast.literal_eval and inspect.cleandoc, and of each comment's reader.
#include "code/parse/docstrings.hpp"
#include "support/catch.hpp"

using namespace inlay::code;

TEST_CASE("a string literal has the value that Python gives it") {
  CHECK(python_string_value(R"("plain")") == "plain");
  CHECK(python_string_value(R"('''a 'b' "c"''')") == R"(a 'b' "c")");
  CHECK(python_string_value(R"("\x41\u00e9\U0001F600\101\n\q\N{DEGREE SIGN}")") ==
        "A\xC3\xA9\xF0\x9F\x98\x80"
        "A\n\\q\\N{DEGREE SIGN}");
  CHECK(python_string_value(R"(r"\x41")") == R"(\x41)");
  CHECK(python_string_value("u'x' \"y\"\\\n R'\\z'  # end") == "xy\\z");
  CHECK(python_string_value("\"a\\\nb\"") == "ab");
  CHECK(python_string_value("'''a\r\nb\rc'''") == "a\nb\nc");
  CHECK(python_string_value(R"("\ud800")") == "\xEF\xBF\xBD");
  CHECK(python_string_value(R"("")") == "");
  CHECK(python_string_value(R"("\8\400")") == "\\8\xC4\x80");
}

TEST_CASE("what cannot be a docstring has no value") {
  for (const char* literal : {"b'x'", "f'x'", "rb'x'", "fr'x'", "'x' f'y'", "'open", "'''open''", "x", "1", "", "'\\"}) {
    CAPTURE(literal);
    CHECK_FALSE(python_string_value(literal));
  }
}

TEST_CASE("a docstring loses its margin as inspect.cleandoc does it") {
  CHECK(clean_docstring("  One.\n\n    Two\n      three\n    ") == "One.\n\nTwo\n  three");
  CHECK(clean_docstring("\n\n  a\n b\n\n") == " a\nb");
  CHECK(clean_docstring("a\n\tb\n        c") == "a\nb\nc");
  CHECK(clean_docstring("a\n  b\n \n  c") == "a\nb\n\nc");
  CHECK(clean_docstring("") == "");
  CHECK(clean_docstring("\xC3\xA9\tb") == "\xC3\xA9       b");
}

TEST_CASE("comments lose their markers, and count where the language says so") {
  CHECK(comment_text("/** One. */", Docs::block_marked).text == "One.");
  CHECK(comment_text("/**\n   * One.\n   *   indented\n   *\n   * Two.\n   */", Docs::block_marked).text == "One.\n  indented\n\nTwo.");
  CHECK(comment_text("/* One. */", Docs::block_marked).text == "");
  CHECK(comment_text("/* One.\n   Two. */", Docs::any_comment).text == "One.\nTwo.");
  CHECK(comment_text("// One\n//  two\n//\n// three", Docs::any_comment).text == "One\n two\n\nthree");
  CHECK(comment_text("# One\n# two", Docs::any_comment).text == "One\ntwo");
  CHECK(comment_text("/// One", Docs::marked).text == "One");
  CHECK(comment_text("// One", Docs::marked).text == "");
  CHECK(comment_text("/***********\n * Framed. *\n ***********/", Docs::any_comment).text.find("Framed.") == 0);
  CHECK(comment_text("/// <summary>Is <c>a &lt; b</c>.</summary>", Docs::xml).text == "Is a < b.");
  CHECK(comment_text("/// a < b, List<T>", Docs::xml).text == "a < b, List<T>");
}

TEST_CASE("of comments in a row those count that are documentation, the last ones that follow one another") {
  CHECK(comment_text("// ---- section ----\n/// One.\n/// Two.", Docs::marked).text == "One.\nTwo.");
  CHECK(comment_text("// section\n    /// <summary>One.</summary>\n    /// Two.", Docs::xml).text == "One.\nTwo.");
  CHECK(comment_text("/** One. */\n// eslint-disable-next-line no-var", Docs::block_marked).text == "One.");
  CHECK(comment_text("/** Of the file. */\n// and more\n/** One. */", Docs::block_marked).text == "One.");
  CHECK(comment_text("/** One. */ /* two */", Docs::block_marked).text == "One.");
  CHECK(comment_text("// Fast adds.\n//go:noinline", Docs::any_comment).text == "Fast adds.");
  CHECK(comment_text("//go:build linux\n// Adds.", Docs::any_comment).text == "Adds.");
  CHECK(comment_text("#!/bin/bash\n# shellcheck disable=SC2034\n# Adds.", Docs::any_comment).text == "Adds.");
  CHECK(comment_text("# frozen_string_literal: true\n# Adds.", Docs::any_comment).text == "Adds.");
  CHECK(comment_text("=begin\nAdds two\nnumbers.\n=end", Docs::any_comment).text == "Adds two\nnumbers.");
  CHECK(comment_text("//go:noinline", Docs::any_comment).text == "");
  CHECK(comment_text("/* open", Docs::any_comment).text == "open");
}
