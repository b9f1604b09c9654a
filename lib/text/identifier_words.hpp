// Names of source code as the words that they are made of.
#pragma once

#include <string>
#include <string_view>

namespace inlay::text {

/// "HTTPServer.parse_date" -> "HTTP Server parse date": separated where '_', '.', ':', '$', '-' or '\\' stands, and where a capital letter begins
/// a word; ASCII letters alone do. Digits stay with the word before them.
[[nodiscard]] std::string identifier_words(std::string_view name);

}  // namespace inlay::text
