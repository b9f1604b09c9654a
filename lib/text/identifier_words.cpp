#include "text/identifier_words.hpp"

namespace inlay::text {

std::string identifier_words(std::string_view name) {
  const auto is_upper = [name](std::size_t i) { return i < name.size() && name[i] >= 'A' && name[i] <= 'Z'; };
  const auto is_lower = [name](std::size_t i) { return i < name.size() && name[i] >= 'a' && name[i] <= 'z'; };
  std::string words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_separator = std::string_view("_.:$-\\").find(name[i]) != std::string_view::npos;
    const bool begins_word = i > 0 && is_upper(i) && (is_lower(i - 1) || is_lower(i + 1));
    if ((is_separator || begins_word) && !words.empty() && words.back() != ' ') words += ' ';
    if (!is_separator) words += name[i];
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

}  // namespace inlay::text
