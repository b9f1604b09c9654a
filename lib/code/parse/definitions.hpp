// Walks a syntax tree and collects the functions and classes in it.
#pragma once

#include <cstddef>
#include <string_view>

#include "code/parse/grammars.hpp"
#include "inlay/code_parser.hpp"

namespace inlay::code {

struct SourceText {
  std::string_view parsed;    ///< what the tree is of
  std::string_view original;  ///< what stands in the file: of the same length
  bool is_utf8 = true;
};

/// Adds to `file` the items and notes of a source's tree. Sets file.skipped, and leaves no items, where the tree is deeper than max_depth,
/// and where so many items lie in one another that their sources would take many times the file's size.
void find_definitions(const TSTree& tree, const Grammar& grammar, const SourceText& source, std::size_t max_depth, ParsedFile& file);

}  // namespace inlay::code
