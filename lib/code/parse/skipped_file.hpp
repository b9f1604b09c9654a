// A file that was not parsed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "inlay/code_parser.hpp"

namespace inlay::code {

[[nodiscard]] inline ParsedFile skipped_file(std::string file_path, std::string_view language, std::string reason) {
  return {.file_path = std::move(file_path), .language = std::string(language), .skipped = std::move(reason)};
}

}  // namespace inlay::code
