#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <inlay/code_parser.hpp>
#include <inlay/error.hpp>
#include <map>
#include <stdexcept>
#include <stop_token>

#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"

using namespace inlay;
using inlay::test::check_error;
using inlay::test::TemporaryFolder;
using inlay::test::write;
namespace fs = std::filesystem;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

std::vector<std::string> names(const ParsedFile& file) {
  std::vector<std::string> list;
  for (const Function& function : file.functions) list.push_back(function.qualified_name);
  return list;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("broken source gives what can be parsed, and a note with its line") {
  const ParsedFile file =
      CodeParser().parse("def first():\n    return 1\n\ndef broken(:\n    pass ]]\n\ndef last():\n    return 2\n", "python");
  CHECK(file.skipped.empty());
  CHECK(names(file).front() == "first");
  CHECK(names(file).back() == "last");
  REQUIRE_FALSE(file.notes.empty());
  CHECK(file.notes[0].line == 4);
  CHECK(file.notes[0].message.find("syntax error") == 0);
  CHECK(CodeParser().parse(repeated("def (:\n", 1000), "python").notes.size() <= 10);
}

TEST_CASE("bytes that are not UTF-8 are replaced and noted; ranges are those of the file") {
  const std::string source = "# caf\xE9\ndef f():\n    '''\xFF doc'''\n";
  const ParsedFile file = CodeParser().parse(source, "python");
  REQUIRE(file.functions.size() == 1);
  CHECK(file.functions[0].docstring == "\xEF\xBF\xBD doc");
  CHECK(file.functions[0].source_code == "def f():\n    '''\xEF\xBF\xBD doc'''");
  CHECK(source.substr(file.functions[0].range.byte_begin, 8) == "def f():");
  CHECK(file.functions[0].range.byte_end == source.size() - 1);
  CHECK(file.notes == std::vector<ParseNote>{{1, "not UTF-8; such bytes are read as U+FFFD"}});
}

TEST_CASE("a byte order mark and line ends of any kind change nothing but positions") {
  const ParsedFile file = CodeParser().parse(
      "\xEF\xBB\xBF"
      "def f():\r\n    '''One.\r\n\r\n    Two.\r\n    '''\r\n",
      "python");
  REQUIRE(file.functions.size() == 1);
  CHECK(file.functions[0].docstring == "One.\n\nTwo.");
  CHECK(file.functions[0].range == SourceRange{1, 5, 3, 45});
}

TEST_CASE("what cannot be parsed is skipped with its reason") {
  const CodeParser parser({.max_file_bytes = 1 << 20, .max_depth = 300});
  CHECK(parser.parse(std::string("x = 1\0", 6), "python").skipped == "binary");
  CHECK(parser.parse("\xFF\xFEx\0", "python").skipped == "UTF-16, not UTF-8");
  CHECK(parser.parse(std::string(20 << 20, 'x'), "javascript").skipped == "too large");
  CHECK(parser.parse(repeated("var a=1;", 10'000), "javascript").skipped == "minified");
  CHECK(CodeParser({.max_line_bytes = 0}).parse(repeated("[", 20'000) + repeated("]", 20'000), "javascript").skipped ==
        "nested more than 1000 deep");
  const ParsedFile deep = parser.parse(repeated("{", 500) + repeated("}", 500), "c");
  CHECK(deep.skipped == "nested more than 300 deep");
  CHECK(deep.functions.empty());
  CHECK(parser.parse("", "python").skipped.empty());
  CHECK(parser.parse("", "python").functions.empty());
}

TEST_CASE("functions nested as deep as is allowed are found") {
  std::string source;
  for (int depth = 0; depth < 90; ++depth) source += std::string(static_cast<std::size_t>(depth), ' ') + "def f():\n";
  source += std::string(90, ' ') + "pass\n";
  CHECK(CodeParser().parse(source, "python").functions.size() == 90);
}

TEST_CASE("thousands of comments in a row hide nothing") {
  const std::string commented = repeated("# value = compute(value, 1)  # was slower\n", 3000);
  for (const char* language : {"python", "ruby", "bash"}) {
    CAPTURE(language);
    const std::string_view name = language;
    const std::string first = name == "python" ? "def first():\n    pass\n" : name == "ruby" ? "def first\nend\n" : "first() { :; }\n";
    std::string last = first;
    last.replace(last.find("first"), 5, "last");
    const ParsedFile file = CodeParser().parse(first + "\n" + commented + "\n" + last + "x=1\n", language);
    CHECK(file.skipped.empty());
    CHECK(names(file) == Names{"first", "last"});
    CHECK(file.functions.back().line_number == 3003 + std::ranges::count(first, '\n'));
  }
}

TEST_CASE("source that overran or aborted a scanner is parsed or refused") {
  std::string deep;
  for (std::size_t level = 0; level < 511; ++level) deep += std::string(level, ' ') + "if 1:\n";
  static_cast<void>(CodeParser().parse(deep + std::string(511, ' ') + "x = \"s\"\n", "python"));
  static_cast<void>(CodeParser().parse("x = <<" + std::string(1019, 'Q') + "\nabc\n" + std::string(1019, 'Q') + "\n", "ruby"));
  CHECK(CodeParser().parse("val x = " + repeated("\"${", 1100) + "\n", "kotlin").functions.empty());
}

TEST_CASE("many comments or empty lines in one place do not take quadratic time") {
  CHECK(CodeParser().parse("def f\n" + repeated("#\n", 80'000) + "end\n", "ruby").functions.size() == 1);
  CHECK(CodeParser().parse("const " + repeated("/**/\n", 80'000) + " f = () => 1;\n", "javascript").functions.size() == 1);
  CHECK(CodeParser().parse(repeated("//\n", 80'000) + "// x\nvoid f() {}\n", "c").functions.at(0).docstring == "x");
  CHECK(CodeParser().parse("def f():\n    \"\"\"" + repeated("\n", 160'000) + "x\"\"\"\n", "python").functions.at(0).docstring == "x");
}

TEST_CASE("macros by the thousand do not take quadratic time") {
  static_cast<void>(CodeParser().parse("int f()\n" + repeated("AAA(x)\n", 100'000), "c"));
  static_cast<void>(CodeParser().parse(repeated("class AAA\n", 100'000), "cpp"));
  static_cast<void>(CodeParser().parse("class " + repeated("AAA ", 100'000) + "B {};\n", "cpp"));
  CHECK(CodeParser().parse("class " + repeated("AAA ", 4) + "B {};\n", "cpp").classes.size() == 1);
}

TEST_CASE("source that keeps the parser busy is given up") {
  // Bash's scanner looks for the end of a here-document, to the end of the file, at each of these.
  CHECK(CodeParser({.max_line_bytes = 0}).parse(repeated("a<b(", 50'000), "bash").skipped == "too hard to parse");
  for (const char* language : {"cpp", "python", "javascript", "rust", "csharp", "kotlin", "ruby", "php", "bash", "go", "java", "c"}) {
    CAPTURE(language);
    for (const std::string_view piece : {"a<b(", "<<A\n", "f'{", "((", "\\\n", "/*", "${"}) {
      const ParsedFile file = CodeParser({.max_line_bytes = 0}).parse("<?php " + repeated(piece, 10'000), language);
      CHECK(file.functions.empty());
    }
  }
}

TEST_CASE("items in one another, whose sources together would take many times the file's size, are given up") {
  std::string source;
  for (std::size_t depth = 0; depth < 90; ++depth) source += std::string(depth, ' ') + "def f():\n";
  std::string filler;
  for (int line = 0; line < 3'000; ++line) filler += std::string(90, ' ') + "value = 1\n";
  CHECK(CodeParser().parse(source + filler, "python").skipped == "functions and classes in one another, too many");
  CHECK(CodeParser().parse(source + std::string(90, ' ') + "pass\n" + repeated("x = 1\n", 50'000), "python").functions.size() == 90);
  const std::string long_name = "namespace a" + std::string(100'000, 'b') + " {\n" + repeated("void f() {}\n", 1000) + "}\n";
  CHECK(CodeParser({.max_line_bytes = 0}).parse(long_name, "cpp").skipped == "functions and classes in one another, too many");
}

TEST_CASE("the comment that is an item's docstring has a range of its own") {
  const std::string source = "// Section.\n\n// --- parts ---\n/// One.\n/// Two.\n#[test]\nfn f() {}\n\n// none\nfn g() {}\n";
  const ParsedFile file = CodeParser().parse(source, "rust");
  REQUIRE(file.functions.size() == 2);
  const SourceRange& comment = file.functions[0].comment;
  CHECK(source.substr(comment.byte_begin, comment.byte_end - comment.byte_begin).starts_with("/// One.\n/// Two."));
  CHECK(comment.line_begin == 4);
  CHECK(comment.line_end == 5);
  CHECK(file.functions[1].comment == SourceRange{});
}

TEST_CASE("a language without a grammar is an error that names those that have one") {
  check_error(Status::unsupported, {"\"cobol\"", "python"}, [] { static_cast<void>(CodeParser().parse("x", "cobol")); });
}

TEST_CASE("a file's language is told by its name, else by its content") {
  const TemporaryFolder folder;
  CHECK(parse_file(write(folder / "a.py", "def f(): pass\n")).functions.size() == 1);
  CHECK(parse_file(write(folder / "c.h", "struct a { int b; };\nint f(void) { return 1; }\n")).language == "c");
  CHECK(parse_file(write(folder / "cpp.h", "namespace n {\nvoid f() {}\n}\n")).language == "cpp");
  CHECK(parse_file(write(folder / "script", "#!/usr/bin/env -S python3.11 -u\ndef f(): pass\n")).language == "python");
  CHECK(parse_file(write(folder / "tool", "#!/bin/sh\nf() { :; }\n")).functions.size() == 1);
  CHECK(parse_file(write(folder / "notes.txt", "def f(): pass\n")).skipped == "not source code");
  CHECK(parse_file(write(folder / "a.hs", "f x = x\n")).skipped == "no grammar for haskell");
  check_error(Status::not_found, {"none.py"}, [&] { static_cast<void>(parse_file(folder / "none.py")); });
}

TEST_CASE("a folder's files come in the order of their paths, however many threads parse them") {
  const TemporaryFolder folder;
  for (int file = 0; file < 300; ++file) {
    write(folder / fmt::format("p{}/m{:03}.py", file % 7, file), fmt::format("def f{}():\n    pass\n", file));
  }
  write(folder / ".gitignore", "*.gen.py\n");
  write(folder / ".inlayignore", "p3/\n!kept.gen.py\n");
  write(folder / "a.gen.py", "def generated(): pass\n");
  write(folder / "kept.gen.py", "def kept(): pass\n");
  write(folder / "binary.py", std::string("\0", 1));
  write(folder / "README.md", "# x\n");
  fs::create_directory_symlink(".", folder / "loop");
  std::vector<std::vector<std::string>> runs;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
    std::vector<std::string> seen;
    std::map<std::string, std::string> skipped;
    std::size_t last = 0;
    const CodeParser parser({.threads = threads});
    parser.parse_folder(folder.path(),
                        [&](ParsedFile&& file) {
                          for (const Function& function : file.functions) seen.push_back(function.file_path + ":" + function.name);
                        },
                        {.on_progress =
                             [&](std::size_t files, std::size_t total) {
                               CHECK(files > last);
                               CHECK(files <= total);
                               last = files;
                             },
                         .on_skip = [&](const fs::path& path,
                                        std::string_view reason) { skipped[path.lexically_relative(folder.path()).string()] = reason; }});
    CHECK(skipped == std::map<std::string, std::string>{{".gitignore", "hidden"},
                                                        {".inlayignore", "hidden"},
                                                        {"README.md", "not source code"},
                                                        {"a.gen.py", "ignored"},
                                                        {"binary.py", "binary"},
                                                        {"loop", "symbolic link"},
                                                        {"p3", "ignored"}});
    CHECK(seen.size() == 300 - 43 + 1);
    CHECK(seen.front() == "kept.gen.py:kept");
    CHECK(std::ranges::is_sorted(seen));
    runs.push_back(std::move(seen));
  }
  CHECK(runs[0] == runs[1]);
}

TEST_CASE("a folder's parsing can be stopped, and gives its sink's exception") {
  const TemporaryFolder folder;
  for (int file = 0; file < 200; ++file) write(folder / fmt::format("m{:03}.py", file), "def f(): pass\n");
  std::stop_source stop;
  std::size_t seen = 0;
  check_error(Status::cancelled, {"stopped"}, [&] {
    CodeParser({.threads = 2})
        .parse_folder(folder.path(),
                      [&](ParsedFile&&) {
                        ++seen;
                        stop.request_stop();
                      },
                      {.stop = stop.get_token()});
  });
  CHECK(seen > 0);
  CHECK(seen < 200);
  CHECK_THROWS_AS(CodeParser().parse_folder(folder.path(), [](ParsedFile&&) { throw std::runtime_error("full"); }), std::runtime_error);
  check_error(Status::not_found, {"m000.py"}, [&] { CodeParser().parse_folder(folder / "m000.py", [](ParsedFile&&) {}); });
}
