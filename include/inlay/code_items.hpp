// Function and Class: pieces of source code with what is known about them, as a parser or an indexer finds them. Plain data, copied freely;
// TextPreparator makes the text of them that a model sees.
//
//   inlay::Function login = {.file_path = "src/auth.py", .line_number = 12, .name = "login", .docstring = "Checks a password.",
//                            .source_code = "def login(self, password): ...", .language = "python", .class_name = "AuthManager"};
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace inlay {

/// A part of a file: lines counted from 1, the last one included; bytes counted from 0, the last one excluded. All 0 where it is not known.
struct SourceRange {
  std::int64_t line_begin = 0;
  std::int64_t line_end = 0;
  std::size_t byte_begin = 0;
  std::size_t byte_end = 0;

  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

/// All strings are UTF-8; an empty string or a line of 0 means "not known", or that there is none.
struct Function {
  std::string file_path{};
  std::int64_t line_number = 0;  ///< where the definition begins, counted from 1; decorators, which source_code has, may stand above it
  std::string name{};
  std::string docstring{};  ///< or the comment that stands for one
  std::string source_code{};
  std::string language{};
  std::string class_name{};      ///< of a method: its class
  std::string qualified_name{};  ///< with what it is nested in: "AuthManager.login", "net::Socket::open"
  std::string signature{};       ///< the definition up to its body, on one line, without comments
  SourceRange range{};           ///< of source_code in the file
  SourceRange comment{};         ///< of the comment above it that is its docstring; none in Python, whose docstrings are in source_code

  friend bool operator==(const Function&, const Function&) = default;
};

/// All strings are UTF-8; an empty string or a line of 0 means "not known", or that there is none.
struct Class {
  std::string file_path{};
  std::int64_t line_number = 0;  ///< as a function's
  std::string name{};
  std::string docstring{};
  std::string source_code{};
  std::string language{};
  std::string qualified_name{};
  std::string signature{};
  SourceRange range{};
  SourceRange comment{};

  friend bool operator==(const Class&, const Class&) = default;
};

}  // namespace inlay
