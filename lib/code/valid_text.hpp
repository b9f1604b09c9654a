// Text as Document promises it.
#pragma once

#include <string>
#include <utility>

#include "text/utf8.hpp"

namespace inlay::code {

/// The text itself where it is UTF-8, else repaired.
[[nodiscard]] inline std::string valid_text(std::string text) {
  return text::is_valid_utf8(text) ? std::move(text) : text::repair_utf8(text).text;
}

}  // namespace inlay::code
