#include "code/strict_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "code/valid_text.hpp"

namespace inlay::code {
namespace {

constexpr std::size_t escape_bytes = 6;  // \uD83D

// The code unit of an escape \uXXXX that begins at `at`.
std::optional<unsigned> code_unit(std::string_view text, std::size_t at) {
  if (!text.substr(std::min(at, text.size())).starts_with("\\u") || at + escape_bytes > text.size()) return std::nullopt;
  unsigned unit = 0;
  const char* const end = text.data() + at + escape_bytes;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, unit, 16);
  return error == std::errc() && stop == end ? std::optional(unit) : std::nullopt;
}

bool is_high(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Appends the string that begins at `at`; gives where it ends.
std::size_t append_string(std::string_view text, std::size_t at, std::string& strict) {
  strict += text[at++];
  while (at < text.size()) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < 0x20) {
      strict += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      ++at;
    } else if (c != '\\') {
      strict += c;
      ++at;
      if (c == '"') return at;
    } else if (const auto unit = code_unit(text, at); unit && (is_high(*unit) || is_low(*unit))) {
      const auto next = code_unit(text, at + escape_bytes);
      const bool is_pair = is_high(*unit) && next && is_low(*next);
      strict += is_pair ? text.substr(at, 2 * escape_bytes) : "\\ufffd";
      at += is_pair ? 2 * escape_bytes : escape_bytes;
    } else {
      strict += text.substr(at, 2);
      at += 2;
    }
  }
  return at;
}

// A number, or a word that stands for one.
std::string strict_scalar(std::string_view scalar) {
  if (scalar == "NaN" || scalar == "Infinity" || scalar == "-Infinity") return "null";
  const std::string_view digits = scalar.substr(scalar.starts_with('-') ? 1 : 0);
  const bool is_integer = !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  std::int64_t value = 0;
  const bool fits = std::from_chars(scalar.data(), scalar.data() + scalar.size(), value).ec == std::errc();
  return is_integer && !fits ? fmt::format("\"{}\"", scalar) : std::string(scalar);
}

}  // namespace

std::string strict_json(std::string_view text) {
  constexpr std::string_view structure = " \t\r\n,:[]{}";
  const std::string repaired = valid_text(std::string(text));
  text = repaired;
  std::string strict;
  strict.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = append_string(text, at, strict);
    } else if (structure.find(text[at]) != std::string_view::npos) {
      strict += text[at++];
    } else {
      std::size_t end = at + 1;
      while (end < text.size() && text[end] != '"' && structure.find(text[end]) == std::string_view::npos) ++end;
      strict += strict_scalar(text.substr(at, end - at));
      at = end;
    }
  }
  return strict;
}

}  // namespace inlay::code
