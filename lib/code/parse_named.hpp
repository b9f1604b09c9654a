// Source code whose language its file's name tells.
#pragma once

#include <string>
#include <string_view>

#include "inlay/code_parser.hpp"

namespace inlay::code {

/// Skipped where it is not source code, or has no grammar here.
[[nodiscard]] ParsedFile parse_named(const CodeParser& parser, std::string_view source, std::string file_path);

}  // namespace inlay::code
