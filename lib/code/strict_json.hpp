// JSON as programs write it that check less than parsers do.
#pragma once

#include <string>
#include <string_view>

namespace inlay::code {

/// The text as a parser takes it, where its only faults are these, which Python's json module writes and reads: NaN, Infinity and -Infinity,
/// which become null; integers that 64 bits don't hold, which become strings of their digits; escapes of half a surrogate pair, which become
/// U+FFFD. So do bytes that are not UTF-8; control characters in strings are escaped. What has other faults keeps them.
[[nodiscard]] std::string strict_json(std::string_view text);

}  // namespace inlay::code
