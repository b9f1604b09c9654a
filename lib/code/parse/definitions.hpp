// Walks a syntax tree and collects the functions and classes in it.
#pragma once

#include <string_view>

#include "code/parse/grammars.hpp"
#include "inlay/code_parser.hpp"

namespace inlay::code {

/// Adds to `file` the items and notes of the tree of `source`. `valid_utf8`: whether the source is. Sets file.skipped, and leaves no items,
/// where the tree is deeper than max_depth.
void find_definitions(const TSTree& tree, const Grammar& grammar, std::string_view source, bool valid_utf8, std::size_t max_depth,
                      ParsedFile& file);

}  // namespace inlay::code
