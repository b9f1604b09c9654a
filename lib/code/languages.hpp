// What a file's name says about its content.
#pragma once

#include <string>
#include <string_view>

namespace inlay::code {

struct FileKind {
  std::string_view type;      ///< "python", "markdown"; empty: not known
  std::string_view language;  ///< the same where it is a programming language, else empty
};

/// By the whole name ("Dockerfile") or by the ending, in any case.
[[nodiscard]] FileKind file_kind(std::string_view file_name);

/// The programming language of a file, by its name; of a .h file (C or C++) and of a script that has no ending (its first line) by its content.
/// Empty: not known.
[[nodiscard]] std::string_view file_language(std::string_view file_name, std::string_view content);

/// The part behind the last dot in lower case (ASCII), without the dot; empty for "Makefile" and ".profile".
[[nodiscard]] std::string lower_ending(std::string_view file_name);

}  // namespace inlay::code
