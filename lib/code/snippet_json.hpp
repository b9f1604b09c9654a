// Snippets as JSON objects: those of `inlay snippets`, and the rows of an index's metadata.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <string>

#include "inlay/papers.hpp"

namespace inlay::code {

/// What makes an object no snippet.
struct BadSnippet {
  std::string message;
};

enum class CodeText { required, optional };

/// A snippet of the fields of to_json(Snippet); those that are missing or null are empty. Throws BadSnippet.
[[nodiscard]] Snippet read_snippet(simdjson::dom::object record, CodeText code_text);

/// The object's text without "embedding".
[[nodiscard]] std::string without_embedding(simdjson::dom::object record);

/// A row of embeddings/metadata.json. `tokens` are the code's.
[[nodiscard]] std::string metadata_row(const Snippet& snippet, std::size_t index, std::size_t tokens, bool truncated);

[[nodiscard]] bool is_blank(std::string_view text) noexcept;

/// How many lines a text has: one that ends in a line end has no other behind it.
[[nodiscard]] std::int64_t count_lines(std::string_view text) noexcept;

}  // namespace inlay::code
