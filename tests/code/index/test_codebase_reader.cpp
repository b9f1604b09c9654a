#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "code/index/code_documents.hpp"
#include "code/index/codebase_reader.hpp"
#include "inlay/inlay.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/errors.hpp"
#include "support/tiny_model.hpp"

namespace inlay::test {
namespace {

namespace fs = std::filesystem;

struct Read {
  std::vector<IndexedItem> items;
  std::vector<std::string> contents;
  std::map<std::string, std::string> skipped;  // by file name
  std::size_t notes = 0;
};

// Of texts with `prompt` in front; checks that each piece fits into the model.
Read read_all(const fs::path& folder, IndexCodebaseOptions options = {}, const std::string& prompt = {}) {
  const TemporaryFolder model;
  write_tiny_model(model.path(), {});
  const EmbeddingGenerator generator = EmbeddingGenerator::load(model.path(), {.device = Device::cpu(), .threads = 1});
  Read read;
  options.on_skip = [&](const fs::path& path, std::string_view reason) { read.skipped[path.filename()] = reason; };
  options.on_note = [&](const std::string&, const ParseNote&) { ++read.notes; };
  code::CodebaseReader reader(folder, options, generator.tokenizer(), generator.max_sequence_length(), prompt);
  const DocumentPreparator prepare = code_item_preparator();
  while (const auto document = reader.next()) {
    if (code::to_indexed_item(*document).kind == ItemKind::file) {
      std::vector<TokenId> ids;
      CHECK(generator.tokenizer().encode_into(prompt + prepare(*document), 10'000, ids) <= generator.max_sequence_length());
    }
    read.items.push_back(code::to_indexed_item(*document));
    read.contents.push_back(document->content);
  }
  CHECK(reader.fraction() == 1);
  return read;
}

}  // namespace

TEST_CASE("a file gives its functions and classes, and what stands outside of them") {
  const TemporaryFolder folder;
  write(folder / "a.py",
        "import os\n\n\nLIMIT = 3\n\n\ndef first(a):\n    \"\"\"Does it.\"\"\"\n    return a\n\n\nclass Kept:\n    def method(self):\n     "
        "   pass\n\n\n"
        "LATER = 4\n");
  const Read read = read_all(folder.path());
  REQUIRE(read.items.size() == 4);
  CHECK(read.items[0].qualified_name == "first");
  CHECK(read.items[0].kind == ItemKind::function);
  CHECK(read.items[0].line_number == 7);
  CHECK(read.items[0].line_end == 9);
  CHECK(read.items[0].docstring == "Does it.");
  CHECK(read.items[0].signature == "def first(a)");
  CHECK(read.items[1].kind == ItemKind::class_);
  CHECK(read.items[1].name == "Kept");
  CHECK(read.items[2].qualified_name == "Kept.method");
  CHECK(read.items[2].class_name == "Kept");
  CHECK(read.items[3].kind == ItemKind::file);
  CHECK(read.items[3].language == "python");
  CHECK(read.items[3].line_number == 1);
  CHECK(read.items[3].line_end == 17);
  CHECK(read.contents[3] == "import os\n\n\nLIMIT = 3\n\n\n\n\n\n\n\n\n\n\n\n\nLATER = 4");
}

TEST_CASE("the comment that is an item's docstring is not outside of it, others are") {
  const TemporaryFolder folder;
  write(folder / "a.cpp", "// Of the file.\n\n/// Adds.\n/// Twice.\nint add(int a) {\n  return a + a;\n}\n\n// At its end.\n");
  const Read read = read_all(folder.path());
  REQUIRE(read.items.size() == 2);
  CHECK(read.items[0].docstring == "Adds.\nTwice.");
  CHECK(read.contents[1] == "// Of the file.\n\n\n\n\n\n\n\n// At its end.");
}

TEST_CASE("very many items on one line do not take quadratic time") {
  const TemporaryFolder folder;
  std::string line;
  for (int i = 0; i < 50'000; ++i) line += fmt::format("function f{}(){{}}", i);
  write(folder / "a.js", line + std::string(5'000, '\n') + "const last = 1;\n");
  const Read read = read_all(folder.path());
  CHECK(read.items.size() == 50'001);
  CHECK(read.contents.back() == "const last = 1;");
}

TEST_CASE("text files are pieces with their lines; what is no text says why") {
  const TemporaryFolder folder;
  std::string text;
  for (int line = 1; line <= 60; ++line) text += "open the file and read it " + std::to_string(line) + "\n";
  write(folder / "notes.md", text);
  write(folder / "braces.cpp", "int f() {\n  return 1;\n}\n;\n");
  write(folder / "empty.txt", " \n\n");
  write(folder / "binary.dat", std::string("a\0b", 3));
  write(folder / "large.txt", std::string(5000, 'x'));
  write(folder / "broken.py", "def whole():\n    return 1\n\ndef (:\n");
  write(folder / ".hidden", "text");
  const Read read = read_all(folder.path(), {.max_text_bytes = 4000});
  CHECK(read.skipped.at("empty.txt") == "empty");
  CHECK(read.skipped.at("binary.dat") == "binary");
  CHECK(read.skipped.at("large.txt") == "too large");
  CHECK(read.skipped.at(".hidden") == "hidden");
  CHECK(read.notes > 0);
  std::string joined;
  std::int64_t next_line = 1;
  for (std::size_t i = 0; i < read.items.size(); ++i) {
    if (read.items[i].file_path == "braces.cpp") CHECK(read.items[i].kind == ItemKind::function);
    if (read.items[i].file_path != "notes.md") continue;
    CHECK(read.items[i].line_number == next_line);
    next_line = read.items[i].line_end + 1;
    joined += read.contents[i] + "\n";
  }
  CHECK(next_line == 61);
  CHECK(joined == text);
  CHECK(read_all(folder.path(), {.text_files = false}).skipped.at("notes.md") == "not source code");
}

TEST_CASE("pieces leave room for what the model wants in front of a text") {
  const TemporaryFolder folder;
  std::string text;
  for (int line = 1; line <= 60; ++line) text += "open the file\n";
  write(folder / "notes.md", text);
  const std::size_t plain = read_all(folder.path()).items.size();
  CHECK(plain > 1);
  CHECK(read_all(folder.path(), {}, "read read read read read read read read ").items.size() > plain);
}

TEST_CASE("however little memory there is for files that are read ahead, all are read") {
  const TemporaryFolder folder;
  for (int file = 0; file < 40; ++file) write(folder / fmt::format("m{}.py", file), fmt::format("def f{}(): pass\n", file));
  const Read all = read_all(folder.path());
  const Read few = read_all(folder.path(), {.max_memory = 1});
  CHECK(all.items.size() == 40);
  CHECK(few.contents == all.contents);
}

TEST_CASE("a folder that is not there is an error") {
  const TemporaryFolder folder;
  check_error(Status::not_found, {"none"}, [&] { read_all(folder / "none"); });
}

TEST_CASE("the text that the model sees of an item is the preparator's") {
  const DocumentPreparator prepare = code_item_preparator({}, false);
  const Function function{.file_path = "src/a.py",
                          .line_number = 3,
                          .name = "login",
                          .docstring = "Checks.",
                          .source_code = "def login(): ...",
                          .language = "python",
                          .class_name = "Auth",
                          .range = {3, 4, 0, 0}};
  CHECK(prepare(code_item_document(function)) == TextPreparator().prepare_function(function));
  const Class definition{.file_path = "src/a.py",
                         .line_number = 1,
                         .name = "Auth",
                         .docstring = "All of it.",
                         .source_code = "class Auth: ...",
                         .language = "python"};
  CHECK(prepare(code_item_document(definition)) == TextPreparator().prepare_class(definition));
  Function with_words = function;
  with_words.name = "checkPassword";
  CHECK(code_item_preparator()(code_item_document(with_words)) == "Auth check Password\nChecks.\ndef login(): ...");
  CHECK(code_item_preparator()({"a\n\n\n\n\nb\n\nc", {}}) == "a\n\nb\n\nc");
}

}  // namespace inlay::test
