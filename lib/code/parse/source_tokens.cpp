// Highlighting by a language's own grammar: what a leaf of its syntax tree is called tells what it is.
#include "inlay/source_tokens.hpp"

#include <tree_sitter/api.h>

#include <algorithm>
#include <optional>

#include "code/parse/grammars.hpp"
#include "code/parse/syntax_tree.hpp"

namespace inlay {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;

bool is_lower_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// Of a node, with all that is in it; nothing where its children are to be looked at.
std::optional<TokenClass> class_of(TSNode node) {
  const std::string_view kind = ts_node_type(node);
  if (!ts_node_is_named(node)) {
    if (is_lower_word(kind)) return TokenClass::keyword;
    return std::nullopt;
  }
  if (kind.ends_with("comment")) return TokenClass::comment;
  const bool is_leaf = ts_node_child_count(node) == 0;
  if (kind == "string" || kind.ends_with("string_literal") || kind.ends_with("char_literal") || kind.starts_with("character_literal") ||
      kind == "template_string" || kind == "heredoc_body" || kind == "raw_string" || (is_leaf && contains_any(kind, {"string"})))
    return TokenClass::string;
  if (!is_leaf) return std::nullopt;
  if (contains_any(kind, {"integer", "float", "number"})) return TokenClass::number;
  if (kind == "type_identifier" || kind == "primitive_type" || kind == "predefined_type" || kind.ends_with("_type"))
    return TokenClass::type;
  if (kind == "true" || kind == "false" || kind == "none" || kind == "null" || kind == "self" || kind == "this" || kind == "nil")
    return TokenClass::keyword;
  return std::nullopt;
}

}  // namespace

std::vector<SourceToken> find_source_tokens(std::string_view source, std::string_view language, std::string_view file_name) {
  const code::Grammar* const grammar = code::find_grammar(language, file_name);
  if (grammar == nullptr || source.size() > most_bytes) return {};
  const code::SyntaxTree tree = code::parse_tree(source, grammar->language());
  if (!tree) return {};
  std::vector<SourceToken> tokens;
  code::TreeCursor cursor(ts_tree_root_node(tree.get()));
  for (bool more = true; more;) {
    const TSNode node = cursor.node();
    const std::optional<TokenClass> found = class_of(node);
    if (found && ts_node_end_byte(node) > ts_node_start_byte(node)) {
      tokens.push_back({*found, ts_node_start_byte(node), std::min<std::size_t>(ts_node_end_byte(node), source.size())});
    }
    if (!found && ts_tree_cursor_goto_first_child(cursor.get())) continue;
    while (!ts_tree_cursor_goto_next_sibling(cursor.get())) {
      more = ts_tree_cursor_goto_parent(cursor.get());
      if (!more) break;
    }
  }
  return tokens;
}

}  // namespace inlay
