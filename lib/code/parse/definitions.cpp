#include "code/parse/definitions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "code/parse/docstrings.hpp"
#include "code/valid_text.hpp"

namespace inlay::code {
namespace {

constexpr std::size_t max_notes = 10;

// An item's source has those in it once more, and its name those around it: what all texts may take, in times of the file and at least.
constexpr std::size_t most_copies = 32;
constexpr std::size_t least_most_bytes = std::size_t{4} << 20;

// Lines by position, in the source as it stands in the file.
class Lines {
 public:
  explicit Lines(std::string_view source) {
    for (std::size_t at = source.find('\n'); at != std::string_view::npos; at = source.find('\n', at + 1)) ends_.push_back(at);
  }

  /// Counted from 0.
  [[nodiscard]] std::size_t row(std::size_t position) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(ends_, position) - ends_.begin());
  }

 private:
  std::vector<std::size_t> ends_;
};

// Where a node ends without comments at its end, which Python's grammar counts to a block as long as they are indented as it is.
TSNode last_of(TSNode node, const Grammar& grammar) {
  for (bool more = true; more;) {
    more = false;
    for_each_child(TSNode(node), [&](TSNode child) {
      if (grammar.is_comment(child) || ts_node_start_byte(child) == ts_node_end_byte(child)) return true;
      node = child;
      more = true;
      return true;
    });
  }
  return node;
}

// Comments on consecutive lines, and the attributes behind them.
struct Leading {
  std::uint32_t comment_begin = 0;
  std::uint32_t comment_end = 0;
  std::size_t last_row = 0;  ///< of comments and attributes
  std::optional<TSNode> attribute;

  [[nodiscard]] bool has_comment() const noexcept { return comment_end > comment_begin; }
};

struct Scope {
  std::size_t depth;   ///< of its node; it ends when the walk leaves it
  bool until_parent;   ///< it lasts until its parent ends
  bool is_type;        ///< functions in it are methods
  std::string name;    ///< of the type
  std::string prefix;  ///< of qualified names in it
};

struct Wrapper {
  std::size_t depth;
  TSNode node;
  Leading leading;
};

// A definition: `node` is named, and `value`, the same or inside of it, has the body.
struct Definition {
  TSNode node;
  TSNode value;
  const NodeRule* rule;  ///< of the value, where it has one
  DefinitionName name;
};

class Walk {
 public:
  Walk(const Grammar& grammar, const SourceText& source, ParsedFile& file)
      : grammar_(grammar), rules_(grammar.rules()), source_(source.parsed), text_(source), lines_(source.original), file_(file) {}

  /// Why the walk was given up; empty: it was not.
  std::string run(const TSTree& tree, std::size_t max_depth) {
    const TSNode root = ts_tree_root_node(&tree);
    has_errors_ = ts_node_has_error(root);
    TreeCursor cursor(root);
    return walk(*cursor.get(), max_depth);
  }

 private:
  std::string walk(TSTreeCursor& cursor, std::size_t max_depth) {
    const std::size_t most_bytes = std::max(least_most_bytes, most_copies * source_.size());
    for (std::size_t depth = 0;;) {
      const TSNode node = ts_tree_cursor_current_node(&cursor);
      const bool enter = visit(node, depth);
      if (item_bytes_ > most_bytes) return "functions and classes in one another, too many";
      if (enter && ts_tree_cursor_goto_first_child(&cursor)) {
        if (++depth > max_depth) return fmt::format("nested more than {} deep", max_depth);
        continue;
      }
      if (!grammar_.is_comment(node)) token_row_ = last_row(node);
      for (;;) {
        leave(depth, false);
        if (ts_tree_cursor_goto_next_sibling(&cursor)) break;
        if (!ts_tree_cursor_goto_parent(&cursor)) return {};
        leave(depth, true);
        --depth;
      }
    }
  }

  // Scopes and wrappers of the node at `depth` end; with_siblings: all at that depth do.
  void leave(std::size_t depth, bool with_siblings) {
    while (!scopes_.empty() && scopes_.back().depth >= depth && (with_siblings || !scopes_.back().until_parent)) scopes_.pop_back();
    while (!wrappers_.empty() && wrappers_.back().depth >= depth) wrappers_.pop_back();
    while (!claimed_.empty() && claimed_.back().first >= depth) claimed_.pop_back();
  }

  // Whether to look into it.
  bool visit(TSNode node, std::size_t depth) {
    if (has_errors_ && (ts_node_is_error(node) || ts_node_is_missing(node))) note_error(node);
    const NodeRule* rule = grammar_.rule(ts_node_symbol(node));
    if (rule && rule->role == Role::comment) {
      add_comment(node);
      return false;
    }
    const std::uint32_t begin = ts_node_start_byte(node);
    if (begin < skip_until_ || is_blank(node)) return true;
    // What stands before belongs to the next node, and to those in it that begin where it begins.
    if (!anchored_) {
      anchored_ = true;
      anchor_ = begin;
    } else if (begin != anchor_) {
      leading_ = {};
    }
    if (!rule) return true;
    if (rule->role == Role::opaque) return has_errors_;  // for the notes
    const std::size_t row = first_row(node);
    const bool far = !leading_.attribute && leading_.last_row + 1 < row;
    if (rule->role == Role::attribute) {
      if (far) leading_ = {};
      if (!leading_.attribute) leading_.attribute = node;
      leading_.last_row = last_row(node);
      skip_until_ = ts_node_end_byte(node);
      anchored_ = false;
      return false;
    }
    visit_rule(node, depth, *rule, far ? Leading() : leading_);
    return true;
  }

  // Some grammars have line ends as tokens, and tokens of no width.
  [[nodiscard]] bool is_blank(TSNode node) const {
    const std::uint32_t begin = ts_node_start_byte(node);
    return begin == ts_node_end_byte(node) || (!ts_node_is_named(node) && (source_[begin] == '\n' || source_[begin] == '\r'));
  }

  [[nodiscard]] std::size_t first_row(TSNode node) const { return lines_.row(ts_node_start_byte(node)); }
  // A node that ends with a line end ends on that line.
  [[nodiscard]] std::size_t last_row(TSNode node) const {
    const std::uint32_t end = ts_node_end_byte(node);
    return lines_.row(end > ts_node_start_byte(node) ? end - 1 : end);
  }
  [[nodiscard]] std::int64_t first_line(TSNode node) const { return static_cast<std::int64_t>(first_row(node)) + 1; }
  [[nodiscard]] std::int64_t last_line(TSNode node) const { return static_cast<std::int64_t>(last_row(node)) + 1; }

  void add_comment(TSNode node) {
    const std::uint32_t begin = ts_node_start_byte(node);
    const std::size_t row = first_row(node);
    const bool inside = begin < skip_until_;
    skip_until_ = std::max(skip_until_, ts_node_end_byte(node));
    if (begin == 0 && source_.starts_with("#!")) return;
    if (inside || (leading_.attribute && !anchored_)) return;  // between an attribute and what it belongs to
    if (token_row_ == row) return;                             // behind code: about that
    const bool goes_on = leading_.has_comment() && !anchored_ && leading_.last_row + 1 >= row;
    const bool restarts = source_.substr(begin).starts_with("/**");  // whatever stood above it: a licence, a section's title
    if (!goes_on || restarts) leading_ = {.comment_begin = begin};
    leading_.comment_end = ts_node_end_byte(node);
    leading_.last_row = last_row(node);
    anchored_ = false;
  }

  void visit_rule(TSNode node, std::size_t depth, const NodeRule& rule, const Leading& leading) {
    switch (rule.role) {
      case Role::wrapper: wrappers_.push_back({depth, node, leading}); return;
      case Role::scope:
      case Role::members:
      case Role::rest: {
        const DefinitionName name = rule.name(node, source_);
        const bool until_parent = rule.role == Role::rest && ts_node_is_null(body_of(node, rule));
        if (!name.name.empty()) push_scope(depth, name, rule.role == Role::members, until_parent, scope_separator());
        return;
      }
      case Role::anonymous:
        if (!rule.needs_body || !ts_node_is_null(body_of(node, rule))) push_anonymous(depth, rule.name(node, source_));
        return;
      case Role::binding: static_cast<void>(visit_binding(node, depth, rule, leading)); return;
      case Role::exporting:
        if (!visit_binding(node, depth, rule, leading)) wrappers_.push_back({depth, node, leading});
        return;
      case Role::function:
      case Role::type: {
        if (is_claimed(node) || (rule.needs_body && ts_node_is_null(body_of(node, rule)))) return;
        Definition definition{node, node, &rule, rule.name(node, source_)};
        const bool is_type = rule.role == Role::type;
        if (!definition.name.name.empty()) return add(definition, is_type, depth, leading);
        if (is_type) push_anonymous(depth, {});
        return;
      }
      default: return;
    }
  }

  // Whether it gives its name to something.
  bool visit_binding(TSNode node, std::size_t depth, const NodeRule& rule, const Leading& leading) {
    const auto [value, bound] = bound_value(node);
    if (bound == Bound::none || is_claimed(value)) return false;
    DefinitionName name = rule.name(node, source_);
    if (name.name.empty()) return false;
    if (bound == Bound::scope) {
      push_scope(depth, name, false, false, rules_.separator);
      return true;
    }
    const NodeRule* own = grammar_.rule(ts_node_symbol(value));
    if (own && own->needs_body && ts_node_is_null(body_of(value, *own))) return false;
    const bool keeps_name = bound == Bound::type || rule.role == Role::exporting;
    if (keeps_name && own && !own->name(value, source_).name.empty()) return false;
    claimed_.emplace_back(depth, value.id);
    add({node, value, own, std::move(name)}, bound == Bound::type, depth, leading);
    return true;
  }

  [[nodiscard]] std::pair<TSNode, Bound> bound_value(TSNode node) const {
    for (;;) {
      std::optional<TSNode> inner;
      std::pair<TSNode, Bound> found{node, Bound::none};
      for_each_child(node, [&](TSNode child) {
        const Bound bound = grammar_.bound(child, source_);
        if (bound == Bound::unwrap) {
          inner = child;
        } else if (bound != Bound::none) {
          found = {child, bound};
          return false;
        }
        return true;
      });
      if (found.second != Bound::none) return found;
      if (!inner || ts_node_named_child_count(*inner) != 1) return {node, Bound::none};
      node = *inner;
    }
  }

  [[nodiscard]] bool is_claimed(TSNode node) const {
    return std::ranges::any_of(claimed_, [&](const auto& claim) { return claim.second == node.id; });
  }

  [[nodiscard]] static TSNode body_of(TSNode node, const NodeRule& rule) {
    const TSNode body = child_by_field(node, rule.body);
    return ts_node_is_null(body) ? child_of_kind(node, rule.body) : body;
  }

  // The outermost of the wrappers that stand around the node at `depth` and nothing else of its kind, with nothing between.
  void take_wrappers(std::size_t depth, TSNode& outer, Leading& leading) {
    while (!wrappers_.empty() && wrappers_.back().depth + 1 == depth) {
      const Wrapper& wrapper = wrappers_.back();
      if (has_twins(wrapper.node, ts_node_symbol(outer))) return;
      outer = wrapper.node;
      if (!leading.has_comment()) leading = wrapper.leading;
      depth = wrapper.depth;
      wrappers_.pop_back();
    }
  }

  // const f = ..., g = ...: what stands around both belongs to neither.
  [[nodiscard]] static bool has_twins(TSNode node, TSSymbol symbol) {
    std::size_t found = 0;
    for_each_child(node, [&](TSNode child) {
      found += ts_node_symbol(child) == symbol ? 1 : 0;
      return found < 2;
    });
    return found > 1;
  }

  void add(const Definition& definition, bool is_type, std::size_t depth, Leading leading) {
    TSNode outer = definition.node;
    take_wrappers(depth, outer, leading);
    const TSNode first = leading.attribute.value_or(outer);

    const Scope* scope = scopes_.empty() ? nullptr : &scopes_.back();
    const DefinitionName& name = definition.name;
    std::string qualified = scope ? scope->prefix : std::string();
    if (!name.scope.empty()) qualified.append(name.scope).append(rules_.separator);
    qualified += name.name;

    const std::uint32_t begin = ts_node_start_byte(first);
    const TSNode final_token = rules_.docs == Docs::python ? last_of(outer, grammar_) : outer;
    const std::uint32_t end = ts_node_end_byte(final_token);
    const auto fill = [&](auto& item) {
      item.file_path = file_.file_path;
      item.language = file_.language;
      item.name = valid(name.name);
      item.qualified_name = valid(qualified);
      item.line_number = rules_.docs == Docs::python ? first_line(definition.node) : first_line(outer);
      if (rules_.docs == Docs::python) {
        item.docstring = python_docstring(definition);
      } else if (leading.has_comment()) {
        add_comment_of(leading, item);
      }
      item.source_code = valid(text_.original.substr(begin, end - begin));
      item.signature = valid(signature(definition, outer, is_type));
      item.range = {first_line(first), last_line(final_token), begin, end};
    };
    if (is_type) {
      fill(file_.classes.emplace_back());
      item_bytes_ += bytes_of(file_.classes.back());
    } else {
      Function& function = file_.functions.emplace_back();
      fill(function);
      if (!name.scope.empty()) {
        if (name.is_method) function.class_name = valid(simple_type_name(name.scope));
      } else if (scope && scope->is_type) {
        function.class_name = valid(scope->name);
      }
      item_bytes_ += bytes_of(function) + function.class_name.size();
    }
    std::string prefix = std::move(qualified);
    prefix += rules_.separator;
    if (!is_type && !rules_.local.empty()) prefix.append(rules_.local).append(rules_.separator);
    scopes_.push_back({depth, false, is_type, name.name, std::move(prefix)});
  }

  // A scope whose functions are methods of no type around it.
  void push_anonymous(std::size_t depth, const DefinitionName& name) {
    if (!name.name.empty()) return push_scope(depth, name, true, false, rules_.separator);
    scopes_.push_back({depth, false, false, {}, scopes_.empty() ? std::string() : scopes_.back().prefix});
  }

  void push_scope(std::size_t depth, const DefinitionName& name, bool is_type, bool until_parent, std::string_view separator) {
    std::string prefix = scopes_.empty() ? std::string() : scopes_.back().prefix;
    if (until_parent) prefix.clear();  // one of the file's follows another
    if (!name.scope.empty()) prefix.append(name.scope).append(separator);
    prefix.append(name.name).append(separator);
    scopes_.push_back({depth, until_parent, is_type, name.name, std::move(prefix)});
  }

  [[nodiscard]] std::string_view scope_separator() const {
    return rules_.scope_separator.empty() ? rules_.separator : rules_.scope_separator;
  }

  template <class Item>
  [[nodiscard]] static std::size_t bytes_of(const Item& item) {
    return item.source_code.size() + item.qualified_name.size() + item.docstring.size() + item.signature.size();
  }

  template <class Item>
  void add_comment_of(const Leading& leading, Item& item) const {
    const CommentText comment =
        comment_text(source_.substr(leading.comment_begin, leading.comment_end - leading.comment_begin), rules_.docs);
    if (comment.text.empty()) return;
    item.docstring = valid(comment.text);
    const std::size_t begin = leading.comment_begin + comment.begin;
    item.comment = {static_cast<std::int64_t>(lines_.row(begin)) + 1, static_cast<std::int64_t>(lines_.row(leading.comment_end - 1)) + 1,
                    begin, leading.comment_end};
  }

  [[nodiscard]] std::string python_docstring(const Definition& definition) const {
    const TSNode body = child_by_field(definition.value, "body");
    if (ts_node_is_null(body) || std::string_view(ts_node_type(body)) != "block") return {};
    TSNode statement = {};
    for_each_child(body, [&](TSNode child) {
      if (ts_node_is_named(child) && !grammar_.is_comment(child)) statement = child;
      return ts_node_is_null(statement);
    });
    if (ts_node_is_null(statement)) return {};
    TSNode literal = statement;
    for (std::string_view kind = ts_node_type(literal); kind == "expression_statement" || kind == "parenthesized_expression";) {
      if (ts_node_named_child_count(literal) != 1) return {};
      literal = ts_node_named_child(literal, 0);
      kind = ts_node_type(literal);
    }
    const std::string_view kind = ts_node_type(literal);
    if (kind != "string" && kind != "concatenated_string") return {};
    const auto value = python_string_value(node_text(literal, source_));
    return value ? valid(clean_docstring(*value)) : std::string();
  }

  // The definition without what decorates it, from its beginning to its body; comments left out, white space one space.
  [[nodiscard]] std::string signature(const Definition& definition, TSNode outer, bool is_type) const {
    const TSNode from = rules_.docs == Docs::python ? definition.node : outer;
    const TSNode body = definition.rule ? body_of(definition.value, *definition.rule) : bound_body(definition.value);
    const bool has_body = !ts_node_is_null(body);
    const std::uint32_t end = has_body ? ts_node_start_byte(body) : ts_node_end_byte(from);
    std::string text;
    append_without_comments(from, ts_node_start_byte(from), end, text);
    if (!has_body) text.resize(std::min(text.find(is_type ? '{' : '\n'), text.size()));
    std::string line;
    for (const char character : text) {
      const bool blank = character == ' ' || character == '\t' || character == '\n' || character == '\r' || character == '\f';
      if (!blank) {
        line += character;
      } else if (!line.empty() && line.back() != ' ') {
        line += ' ';
      }
    }
    for (const std::string_view ending : {" ", ":", "{", "=>", "->", "=", ";", " "}) {
      if (line.size() > ending.size() && line.ends_with(ending)) line.resize(line.size() - ending.size());
    }
    return line;
  }

  // Of what has no rule of its own: a lambda, Ruby's classes that a call makes.
  [[nodiscard]] static TSNode bound_body(TSNode value) {
    for (const std::string_view field : {"body", "block"}) {
      if (const TSNode body = child_by_field(value, field); !ts_node_is_null(body)) return body;
    }
    const TSNode statements = child_of_kind(value, "statements");
    return ts_node_is_null(statements) ? child_of_kind(value, "block") : statements;
  }

  // Walks below `node` for the comments in it up to `end`.
  void append_without_comments(TSNode node, std::uint32_t begin, std::uint32_t end, std::string& text) const {
    TreeCursor cursor(node);
    for (bool more = true; more;) {
      const TSNode current = cursor.node();
      if (ts_node_start_byte(current) >= end) break;
      if (grammar_.is_comment(current)) {
        text.append(source_.substr(begin, ts_node_start_byte(current) - begin));
        begin = ts_node_end_byte(current);
      }
      more = ts_tree_cursor_goto_first_child(cursor.get()) || ts_tree_cursor_goto_next_sibling(cursor.get());
      while (!more && ts_tree_cursor_goto_parent(cursor.get())) more = ts_tree_cursor_goto_next_sibling(cursor.get());
    }
    if (begin < end) text.append(source_.substr(begin, end - begin));
  }

  void note_error(TSNode node) {
    if (file_.notes.size() >= max_notes) return;
    // `= {}` as a default argument: C++'s grammar misses a type before the braces, which need none.
    const std::size_t next = source_.find_first_not_of(" \t\r\n", ts_node_start_byte(node));
    const bool before_braces = next != std::string_view::npos && source_[next] == '{';
    if (ts_node_is_missing(node) && before_braces && kind_of(node) == "type_identifier") return;
    const std::int64_t line = first_line(node);
    if (!file_.notes.empty() && file_.notes.back().line == line) return;
    file_.notes.push_back({line, ts_node_is_missing(node) ? fmt::format("syntax error: {} expected", ts_node_type(node)) : "syntax error"});
  }

  [[nodiscard]] std::string valid(std::string_view text) const { return text_.is_utf8 ? std::string(text) : valid_text(std::string(text)); }

  const Grammar& grammar_;
  const LanguageRules& rules_;
  std::string_view source_;
  const SourceText& text_;
  Lines lines_;
  ParsedFile& file_;
  bool has_errors_ = false;
  Leading leading_;                       // what stands before the next node
  bool anchored_ = false;                 // there has been one since
  std::uint32_t anchor_ = 0;              // where that begins
  std::uint32_t skip_until_ = 0;          // where the last comment or attribute ends: what is in it does not matter
  std::optional<std::size_t> token_row_;  // where the last token ended
  std::size_t item_bytes_ = 0;            // of the items' texts
  std::vector<Scope> scopes_;
  std::vector<Wrapper> wrappers_;
  std::vector<std::pair<std::size_t, const void*>> claimed_;
};

}  // namespace

void find_definitions(const TSTree& tree, const Grammar& grammar, const SourceText& source, std::size_t max_depth, ParsedFile& file) {
  file.skipped = Walk(grammar, source, file).run(tree, max_depth);
  if (file.skipped.empty()) return;
  file.functions.clear();
  file.classes.clear();
  file.notes.clear();
}

}  // namespace inlay::code
