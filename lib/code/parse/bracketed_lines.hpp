// Python's lines within brackets as one line.
#pragma once

#include <string>
#include <string_view>

namespace inlay::code {

/// The source with spaces in place of line ends and comments within brackets, where they mean nothing to Python; of the same length. The grammar
/// takes some of them for the end of a statement: behind "(a." where the next line is indented less.
[[nodiscard]] std::string join_bracketed_lines(std::string_view source);

}  // namespace inlay::code
