// Where a text may be cut: between code points, between graphemes. For any bytes, and from any position in them: nothing is read but the
// surroundings.
#pragma once

#include <cstddef>
#include <string_view>

namespace inlay::text {

/// Where the UTF-8 sequence begins that the byte at `position` belongs to; a byte that belongs to none is one. position <= text.size().
[[nodiscard]] std::size_t code_point_begin(std::string_view text, std::size_t position) noexcept;

/// The same of the grapheme (extended grapheme clusters of UAX 29 by utf8proc). One of more than 32 code points may be cut behind them.
[[nodiscard]] std::size_t grapheme_begin(std::string_view text, std::size_t position) noexcept;

}  // namespace inlay::text
