#include "code/parse_named.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "code/languages.hpp"
#include "code/parse/skipped_file.hpp"

namespace inlay::code {

ParsedFile parse_named(const CodeParser& parser, std::string_view source, std::string file_path) {
  const std::string_view file_name = std::string_view(file_path).substr(file_path.find_last_of("/\\") + 1);
  const std::string_view language = file_language(file_name, source);
  if (language.empty()) return skipped_file(std::move(file_path), language, "not source code");
  if (std::ranges::find(CodeParser::languages(), language) == CodeParser::languages().end())
    return skipped_file(std::move(file_path), language, fmt::format("no grammar for {}", language));
  return parser.parse(source, language, std::move(file_path));
}

}  // namespace inlay::code
