#include "inlay/code_parser.hpp"

#include <fmt/format.h>
#include <tree_sitter/api.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "code/parse/definitions.hpp"
#include "code/parse/grammars.hpp"
#include "code/parse/plain_c.hpp"
#include "code/parse/plain_python.hpp"
#include "code/parse/skipped_file.hpp"
#include "code/parse/syntax_tree.hpp"
#include "code/valid_text.hpp"
#include "inlay/error.hpp"
#include "text/utf8.hpp"

namespace inlay {
namespace {

constexpr std::size_t largest_source = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t small_file = std::size_t{64} << 10;  // lines may be of any length in it

// Of a tree, what could not be parsed and what is missing; where there is no tree, more than of any.
std::size_t count_errors(const code::SyntaxTree& tree) {
  if (!tree) return std::numeric_limits<std::size_t>::max();
  std::size_t errors = 0;
  code::TreeCursor cursor(ts_tree_root_node(tree.get()));
  for (bool more = true; more;) {
    const TSNode node = cursor.node();
    errors += ts_node_is_error(node) || ts_node_is_missing(node) ? 1 : 0;
    more = ts_node_has_error(node) && ts_tree_cursor_goto_first_child(cursor.get());
    while (!more && !ts_tree_cursor_goto_next_sibling(cursor.get())) {
      if (!ts_tree_cursor_goto_parent(cursor.get())) return errors;
    }
    more = true;
  }
  return errors;
}

struct Parsed {
  std::string plain{};  // what the tree is of, if not of the source itself
  code::SyntaxTree tree{};
};

// Of the source as it is and of one that its grammar has less trouble with, that with fewer errors.
Parsed parse_either(std::string_view source, const code::Grammar& grammar) {
  const std::string_view language = grammar.rules().language;
  if (language == "c" || language == "cpp") {
    std::string plain = code::plain_c(source);
    if (plain.empty()) return {{}, code::parse_tree(source, grammar.language())};
    code::SyntaxTree mended = code::parse_tree(plain, grammar.language());
    const std::size_t errors = count_errors(mended);
    if (errors == 0) return {std::move(plain), std::move(mended)};
    code::SyntaxTree tree = code::parse_tree(source, grammar.language());
    if (count_errors(tree) < errors) return {{}, std::move(tree)};
    return {std::move(plain), std::move(mended)};
  }
  code::SyntaxTree tree = code::parse_tree(source, grammar.language());
  if (language == "python" && count_errors(tree) > 0) {
    std::string plain = code::plain_python(source);
    code::SyntaxTree mended = code::parse_tree(plain, grammar.language());
    if (mended && (!tree || count_errors(mended) == 0)) return {std::move(plain), std::move(mended)};
  }
  return {{}, std::move(tree)};
}

bool is_minified(std::string_view source, std::size_t max_line_bytes) {
  if (max_line_bytes == 0 || source.size() <= small_file) return false;
  const auto lines = static_cast<std::size_t>(std::ranges::count(source, '\n')) + 1;
  return source.size() / lines > max_line_bytes;
}

// Why a source cannot be parsed, as far as can be told beforehand; empty: it can.
std::string obstacle(std::string_view source, const ParserOptions& options) {
  if (source.size() > std::min(options.max_file_bytes, largest_source)) return "too large";
  if (source.starts_with("\xFF\xFE") || source.starts_with("\xFE\xFF")) return "UTF-16, not UTF-8";
  if (code::is_binary(source)) return "binary";
  if (is_minified(source, options.max_line_bytes)) return "minified";
  return {};
}

// Of text that is not UTF-8.
std::int64_t first_invalid_line(std::string_view source) {
  const std::size_t position = text::repair_utf8(source).repairs.front().original_end - 1;
  return std::ranges::count(source.substr(0, position), '\n') + 1;
}

}  // namespace

ParsedFile CodeParser::parse(std::string_view source, std::string_view language, std::string file_path) const {
  const code::Grammar* grammar = code::find_grammar(language, file_path);
  if (!grammar) {
    throw Error(Status::unsupported,
                fmt::format("no grammar for language \"{}\" is built in; there are {}", language, fmt::join(languages(), ", ")));
  }
  if (std::string reason = obstacle(source, options_); !reason.empty())
    return code::skipped_file(std::move(file_path), language, std::move(reason));
  const auto [plain, tree] = parse_either(source, *grammar);
  const std::string_view parsed = plain.empty() ? source : plain;
  if (!tree) return code::skipped_file(std::move(file_path), language, "too hard to parse");

  ParsedFile file{.file_path = std::move(file_path), .language = std::string(language)};
  const bool valid = text::is_valid_utf8(source);
  if (!valid) file.notes.push_back({first_invalid_line(source), "not UTF-8; such bytes are read as U+FFFD"});
  code::find_definitions(*tree.get(), *grammar, {parsed, source, valid}, options_.max_depth, file);
  return file;
}

const std::vector<std::string>& CodeParser::languages() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const code::BuiltInGrammar& grammar : code::built_in_grammars()) list.emplace_back(grammar.grammar.rules().language);
    std::ranges::sort(list);
    list.erase(std::ranges::unique(list).begin(), list.end());
    return list;
  }();
  return names;
}

}  // namespace inlay
