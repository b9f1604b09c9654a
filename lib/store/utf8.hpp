// Making text what Document promises: UTF-8.
#pragma once

#include <string>

namespace inlay::store {

/// The text with U+FFFD in place of each maximal invalid subsequence (Unicode 15, section 3.9), as the tokenizers read it.
[[nodiscard]] std::string valid_utf8(std::string text);

}  // namespace inlay::store
