// Python source without what its grammar has trouble with.
#pragma once

#include <string>
#include <string_view>

namespace inlay::code {

/// The source with spaces in place of comments, and of line ends within brackets, where they mean nothing to Python; of the same length. The
/// grammar takes some such line ends for the end of a statement (behind "(a." where the next line is indented less), and its scanner looks at
/// all of a run of comments at each of them.
[[nodiscard]] std::string plain_python(std::string_view source);

}  // namespace inlay::code
