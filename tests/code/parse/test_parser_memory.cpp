// tree-sitter out of memory: at any of its allocations the parser throws, and nothing is lost but the tree.
#include <inlay/code_parser.hpp>
#include <new>
#include <string>
#include <vector>

#include "code/parse/grammars.hpp"
#include "code/parse/parser_memory.hpp"
#include "code/parse/syntax_tree.hpp"
#include "support/catch.hpp"

using namespace inlay;

namespace {

// Something of every language, with what their scanners keep a state for: indentation, here-documents, strings in strings.
const std::vector<std::pair<std::string, std::string>> sources = {
    {"bash", "f() {\n  cat <<A\nx $(y \"${z}\")\nA\n}\n"},
    {"c", "int f(void) { return 1; }\n"},
    {"cpp", "auto s = R\"x(a)x\";\nclass A { int f() { return 1; } };\n"},
    {"csharp", "class A { string f() => $\"a{b}\" + $@\"c{d}\"; }\n"},
    {"go", "package p\nfunc f() int { return 1 }\n"},
    {"java", "class A { int f() { return 1; } }\n"},
    {"javascript", "const f = (x) => `a${x}`\nclass A { g() { return /x/ } }\n"},
    {"kotlin", "fun f(x: Int) = \"a${\"b$x\"}\" + \"\"\"c\"\"\"\n"},
    {"php", "<?php function f($x) { return <<<A\n$x\nA; }\n"},
    {"python", "def f(x):\n    if x:\n        return f'a{x}' \"b\"\n"},
    {"ruby", "def f(x)\n  a = <<~A\n    #{x}\n  A\n  %w[a b]\nend\n"},
    {"rust", "fn f() -> &'static str { r#\"a\"# /* b /* c */ */ }\n"},
    {"typescript", "const f = (x: number): string => `a${x}`\n"},
};

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("a parser that meets its memory's limit, wherever that is, leaves nothing behind") {
  for (const auto& [language, source] : sources) {
    CAPTURE(language);
    const code::Grammar* grammar = code::find_grammar(language, {});
    REQUIRE(grammar);
    bool parsed = false;
    std::size_t given_up = 0;
    for (std::size_t limit = 64; !parsed; limit += limit / 64 + 16) {
      REQUIRE(limit < (std::size_t{1} << 24));
      const code::SyntaxTree tree = code::parse_tree(source, grammar->language(), limit);
      parsed = static_cast<bool>(tree);
      given_up += parsed ? 0 : 1;
    }
    CHECK(given_up > 50);
    CHECK(CodeParser().parse(source, language).notes.empty());
  }
}

TEST_CASE("a source that takes more memory than it may is given up") {
  const code::Grammar* grammar = code::find_grammar("python", {});
  const std::string source = repeated("x = [1, (2, 3)]\n", 10'000);
  CHECK_FALSE(code::parse_tree(source, grammar->language(), std::size_t{1} << 20));
  const code::SyntaxTree tree = code::parse_tree(source, grammar->language());
  REQUIRE(tree);
  CHECK(ts_node_end_byte(ts_tree_root_node(tree.get())) == source.size());
}

TEST_CASE("what the parser lets go of is given back") {
  code::ParserMemory memory(std::size_t{1} << 20);
  {
    const code::ParserMemory::Use use(memory);
    TSParser* const parser = ts_parser_new();
    CHECK(memory.used() > 0);
    ts_parser_delete(parser);
  }
  CHECK(memory.used() == 0);
}
