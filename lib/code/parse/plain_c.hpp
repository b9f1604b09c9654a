// C and C++ for tree-sitter, which knows no preprocessor.
#pragma once

#include <string>
#include <string_view>

namespace inlay::code {

/// The source without the macros that hide a definition from its grammar: those before a class's name (`class API Socket : Base {`), and one
/// between a function's parameters and its body (`int f() NOEXCEPT {`), blanked, so that every position stays what it was. What counts as a
/// macro is a word in capitals, with what it is given in brackets. Empty where there is none. A guess: of the two sources that one counts in
/// which the grammar finds fewer errors.
[[nodiscard]] std::string plain_c(std::string_view source);

}  // namespace inlay::code
