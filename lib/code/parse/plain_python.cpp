#include "code/parse/plain_python.hpp"

#include <algorithm>
#include <cstddef>

namespace inlay::code {
namespace {

// Where the string literal ends whose quote stands at `begin`: behind its last quote, or at the line's end where it has none.
std::size_t string_end(std::string_view source, std::size_t begin) {
  const char quote = source[begin];
  const std::string_view triple = source.substr(begin, 3);
  const bool is_triple = triple.size() == 3 && triple[1] == quote && triple[2] == quote;
  for (std::size_t at = begin + (is_triple ? 3 : 1); at < source.size(); ++at) {
    if (source[at] == '\\') {
      ++at;
    } else if (is_triple) {
      if (source.substr(at, 3) == triple) return at + 3;
    } else if (source[at] == quote) {
      return at + 1;
    } else if (source[at] == '\n') {
      return at;
    }
  }
  return source.size();
}

}  // namespace

std::string plain_python(std::string_view source) {
  std::string plain(source);
  std::size_t depth = 0;
  for (std::size_t at = 0; at < source.size();) {
    switch (source[at]) {
      case '(':
      case '[':
      case '{': ++depth; break;
      case ')':
      case ']':
      case '}': depth -= depth > 0; break;
      case '\'':
      case '"': at = string_end(source, at); continue;
      case '\\': ++at; break;
      case '#': {
        const std::size_t end = std::min(source.find('\n', at), source.size());
        std::fill(plain.begin() + static_cast<std::ptrdiff_t>(at), plain.begin() + static_cast<std::ptrdiff_t>(end), ' ');
        at = end;
        continue;
      }
      case '\r':
      case '\n':
        if (depth > 0) plain[at] = ' ';
        break;
      default: break;
    }
    ++at;
  }
  return plain;
}

}  // namespace inlay::code
