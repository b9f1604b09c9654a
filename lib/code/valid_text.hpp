// Text as Document promises it, and what is none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "text/utf8.hpp"

namespace inlay::code {

/// The text itself where it is UTF-8, else repaired.
[[nodiscard]] inline std::string valid_text(std::string text) {
  return text::is_valid_utf8(text) ? std::move(text) : text::repair_utf8(text).text;
}

/// Whether git would take a file for binary: a NUL byte near its beginning.
[[nodiscard]] inline bool is_binary(std::string_view bytes) noexcept {
  constexpr std::size_t window = 8000;  // git's
  return bytes.substr(0, window).find('\0') != std::string_view::npos;
}

}  // namespace inlay::code
