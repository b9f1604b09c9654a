#include <fmt/format.h>

#include <algorithm>
#include <inlay/error.hpp>
#include <inlay/text_preparator.hpp>
#include <inlay/text_splitter.hpp>

#include "models.hpp"
#include "support/environment.hpp"
#include "text/utf8.hpp"

using namespace inlay;

namespace {

const Function login = {.file_path = "src/auth.py",
                        .line_number = 12,
                        .name = "login",
                        .docstring = "Checks a password.",
                        .source_code = "def login(self, password):\n    return password == self.password\n",
                        .language = "python",
                        .class_name = "AuthManager"};
const Class manager = {.file_path = "src/auth.py",
                       .line_number = 3,
                       .name = "AuthManager",
                       .docstring = "Who may come in.",
                       .source_code = "class AuthManager:\n    pass",
                       .language = "python"};

std::size_t count_words(std::string_view text) {
  std::size_t words = 0;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \n", at)) != std::string_view::npos; ++words) {
    at = std::min(text.find_first_of(" \n", at), text.size());
  }
  return words;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::shared_ptr<const Tokenizer> byte_level_tokenizer() {
  const auto folder = std::filesystem::path(INLAY_TESTS_FOLDER).parent_path() / "fuzz" / "tokenizers";
  return test::make_tokenizer({{"tokenizer.json", test::read(folder / "0_byte_level_bpe.json")}});
}

}  // namespace

TEST_CASE("a function's text is its context, its docstring and its source, each from a line of its own on") {
  const TextPreparator preparator;
  CHECK(preparator.prepare_function(login) ==
        "[PYTHON] Function: AuthManager.login\nChecks a password.\ndef login(self, password):\n    return password == self.password\n");
  CHECK(preparator.prepare_class(manager) == "[PYTHON] Class: AuthManager\nWho may come in.\nclass AuthManager:\n    pass");
}

TEST_CASE("what a function or class lacks is left out, with its line") {
  const TextPreparator preparator;
  Function function = login;
  function.docstring.clear();
  function.class_name.clear();
  function.source_code = "x";
  CHECK(preparator.prepare_function(function) == "[PYTHON] Function: login\nx");
  function.language.clear();
  CHECK(preparator.prepare_function(function) == "Function: login\nx");
  function.name.clear();
  CHECK(preparator.prepare_function(function) == "x");
  CHECK(preparator.prepare_function({}).empty());
  CHECK(preparator.prepare_function({.docstring = "Does.", .class_name = "A"}) == "Class: A\nDoes.");
  CHECK(preparator.prepare_class({}).empty());
  CHECK(preparator.prepare_class({.name = "A"}) == "Class: A");
  CHECK(preparator.prepare_class({.docstring = "d", .source_code = "s"}) == "d\ns");
}

TEST_CASE("the parts of the context are switched as for documents") {
  const auto first_line = [](const TextParts& parts) {
    const std::string text = TextPreparator(parts).prepare_function(login);
    return text.substr(0, text.find('\n'));
  };
  CHECK(first_line({.file_name = true}) == "[PYTHON] File: auth.py Function: AuthManager.login");
  CHECK(first_line({.language = false}) == "Function: AuthManager.login");
  CHECK(first_line({.class_name = false}) == "[PYTHON] Function: login");
  CHECK(first_line({.function_name = false}) == "[PYTHON] Class: AuthManager");
  CHECK(first_line({.language = false, .function_name = false, .class_name = false}) == "Checks a password.");
  CHECK(TextPreparator({.class_name = false}).prepare_class(manager) == "[PYTHON]\nWho may come in.\nclass AuthManager:\n    pass");
  CHECK(TextPreparator({.file_name = true}).prepare_class({.file_path = "C:\\code\\a.cs", .name = "A"}) == "File: a.cs Class: A");
}

TEST_CASE("what fits is not cut") {
  const TextPreparator preparator;
  const PreparedText prepared = preparator.prepare_function(login, count_words, 13);
  CHECK(prepared.text == preparator.prepare_function(login));
  CHECK(prepared.tokens == 13);
  CHECK(prepared.tokens_seen == 13);
  CHECK_FALSE(prepared.truncated());
  CHECK_FALSE(preparator.prepare_function(login, count_words).truncated());  // by a counter without a limit
  CHECK(preparator.prepare_class({}, count_words, 5).tokens == 0);
}

TEST_CASE("a body is cut at a line's end where at least half is left, else before white space, else between characters") {
  const TextPreparator preparator({.language = false, .function_name = false, .class_name = false});
  const auto cut = [&](std::string source, std::size_t max_tokens) {
    const PreparedText prepared = preparator.prepare_function({.source_code = std::move(source)}, count_characters, max_tokens);
    CHECK(prepared.truncated());
    CHECK(prepared.tokens == count_characters(prepared.text));
    return prepared.text;
  };
  CHECK(cut("one two\nthree four\nfive", 21) == "one two\nthree four");
  CHECK(cut("one two\nthree four\nfive", 18) == "one two\nthree four");
  CHECK(cut("one two\nthree four\nfive", 17) == "one two\nthree");
  CHECK(cut("one\r\ntwo\r\nthree", 12) == "one\r\ntwo");
  CHECK(cut("a\nbbbbbbbbbbbbbbbbbbbbbbbb", 9) == "a\nbbbbbbb");
  CHECK(cut("中文字符", 3) == "中文字");
  CHECK(cut("xxe\u0301", 3) == "xx");
  CHECK(cut("e\u0301\u0302\u0303", 2) == "e\u0301");
}

TEST_CASE("the name is kept before the docstring, and that before the body") {
  const TextPreparator preparator;
  Function function = login;
  for (int line = 0; line < 1000; ++line) function.source_code += fmt::format("    line {}\n", line);
  const PreparedText body = preparator.prepare_function(function, count_words, 50);
  CHECK(body.text.starts_with(preparator.prepare_function(login)));
  CHECK(body.text.ends_with("\n    line 17"));
  CHECK(body.tokens == 13 + 18 * 2);
  CHECK(body.tokens_seen == 13 + 1000 * 2);

  for (int line = 0; line < 100; ++line) function.docstring += fmt::format("\nand {}", line);
  const PreparedText docstring = preparator.prepare_function(function, count_words, 50);
  CHECK(docstring.text.starts_with("[PYTHON] Function: AuthManager.login\nChecks a password.\nand 0\n"));
  CHECK(docstring.text.ends_with("\nand 21"));
  CHECK(docstring.truncated());

  function.name = std::string(100, 'n');
  const PreparedText name = preparator.prepare_function(function, count_characters, 60);
  CHECK(name.text == "[PYTHON] Function: AuthManager." + std::string(29, 'n'));
  CHECK(preparator.prepare_class({.name = "A", .source_code = std::string(500, 'x')}, count_characters, 20).text ==
        "Class: A\nxxxxxxxxxxx");
}

TEST_CASE("tokens are counted as the tokenizer will, and special ones have their room") {
  const auto tokenizer = byte_level_tokenizer();
  const TextPreparator preparator;
  Function function = login;
  function.docstring = "Prüft ein Passwort: 密码 🔑.";
  for (int line = 0; line < 300; ++line) function.source_code += fmt::format("    größe_{0} = f({0})  # 第{0}行\n", line);
  for (std::size_t max_tokens = tokenizer->special_tokens() + 1; max_tokens < 400; max_tokens += 7) {
    const PreparedText prepared = preparator.prepare_function(function, TokenCounter(tokenizer, max_tokens));
    CHECK(prepared.tokens <= max_tokens);
    CHECK(prepared.tokens == tokenizer->encode(prepared.text).tokens_seen);
    CHECK(prepared.tokens_seen == tokenizer->encode(preparator.prepare_function(function)).tokens_seen);
    CHECK(preparator.prepare_function(function).starts_with(prepared.text));
    CHECK(text::is_valid_utf8(prepared.text));
    CHECK(prepared.tokens * 3 >= max_tokens - tokenizer->special_tokens());
  }
}

TEST_CASE("a body of 5 MB is counted but a few times") {
  Function function = login;
  while (function.source_code.size() < 5'000'000) function.source_code += "    x = f(x)\n";
  std::size_t bytes = 0;
  const auto count = [&bytes](std::string_view text) {
    bytes += text.size();
    return count_words(text);
  };
  const PreparedText prepared = TextPreparator{}.prepare_function(function, count, 200);
  CHECK(prepared.tokens == 13 + 62 * 3);
  CHECK(prepared.tokens_seen > 1'000'000);
  CHECK(bytes < 5'100'000);
}

TEST_CASE("no room beside the special tokens is an error") {
  const auto tokenizer = test::make_tokenizer({{"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"}});
  CHECK_THROWS_WITH(TextPreparator{}.prepare_class(manager, TokenCounter(tokenizer), 2),
                    "a text of at most 2 tokens has no room beside the 2 special ones");
}
