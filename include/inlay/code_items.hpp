// Function and Class: pieces of source code with what is known about them, as a parser or an indexer finds them. Plain data, copied freely;
// TextPreparator makes the text of them that a model sees.
//
//   inlay::Function login = {.file_path = "src/auth.py", .line_number = 12, .name = "login", .docstring = "Checks a password.",
//                            .source_code = "def login(self, password): ...", .language = "python", .class_name = "AuthManager"};
#pragma once

#include <cstdint>
#include <string>

namespace inlay {

/// All strings are UTF-8; an empty string or a line of 0 means "not known", or that there is none.
struct Function {
  std::string file_path{};
  std::int64_t line_number = 0;  ///< of the first line, counted from 1
  std::string name{};
  std::string docstring{};  ///< or the comment that stands for one
  std::string source_code{};
  std::string language{};
  std::string class_name{};  ///< of a method: its class

  friend bool operator==(const Function&, const Function&) = default;
};

/// All strings are UTF-8; an empty string or a line of 0 means "not known", or that there is none.
struct Class {
  std::string file_path{};
  std::int64_t line_number = 0;  ///< of the first line, counted from 1
  std::string name{};
  std::string docstring{};
  std::string source_code{};
  std::string language{};

  friend bool operator==(const Class&, const Class&) = default;
};

}  // namespace inlay
