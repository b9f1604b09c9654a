// CodeParser: source files to their functions and classes, by tree-sitter's grammars.
//
//   for (const inlay::Function& function : inlay::parse_file("auth.py").functions)
//     std::cout << function.qualified_name << " at line " << function.line_number << "\n";
//
//   inlay::CodeParser parser;
//   parser.parse_folder("src/", [&](inlay::ParsedFile&& file) { ... });              // in parallel, in order, honouring .gitignore
//
// What is found:
//
//   functions  functions, methods, constructors, operators; nested and asynchronous ones; lambdas and function expressions that a declaration
//              or an assignment binds to a name (not in Rust's assignments), in JavaScript and TypeScript a property or `export default`, too.
//              Only with a body: prototypes and abstract methods are part of what they stand in. Of C and C++ preprocessor macros none; a word in
//              capitals between `class` and its name, or before a function's body, is taken for one and left out.
//   classes    classes, structs, interfaces, traits, protocols, records, Ruby's modules and what Struct.new and its kin make with a block,
//              Kotlin's objects, Go's struct and interface types; enumerations where the language gives them methods (Java, Kotlin, PHP,
//              Rust). Of C and C++ only with a body. An anonymous class is none; its methods' class_name is what it extends or implements.
//
// Each as it stands in the file: with decorators, attributes and `template <...>` before it, `export` included. Its docstring is Python's, as
// inspect.cleandoc gives it; else the comment right above it without its markers: of Java, JavaScript, TypeScript, PHP and Kotlin a /** one,
// of Rust a /// or /** one, of C# a /// one without its tags, of the others any. Qualified names are joined as the language does: with "."; with
// "::" in C, C++, Rust, Ruby and PHP; with "\" behind a namespace of PHP. In Python they are those of PEP 3155: "outer.<locals>.inner".
//
// Broken source gives what can be parsed, and a note. Thread rule: a CodeParser is immutable; any number of threads may call one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "inlay/code_items.hpp"

namespace inlay {

struct ParserOptions {
  std::size_t max_file_bytes = std::size_t{4} << 20;  ///< larger files are skipped; at most 2 GiB
  std::size_t max_line_bytes = 1000;  ///< a file of more than 64 KiB whose mean line is longer is skipped as minified; 0: never
  std::size_t max_depth = 1000;       ///< of the syntax tree: a file nested deeper is skipped
  std::size_t threads = 0;            ///< of parse_folder; 0: one a processor
};

/// Something about a file that its reader should know.
struct ParseNote {
  std::int64_t line = 0;  ///< counted from 1
  std::string message{};

  friend bool operator==(const ParseNote&, const ParseNote&) = default;
};

/// What a file holds, in the order in which it stands there.
struct ParsedFile {
  std::string file_path{};
  std::string language{};
  std::vector<Function> functions{};
  std::vector<Class> classes{};
  std::vector<ParseNote> notes{};  ///< syntax errors, bytes that are not UTF-8; at most 10
  std::string skipped{};           ///< why nothing was parsed: "binary", "too large", "minified", ...; empty: it was
};

struct ParseFolderOptions {
  std::stop_token stop{};                                                   ///< ends the call soon, with Error (cancelled)
  std::function<void(std::size_t files, std::size_t total)> on_progress{};  ///< on the calling thread
  /// Told of every file or folder that is left out, and why, as CorpusOptions::on_skip; of those too whose language is not known.
  std::function<void(const std::filesystem::path&, std::string_view reason)> on_skip{};
};

class CodeParser {
 public:
  CodeParser() = default;
  explicit CodeParser(ParserOptions options) : options_(options) {}

  /// `language` is one of languages(). Bytes that are not UTF-8 come out as U+FFFD. `file_path` becomes that of the items, and its ending tells
  /// dialects apart (.tsx). Throws Error (unsupported) for a language that is not among languages(), and std::bad_alloc; a source whose tree
  /// takes more than 64 MiB and 200 times its size is `skipped`.
  [[nodiscard]] ParsedFile parse(std::string_view source, std::string_view language, std::string file_path = {}) const;

  /// Reads and parses; the language is told by the file's name, of a .h file and of a script without ending by its content. A file that is
  /// not source code, or that cannot be parsed, is `skipped`. Throws Error: not_found, io_error.
  [[nodiscard]] ParsedFile parse_file(const std::filesystem::path& path) const;

  /// All source files below a folder, as read_corpus finds them, in parallel: `sink` gets them one after the other, on the calling thread, in
  /// the order of their paths, which are relative to the folder. Files that cannot be read are skipped. Throws Error: not_found, io_error,
  /// cancelled, and what `sink` throws.
  void parse_folder(const std::filesystem::path& folder, const std::function<void(ParsedFile&&)>& sink,
                    const ParseFolderOptions& options = {}) const;

  /// Those that this library was built with, sorted: "bash", "c", "cpp", "csharp", "go", ...
  [[nodiscard]] static const std::vector<std::string>& languages();

  [[nodiscard]] const ParserOptions& options() const noexcept { return options_; }

 private:
  ParserOptions options_{};
};

/// CodeParser's, with its defaults.
[[nodiscard]] ParsedFile parse_file(const std::filesystem::path& path);

}  // namespace inlay
