// Functions, classes and pieces of files as the rows of an index (codebase_index.hpp says which fields they have), and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "inlay/code_items.hpp"
#include "inlay/codebase_index.hpp"
#include "inlay/document.hpp"

namespace inlay::code {

/// A piece of a file: `piece` as split_lines makes it.
[[nodiscard]] Document to_file_piece(Document piece, std::int64_t line_end);

/// With one empty line at most between others: those of the items that a piece of a file had say nothing to a model.
[[nodiscard]] std::string without_empty_lines(std::string_view text);

/// What a row says of its item. What it does not say, or says in another type, stays empty; without a kind it is a piece of a file.
[[nodiscard]] IndexedItem to_indexed_item(const Document& document);

}  // namespace inlay::code
